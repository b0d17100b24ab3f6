//! Headers that change the meaning of a request.

use axum::http::Method;
use serde_json::json;

use super::{operations, without_storage};
use crate::support::{Client, SkillsApp};

/// Headers that no write applies unless its description lists them.
const ON_WRITES: [(&str, &str); 8] = [
    ("content-range", "bytes 3-6/7"),
    ("range", "bytes=3-6"),
    ("upload-offset", "3"),
    ("if-match", "\"x\""),
    ("if-none-match", "*"),
    ("if-modified-since", "Sun, 29 Nov 2026 00:00:00 GMT"),
    ("if-unmodified-since", "Sun, 29 Nov 2026 00:00:00 GMT"),
    ("x-http-method-override", "GET"),
];
/// Headers that no read applies unless its description lists them.
const ON_READS: [(&str, &str); 4] = [
    ("if-match", "\"x\""),
    ("if-unmodified-since", "Sun, 29 Nov 2026 00:00:00 GMT"),
    ("x-http-method", "DELETE"),
    ("x-method-override", "delete"),
];
/// Headers of browsers, proxies and tracing, and headers that a server may ignore.
const HARMLESS: [(&str, &str); 12] = [
    ("accept-encoding", "gzip, br"),
    ("accept-language", "de"),
    ("cache-control", "no-cache"),
    ("content-language", "de"),
    ("cookie", "a=b"),
    ("expect", "100-Continue"),
    ("prefer", "return=minimal, respond-async"),
    ("priority", "u=1"),
    ("te", "trailers"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    ("via", "1.1 proxy"),
    ("x-api-key", "sk-x"),
];

fn json_client(api: &Client) -> Client {
    api.with_header("content-type", "application/json")
}

#[tokio::test]
async fn header_that_a_route_does_not_apply_is_rejected_by_name() {
    let api = json_client(&without_storage());
    for operation in operations() {
        let headers = match operation.is_write() {
            true => &ON_WRITES[..],
            false => &ON_READS[..],
        };
        for (name, value) in headers {
            let client = api.with_header(name, *value);
            let method = operation.method.clone();
            let response = client.send(method, &operation.path, b"{}".to_vec()).await;
            let what = format!("{} {} {name}", operation.method, operation.path);
            if operation.has_header(name) {
                assert_ne!(response.status, 400, "{what}");
            } else if operation.method == Method::HEAD {
                assert_eq!(response.status, 400, "{what}");
            } else {
                let problem = response.assert_error(400, "invalid_request");
                let detail = problem["detail"].as_str().unwrap();
                assert!(detail.to_lowercase().starts_with(name), "{what}: {detail}");
            }
        }
    }
}

#[tokio::test]
async fn body_with_an_encoding_or_two_types_is_rejected() {
    let api = json_client(&without_storage());
    for operation in operations() {
        if ![Method::POST, Method::PUT, Method::PATCH].contains(&operation.method) {
            continue;
        }
        let send = async |client: Client| {
            let method = operation.method.clone();
            client.send(method, &operation.path, b"{}".to_vec()).await
        };
        for encoding in ["gzip", "aws-chunked", "identity, gzip"] {
            let refused = send(api.with_header("content-encoding", encoding)).await;
            assert_eq!(refused.header("accept-encoding"), Some("identity"));
            let problem = refused.assert_error(415, "unsupported_media_type");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.starts_with("Content-Encoding"), "{detail}");
        }
        let identity = send(api.with_header("content-encoding", "identity")).await;
        assert_ne!(identity.status, 415, "{}", operation.path);
        let refused = send(api.with_header("content-type", "text/plain")).await;
        refused.assert_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn part_of_a_file_is_not_stored_as_the_whole() {
    let app = SkillsApp::start().await;
    let path = "/api/files/x";
    let put = app.api.send(Method::PUT, path, b"1234567".to_vec()).await;
    put.assert_status(200);

    for (name, value) in [
        ("content-range", "bytes 3-6/7"),
        ("range", "bytes=3-6"),
        ("if-unmodified-since", "Sun, 29 Nov 2026 00:00:00 GMT"),
        ("x-http-method-override", "PATCH"),
    ] {
        let part = app.api.with_header(name, value);
        let refused = part.send(Method::PUT, path, b"abcd".to_vec()).await;
        refused.assert_error(400, "invalid_request");
        let refused = part.delete(path).await;
        refused.assert_error(400, "invalid_request");
    }

    let found = app.api.get(path).await.assert_status(200);
    assert_eq!(found.body, b"1234567");
    let same = app.api.with_header("x-http-method-override", "delete");
    same.delete(path).await.assert_status(200);
}

#[tokio::test]
async fn optional_header_is_ignored() {
    let app = SkillsApp::start().await;
    for (name, value) in HARMLESS {
        let api = app.api.with_header(name, value);
        let body = json!({"name": "x", "volume": "user"});
        api.post("/api/sessions", &body).await.assert_status(201);
        api.get("/api/sessions").await.assert_status(200);
        let put = api.send(Method::PUT, "/api/files/x", b"1".to_vec()).await;
        put.assert_status(200);
    }
    for (name, value) in [
        ("range", "bytes=0-1"),
        ("if-range", "\"x\""),
        ("if-none-match", "\"x\""),
        ("if-modified-since", "Sun, 29 Nov 2026 00:00:00 GMT"),
    ] {
        let api = app.api.with_header(name, value);
        api.get("/api/sessions").await.assert_status(200);
        api.get("/api/me").await.assert_status(200);
    }
}

#[tokio::test]
async fn body_in_another_charset_is_rejected_unless_it_is_ascii() {
    let app = SkillsApp::start().await;
    let create = async |content_type: &str, name: &str| {
        let client = app.api.with_header("content-type", content_type);
        let body = json!({"name": name, "volume": "user"}).to_string();
        client
            .send(Method::POST, "/api/sessions", body.into())
            .await
    };
    for charset in ["iso-8859-1", "utf-16", "\"windows-1252\""] {
        let content_type = format!("application/json; charset={charset}");
        let refused = create(&content_type, "\u{fc}").await;
        refused.assert_error(415, "unsupported_media_type");
        create(&content_type, "u").await.assert_status(201);
    }
    for content_type in [
        "application/json; Charset=\"UTF-8\"",
        "application/json;x=y",
    ] {
        let created = create(content_type, "\u{fc}").await.assert_status(201);
        assert_eq!(created.json()["name"], "\u{fc}");
    }
}
