//! Hostile input: a 4xx that names the invalid member, and nothing stored.

use axum::http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Client, Process, TestApp};

async fn create(api: &Client, body: impl Into<Vec<u8>>) -> crate::support::Response {
    api.send_json(Method::POST, "/api/sessions", body).await
}

#[tokio::test]
async fn bodies_that_are_not_json_are_rejected() {
    let app = TestApp::start().await;
    let deep = "[".repeat(10_000);
    let closed = format!(
        r#"{{"name":"x","volume":"user","metadata":{}{}}}"#,
        r#"{"a":"#.repeat(10_000),
        "}".repeat(10_000)
    );

    for body in [
        "{",
        "nonsense",
        "{} {}",
        "\u{feff}{}",
        "null",
        "[]",
        "5",
        "\"text\"",
        "  [1]",
        r#"{"name":NaN,"volume":"user"}"#,
        r#"{"name":"a","name":"b","volume":"user"}"#,
        r#"{"name":"a","\u006eame":"b","volume":"user"}"#,
        r#"{"name":"a","volume":"user","metadata":{"k":1,"k":2}}"#,
        r#"{"name":"x","volume":"user","metadata":{"k":1e999}}"#,
        "{\"name\":\"a\nb\",\"volume\":\"user\"}",
        "{\"name\":\"a\u{0}b\",\"volume\":\"user\"}",
        &deep,
        &closed,
    ] {
        let problem = create(&app.api, body)
            .await
            .assert_error(400, "invalid_request");
        assert!(
            problem["detail"].as_str().unwrap().starts_with("The body"),
            "{problem}"
        );
    }
    for body in [
        &b"{\"name\":\"\xff\",\"volume\":\"user\"}"[..],
        b"\xff\xfe{\0}\0",
        b"\0",
    ] {
        create(&app.api, body)
            .await
            .assert_error(400, "invalid_request");
    }
    assert_eq!(app.redis.keys(), [""; 0]);
}

#[tokio::test]
async fn session_fields_over_their_limits_are_rejected() {
    let app = TestApp::start().await;
    let with = |field: &str, value: Value| {
        let mut body = json!({"name": "x", "volume": "user"});
        body[field] = value;
        body
    };
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({"a": inner}));

    for (field, value) in [
        ("name", json!("")),
        ("name", json!(" \t ")),
        ("name", json!("x".repeat(201))),
        ("name", json!("a\nb")),
        ("name", json!("a\u{0}b")),
        ("name", json!("a\u{85}b")),
        ("name", json!(5)),
        ("name", json!(["x"])),
        ("volume", json!("USER")),
        ("volume", json!("")),
        ("volume", json!({"user": null})),
        ("volume", Value::Null),
        ("initial_message", json!("")),
        ("initial_message", json!("x".repeat(256 * 1024 + 1))),
        ("initial_message", json!("a\u{0}")),
        ("initial_message", json!({"role": "user", "content": "x"})),
        ("metadata", json!([])),
        ("metadata", json!("text")),
        ("metadata", json!({"a": "x".repeat(16 * 1024)})),
        ("metadata", nested(9)),
        ("metadata", json!({"a\u{0}": 1})),
    ] {
        app.api
            .post("/api/sessions", &with(field, value))
            .await
            .assert_invalid(field);
    }
    let without_volume = json!({"name": "x"});
    let rejected = app.api.post("/api/sessions", &without_volume).await;
    rejected.assert_invalid("volume");
    create(&app.api, "").await.assert_invalid("volume");
    assert_eq!(app.redis.keys(), [""; 0]);

    for (field, value) in [
        ("name", json!("日".repeat(200))),
        ("name", json!("'; DROP TABLE sessions; -- <script>")),
        ("initial_message", json!("é".repeat(128 * 1024))),
        ("initial_message", Value::Null),
        ("metadata", json!({"a": "x".repeat(16 * 1024 - 8)})),
        ("metadata", nested(8)),
        ("metadata", Value::Null),
    ] {
        app.api
            .post("/api/sessions", &with(field, value))
            .await
            .assert_status(201);
    }
    app.api
        .post("/api/sessions", &with("unknown", json!({"is": "rejected"})))
        .await
        .assert_invalid("unknown");
}

