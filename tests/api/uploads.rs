//! Direct uploads to the store: the protocol for client tokens.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use llmos::auth::new_key;
use llmos::blob::BlobConfig;
use llmos::blob::client_token::{self, ClientTokenPayload};
use llmos::config::Config;
use llmos::util::secret::Secret;
use serde_json::{Value, json};

use crate::support::{BlobServer, Client, Response, http_client, in_process};

const ROUTE: &str = "/api/files/upload";
const PATHNAME: &str = "volumes/user/default/files/big.bin";

/// Requests a client token as `upload()` does.
async fn ask(api: &Client, pathname: &str, client_payload: Option<&str>) -> Response {
    let event = json!({
        "type": "blob.generate-client-token",
        "payload": {"pathname": pathname, "clientPayload": client_payload, "multipart": false},
    });
    api.post(ROUTE, &event).await
}

#[track_caller]
fn token_of(answer: &Response) -> String {
    let answer = answer.json();
    assert_eq!(answer["type"], "blob.generate-client-token", "{answer}");
    answer["clientToken"].as_str().unwrap().to_owned()
}

/// Sends a file with a client token and returns status and body of the store's response.
async fn send(store: &BlobServer, token: &str, pathname: &str, file: (&str, &str)) -> (u16, Value) {
    let (content_type, body) = file;
    let url = format!("{}/?pathname={pathname}", store.api_url());
    let put = http_client().build().unwrap().put(url).bearer_auth(token);
    let put = put
        .header("x-vercel-blob-access", "private")
        .header("x-content-type", content_type)
        .body(body.to_owned());
    let answer = put.send().await.unwrap();
    let status = answer.status().as_u16();
    let body = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    (status, body)
}

#[tokio::test]
async fn client_token_is_limited_to_one_path_size_and_type() {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    let pathname = "volumes/team/ours/files/notes/a.txt";
    let file = r#"{"size": 5, "content_type": "text/plain"}"#;
    let token = token_of(&ask(&api, pathname, Some(file)).await.assert_status(200));

    let refusals = [
        ("volumes/team/ours/files/notes/b.txt", "text/plain", "12345"),
        ("volumes/system/system/skills/a.md", "text/plain", "12345"),
        (pathname, "text/plain", "123456"),
        (pathname, "text/html", "12345"),
    ];
    for (pathname, content_type, body) in refusals {
        let (status, answer) = send(&store, &token, pathname, (content_type, body)).await;
        assert!(
            (400..500).contains(&status),
            "{pathname}: {status} {answer}"
        );
        assert!(answer["error"]["code"].is_string(), "{answer}");
    }
    assert_eq!(store.pathnames().await, [""; 0]);

    for body in ["12345", "1234"] {
        let (status, answer) = send(&store, &token, pathname, ("text/plain", body)).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["pathname"], pathname);
    }
    let found = api
        .get("/api/files/notes/a.txt?volume=team&volume_id=ours")
        .await;
    assert_eq!(found.assert_status(200).body, b"1234");
}

#[tokio::test]
async fn client_token_expires_after_an_hour_and_hides_the_signing_key() {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    for file in [None, Some(""), Some("{}")] {
        let before = chrono::Utc::now().timestamp_millis();
        let token = token_of(&ask(&api, PATHNAME, file).await.assert_status(200));
        let payload = client_token::verify(&token, BlobServer::TOKEN).unwrap();
        let valid_until = payload.valid_until.unwrap();
        assert!((before + 3_600_000..before + 3_660_000).contains(&valid_until));
        let expected = ClientTokenPayload {
            pathname: PATHNAME.to_owned(),
            maximum_size_in_bytes: Some(500 * 1024 * 1024),
            allowed_content_types: Some(vec!["application/octet-stream".to_owned()]),
            valid_until: Some(valid_until),
            add_random_suffix: Some(false),
            allow_overwrite: Some(true),
            cache_control_max_age: Some(60),
            ..ClientTokenPayload::default()
        };
        assert_eq!(payload, expected);
        let signed = token.rsplit('_').next().unwrap();
        let signed = String::from_utf8(STANDARD.decode(signed).unwrap()).unwrap();
        assert!(!signed.contains(BlobServer::TOKEN));
    }
    let expired = ClientTokenPayload {
        pathname: PATHNAME.to_owned(),
        valid_until: Some(chrono::Utc::now().timestamp_millis() - 1),
        ..ClientTokenPayload::default()
    };
    let expired = client_token::mint(&expired, BlobServer::TOKEN).unwrap();
    let (status, answer) = send(&store, &expired, PATHNAME, ("text/plain", "x")).await;
    assert_eq!(status, 403, "{answer}");
}

