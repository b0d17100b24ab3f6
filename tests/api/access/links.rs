//! Signed links to files: their access and their expiry.

use std::time::Duration;

use axum::http::Method;
use llmos::blob::client_token;
use llmos::config::Config;
use serde_json::{Value, json};

use super::super::support::{BlobServer, Client, Redis, blob_config, in_process};
use super::{closed, signed_in, with_secret};

const FILE: &str = "/api/files/notes/gr%C3%B6%C3%9Fe%20%26%20more.txt";
const PATH: &str = "notes/größe & more.txt";

/// Starts a service with access control and a file of alice. Returns a client without credentials, and alice's client.
async fn start() -> (Client, Client, (Redis, BlobServer)) {
    let (redis, blobs) = (Redis::start().await, BlobServer::start().await);
    let api = in_process(Config {
        blob: blob_config(&blobs),
        ..closed(&redis, with_secret())
    });
    let alice = signed_in(&api, "alice", &["red"]);
    let put = alice.with_header("content-type", "text/plain");
    let put = put.send(Method::PUT, FILE, b"hello".to_vec()).await;
    put.assert_status(200);
    (api, alice, (redis, blobs))
}

async fn link(api: &Client, wanted: Value) -> String {
    let answer = api.post("/api/files/link", &wanted).await.assert_status(200);
    answer.json()["url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn signed_link_opens_only_its_file_without_credentials() {
    let (anonymous, alice, _storage) = start().await;
    anonymous.get(FILE).await.assert_error(401, "unauthorized");
    let url = link(&alice, json!({"path": PATH})).await;
    assert!(url.starts_with(FILE), "{url}");

    let found = anonymous.get(&url).await.assert_status(200);
    assert_eq!(found.body, b"hello");
    assert!(found.round_trips() <= 2);
    let head = anonymous.send(Method::HEAD, &url, Vec::new()).await;
    assert_eq!(head.assert_status(200).header("content-length"), Some("5"));
    let part = anonymous.with_header("range", "bytes=1-2").get(&url).await;
    assert_eq!(part.assert_status(206).body, b"el");
    let saved = link(&alice, json!({"path": PATH, "download": true})).await;
    let saved = anonymous.get(&saved).await.assert_status(200);
    assert!(saved.header("content-disposition").unwrap().starts_with("attachment"));

    for method in [Method::PUT, Method::DELETE] {
        let change = anonymous.send(method, &url, b"changed".to_vec()).await;
        change.assert_error(401, "unauthorized");
    }
    let (_, query) = url.split_once('?').unwrap();
    for other in ["/api/files", "/api/sessions", "/api/skills", "/api/me"] {
        let other = anonymous.get(&format!("{other}?{query}")).await;
        other.assert_error(401, "unauthorized");
    }
    assert_eq!(anonymous.get(&url).await.assert_status(200).body, b"hello");
}

#[tokio::test]
async fn modified_link_is_rejected() {
    let (anonymous, alice, _storage) = start().await;
    let url = link(&alice, json!({"path": PATH})).await;
    let of_other = link(&alice, json!({"path": "other.txt"})).await;
    let signature = |url: &str| url.split_once("signature=").unwrap().1.to_owned();
    let own = signature(&url);
    let first = if own.starts_with('0') { "1" } else { "0" };
    let altered = format!("{first}{}", &own[1..]);
    for (part, by) in [
        ("more.txt", "less.txt"),
        ("notes/", ""),
        ("volume_id=alice", "volume_id=bob"),
        ("volume=user", "volume=team"),
        ("volume=user&volume_id=alice&", ""),
        ("valid_until=", "valid_until=9"),
        ("valid_until=", "valid_until=%2B"),
        ("valid_until=", "valid_until=x"),
        (&*own, &*signature(&of_other)),
        (&*own, &*altered),
        (&*own, ""),
        (&*own, "%00"),
    ] {
        assert!(url.contains(part), "{part} in {url}");
        let touched = anonymous.get(&url.replacen(part, by, 1)).await;
        touched.assert_error(403, "forbidden");
    }
    for part in ["&signature=", "&valid_until="] {
        let incomplete = anonymous.get(&url.replacen(part, "&x=", 1)).await;
        incomplete.assert_error(401, "unauthorized");
    }
    // Callers with access get a 404 for a missing file.
    anonymous.get(&of_other).await.assert_error(404, "not_found");
}

#[tokio::test]
async fn signature_made_with_the_blob_token_is_rejected() {
    let (anonymous, alice, _storage) = start().await;
    let url = link(&alice, json!({"path": PATH})).await;
    let (address, signature) = url.split_once("signature=").unwrap();
    let valid_until = address.split_once("valid_until=").unwrap().1.trim_end_matches('&');
    let signed = format!("{valid_until}\nvolumes/user/alice/files/{PATH}");
    for message in [signed.clone(), format!("llmos file link\n{signed}")] {
        let forged = client_token::sign(message.as_bytes(), BlobServer::TOKEN);
        assert_ne!(forged, signature);
        let forged = anonymous.get(&format!("{address}signature={forged}")).await;
        forged.assert_error(403, "forbidden");
    }
    anonymous.get(&url).await.assert_status(200);
}

#[tokio::test]
async fn link_expires_at_its_time() {
    let (anonymous, alice, _storage) = start().await;
    let url = link(&alice, json!({"path": PATH, "seconds": 2})).await;
    anonymous.get(&url).await.assert_status(200);
    tokio::time::sleep(Duration::from_secs(3)).await;
    anonymous.get(&url).await.assert_error(403, "forbidden");
}

#[tokio::test]
async fn link_request_with_invalid_members_is_rejected() {
    let (anonymous, alice, _storage) = start().await;
    anonymous
        .post("/api/files/link", &json!({"path": PATH}))
        .await
        .assert_error(401, "unauthorized");
    for (field, wanted) in [
        ("path", json!({})),
        ("path", json!({"path": 1})),
        ("path", json!({"path": "a/../b"})),
        ("path", json!({"path": "x".repeat(901)})),
        ("seconds", json!({"path": "a", "seconds": 0})),
        ("seconds", json!({"path": "a", "seconds": 86_401})),
        ("seconds", json!({"path": "a", "seconds": -1})),
        ("download", json!({"path": "a", "download": "yes"})),
    ] {
        let problem = alice.post("/api/files/link", &wanted).await.assert_error(422, "validation_failed");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    // A file may have this name.
    let put = alice.send(Method::PUT, "/api/files/link", b"a name like any other".to_vec()).await;
    put.assert_status(200);
    let url = link(&alice, json!({"path": "link", "seconds": 86_400})).await;
    assert_eq!(anonymous.get(&url).await.assert_status(200).body, b"a name like any other");
}