#[tokio::test]
async fn message_fields_over_their_limits_are_rejected() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let with = |field: &str, value: Value| {
        let mut body = json!({"role": "user", "content": "x"});
        body[field] = value;
        body
    };

    for (field, value) in [
        ("role", json!("root")),
        ("role", Value::Null),
        ("content", json!("")),
        ("content", json!(5)),
        ("content", json!("x".repeat(256 * 1024 + 1))),
        ("content", json!("a\u{0}b")),
        ("timestamp", json!("yesterday")),
        ("timestamp", json!("2025-12-14")),
        ("timestamp", json!("2025-02-30T10:00:00Z")),
        ("timestamp", json!(1_765_706_400)),
        ("timestamp", json!("0000-01-01T00:00:00+23:59")),
        ("timestamp", json!("9999-12-31T23:59:59-23:59")),
        ("traces", json!(["\u{0}"])),
        ("artifacts", json!({"\u{0}": 1})),
    ] {
        app.api
            .post(&path, &with(field, value.clone()))
            .await
            .assert_invalid(field);
        let batch = json!({"messages": [with("content", json!("fine")), with(field, value)]});
        app.api
            .post(&path, &batch)
            .await
            .assert_invalid(&format!("messages[1].{field}"));
    }
    app.api
        .post(&path, &json!({"content": "x"}))
        .await
        .assert_invalid("role");
    app.api
        .post(&path, &json!({"messages": [{"role": "user"}]}))
        .await
        .assert_invalid("messages[0].content");
    app.api
        .post(&path, &json!({"messages": {}}))
        .await
        .assert_invalid("messages");
    assert_eq!(app.api.get(&path).await.json()["messages"], json!([]));

    for role in ["user", "assistant", "system", "tool"] {
        app.api
            .post(&path, &with("role", json!(role)))
            .await
            .assert_status(200);
    }
    app.api
        .post(&path, &with("content", json!("x".repeat(256 * 1024))))
        .await
        .assert_status(200);
    // An escaped backslash followed by `u0000` is not a NUL.
    app.api
        .post(&path, &with("content", json!("\\u0000")))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn bodies_of_another_content_type_or_size_are_rejected() {
    let app = TestApp::shared().await;
    let body = br#"{"name":"x","volume":"user"}"#;

    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "application/jsonp",
    ] {
        let api = app.api.with_header("content-type", content_type);
        let refused = api.send(Method::POST, "/api/sessions", body.to_vec()).await;
        refused.assert_error(415, "unsupported_media_type");
    }
    let untyped = app
        .api
        .send(Method::POST, "/api/sessions", body.to_vec())
        .await;
    untyped.assert_error(415, "unsupported_media_type");
    let encoded = app.api.with_header("content-encoding", "gzip");
    create(&encoded, body)
        .await
        .assert_error(415, "unsupported_media_type");
    for content_type in [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/merge-patch+json",
    ] {
        let api = app.api.with_header("content-type", content_type);
        api.send(Method::POST, "/api/sessions", body.to_vec())
            .await
            .assert_status(201);
    }
    let large = format!(
        r#"{{"name":"x","volume":"user"{}}}"#,
        " ".repeat(4 * 1024 * 1024)
    );
    create(&app.api, large)
        .await
        .assert_error(413, "payload_too_large");
    let almost = format!(
        r#"{{"name":"x","volume":"user"{}}}"#,
        " ".repeat(4 * 1024 * 1024 - 100)
    );
    create(&app.api, almost).await.assert_status(201);
}

#[tokio::test]
async fn volume_ids_cannot_reach_other_keys() {
    let app = TestApp::start().await;
    let body = json!({"name": "x", "volume": "user"});

    for volume_id in [
        "a:b",
        "..",
        ".",
        "a%2Fb",
        "%00",
        "a%0Ab",
        "%C3%A9",
        &"x".repeat(129),
        "a%20b",
        "*",
        "%7Ball%7D",
    ] {
        let path = format!("/api/sessions?volume_id={volume_id}");
        app.api.post(&path, &body).await.assert_invalid("volume_id");
        app.api
            .get(&format!("{path}&volume=user"))
            .await
            .assert_invalid("volume_id");
    }
    assert_eq!(app.redis.keys(), [""; 0]);
}

#[tokio::test]
async fn oversized_request_heads_are_rejected_and_the_process_continues() {
    let app = TestApp::start().await;
    let (_process, api) = Process::function(
        env!("CARGO_BIN_EXE_sessions"),
        &[("REDIS_URL", &app.redis.url())],
    )
    .await;
    let megabyte = "x".repeat(1024 * 1024);

    for head in [
        format!("GET /api/sessions?cursor={megabyte} HTTP/1.1\r\nhost: x\r\n\r\n"),
        format!("GET /api/sessions HTTP/1.1\r\nhost: x\r\nx-long: {megabyte}\r\n\r\n"),
    ] {
        let answer = send_raw(api.address(), head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer:.100}");
    }
    api.get("/api/sessions").await.assert_status(200);
}

#[tokio::test]
async fn interrupted_body_stores_nothing() {
    let app = TestApp::start().await;
    let (_process, api) = Process::function(
        env!("CARGO_BIN_EXE_sessions"),
        &[("REDIS_URL", &app.redis.url())],
    )
    .await;
    let request = "POST /api/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"name\":\"x\",\"volume\":\"user\"}";
    let answer = send_raw(api.address(), request.as_bytes()).await;

    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    assert_eq!(app.redis.keys(), [""; 0]);
    api.get("/api/sessions").await.assert_status(200);
}

/// Sends bytes, closes the sending side and returns everything until the server closes the connection.
async fn send_raw(address: &str, bytes: &[u8]) -> String {
    let connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = connection.into_split();
    let mut answer = String::new();
    // The server may answer and close before it has read everything, so both halves may fail.
    let writing = async {
        let _ = writer.write_all(bytes).await;
        let _ = writer.shutdown().await;
    };
    let (_, _) = tokio::join!(writing, reader.read_to_string(&mut answer));
    answer
}