#[tokio::test]
async fn upload_permission_contains_the_path_in_the_callers_volume() {
    let store = BlobServer::start().await;
    let (key, entry) = new_key("page", "user/alice").unwrap();
    let mut config = store.config();
    config.access.auth.api_keys = vec![entry.parse().unwrap()];
    let api = in_process(config);
    let api = api.with_header("authorization", format!("Bearer {key}"));

    let leave = ask(&api, PATHNAME, None).await.assert_status(200);

    let stored = "volumes/user/alice/files/big.bin";
    let payload = client_token::verify(&token_of(&leave), BlobServer::TOKEN).unwrap();
    assert_eq!(payload.pathname, stored);
    let leave = leave.json();
    assert_eq!(leave["pathname"], stored);
    assert_eq!(leave["url"], store.api_url());
    assert_eq!(leave["access"], "private");
    ask(&api, "volumes/user/bob/files/big.bin", None)
        .await
        .assert_error(404, "not_found");
}

#[tokio::test]
async fn upload_permission_for_an_invalid_pathname_is_rejected() {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    for pathname in [
        "",
        "big.bin",
        "/volumes/user/default/files/a",
        "volumes/user/default/files/",
        "volumes/user/default/files/a/",
        "volumes/user/default/files//a",
        "volumes/user/default/files/../skills/evil.md",
        "volumes/user/default/files/%2e%2e/skills/evil.md",
        "volumes/user/default/files/a\\b",
        "volumes/user/default/files/a\nb",
        "volumes/user/default/skills/evil.md",
        "volumes/system/system/skills/evil.md",
        "volumes/other/default/files/a",
        "volumes/user/../files/a",
        "volumes/user/a b/files/a",
    ] {
        ask(&api, pathname, None)
            .await
            .assert_invalid("payload.pathname");
    }
    let long = format!("volumes/user/default/files/{}", "x/".repeat(451));
    ask(&api, &long, None)
        .await
        .assert_invalid("payload.pathname");
}

#[tokio::test]
async fn invalid_client_payload_is_rejected() {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    for file in [
        "x",
        "[]",
        "5",
        r#"{"size": -1}"#,
        r#"{"size": "5"}"#,
        r#"{"content_type": 5}"#,
    ] {
        ask(&api, PATHNAME, Some(file))
            .await
            .assert_invalid("payload.clientPayload");
    }
    let largest = 500 * 1024 * 1024;
    let file = json!({"size": largest}).to_string();
    ask(&api, PATHNAME, Some(&file)).await.assert_status(200);
    let file = json!({"size": largest + 1}).to_string();
    ask(&api, PATHNAME, Some(&file))
        .await
        .assert_invalid("payload.clientPayload.size");
    let file = json!({"content_type": "text"}).to_string();
    ask(&api, PATHNAME, Some(&file))
        .await
        .assert_invalid("payload.clientPayload.content_type");
}

#[tokio::test]
async fn body_outside_the_upload_protocol_is_rejected() {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    for body in ["{", "[]", "\"x\"", "\0"] {
        api.send_json(Method::POST, ROUTE, body)
            .await
            .assert_error(400, "invalid_request");
    }
    for body in [
        "",
        "{}",
        r#"{"type":"x"}"#,
        r#"{"type":"blob.generate-client-token"}"#,
    ] {
        api.send_json(Method::POST, ROUTE, body)
            .await
            .assert_error(422, "validation_failed");
    }
    api.send(Method::POST, ROUTE, b"{}".to_vec())
        .await
        .assert_error(415, "unsupported_media_type");
    api.send(Method::PATCH, ROUTE, Vec::new())
        .await
        .assert_error(405, "method_not_allowed");
}

#[tokio::test]
async fn upload_without_a_read_write_token_is_503() {
    let oidc = Config {
        blob: BlobConfig {
            store_id: Some("local".to_owned()),
            oidc_token: Some(Secret::new("x".to_owned())),
            ..BlobConfig::default()
        },
        ..Config::default()
    };
    for config in [Config::default(), oidc] {
        let api = in_process(config);
        let completed = json!({"type": "blob.upload-completed", "payload": {}});
        for refused in [
            ask(&api, PATHNAME, None).await,
            api.post(ROUTE, &completed).await,
        ] {
            let problem = refused.assert_error(503, "storage_unavailable");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("BLOB_READ_WRITE_TOKEN"), "{problem}");
        }
    }
}

#[tokio::test]
async fn upload_completed_event_must_be_signed_by_the_store() {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    let body = r#"{"type":"blob.upload-completed", "payload":{"blob":{"pathname":"é"},"tokenPayload":null}}"#;
    let right = client_token::sign(body.as_bytes(), BlobServer::TOKEN);
    let tell = async |signature: &str, body: &str| {
        let api = api.with_header("x-vercel-signature", signature);
        api.send_json(Method::POST, ROUTE, body).await
    };

    let answer = tell(&right, body).await.assert_status(200).json();
    assert_eq!(
        answer,
        json!({"type": "blob.upload-completed", "response": "ok"})
    );
    let other = client_token::sign(body.as_bytes(), "vercel_blob_rw_local_other");
    for wrong in ["", "x", &right[1..], &other] {
        tell(wrong, body).await.assert_error(400, "invalid_request");
    }
    tell(&right, &body.replace('é', "e"))
        .await
        .assert_error(400, "invalid_request");
    api.send_json(Method::POST, ROUTE, body)
        .await
        .assert_error(400, "invalid_request");
}
