//! Log lines: one per request when its body has ended, and warnings of failures that do not fail the request.

use std::time::Duration;

use axum::http::Method;
use serde_json::Value;

use crate::functions::example;
use crate::support::{BlobServer, Process, Redis, ReservedPort, Runtime, read_events};

const SESSIONS: &str = env!("CARGO_BIN_EXE_sessions");
const FILES: &str = env!("CARGO_BIN_EXE_files");
const TRACE_PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// How long a line may take to be written.
const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn streamed_response_is_logged_after_its_last_byte() {
    let runtime = Runtime::start(&example("stream"), &[]).await;

    let events = read_events(runtime.get("/api/stream", 9)).await;
    runtime.wait_for("end").await;

    let log = runtime.wait_for("log").await;
    log.assert_of_request(9);
    assert!(log.received > events.last().unwrap().sent, "{log:?}");
    assert_eq!(runtime.kinds(), ["server-started", "log", "end"]);
    let line = log.log_line();
    assert_eq!(line["http.status"], 200);
    assert_eq!(line["response.complete"], true);
    assert!(line["response.bytes"].as_u64().unwrap() > 100, "{line}");
    let [head, whole] =
        ["response.head_ms", "duration_ms"].map(|field| line[field].as_f64().unwrap());
    // Five events, 200 ms apart.
    assert!(head < whole && whole >= 800.0, "{line}");
}

#[tokio::test]
async fn response_whose_client_hangs_up_is_logged_as_incomplete() {
    let runtime = Runtime::start(&example("stream"), &[]).await;

    let request = runtime.get("/api/stream?events=100000", 11);
    let mut response = request.send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    drop(response);

    runtime.wait_for("end").await;
    let line = runtime.wait_for("log").await.log_line();
    assert_eq!(line["response.complete"], false);
    assert!(
        line["response.bytes"].as_u64().unwrap() >= first.len() as u64,
        "{line}"
    );
    assert_eq!(runtime.kinds(), ["server-started", "log", "end"]);
}

#[tokio::test]
async fn response_is_logged_with_its_size_and_the_trace_of_the_caller() {
    let redis = Redis::start().await;
    let (mut process, api) = Process::function(SESSIONS, &[("REDIS_URL", &redis.url())]).await;
    let malformed = TRACE_PARENT.to_uppercase();

    let traced = api.with_header("traceparent", TRACE_PARENT);
    let found = traced.get("/api/sessions").await.assert_status(200);
    let head = traced.send(Method::HEAD, "/api/sessions", Vec::new()).await;
    let untraced = api.with_header("traceparent", malformed);
    let missing = untraced.get("/api/sessions/none").await.assert_status(404);

    assert!(process.wait_for("/api/sessions/{id} 404", LIMIT).await);
    let lines = lines(&process);
    let [first, second, third] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(first["response.bytes"], found.body.len());
    assert_eq!(first["response.complete"], true);
    assert_eq!(first["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(first["span_id"], "00f067aa0ba902b7");
    assert_eq!(head.status, 200);
    assert_eq!(second["http.method"], "HEAD");
    assert_eq!(second["response.bytes"], 0);
    assert_eq!(second["response.complete"], true);
    assert_eq!(third["response.bytes"], missing.body.len());
    assert_eq!(third["trace_id"], Value::Null);
}

#[tokio::test]
async fn rate_limit_that_cannot_be_checked_is_a_warning_once_a_minute_with_the_request_id() {
    let store = BlobServer::start().await;
    let refusing = ReservedPort::new();
    let redis_url = format!("redis://:hidden@127.0.0.1:{refusing}");
    let environment = [
        ("REDIS_URL", &*redis_url),
        ("RATE_LIMIT", "600"),
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
        ("VERCEL_BLOB_API_URL", &*store.api_url()),
        ("REQUEST_LOG", "off"),
    ];
    let (mut process, api) = Process::function(FILES, &environment).await;

    let first = api.get("/api/files").await.assert_status(200);
    let _ = api.get("/api/files").await.assert_status(200);

    assert!(
        process
            .wait_for("the rate limit cannot be checked", LIMIT)
            .await
    );
    let lines = lines(&process);
    let messages: Vec<&str> = lines
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        messages,
        [
            "a Redis command failed and is sent again",
            "the rate limit cannot be checked; the request is allowed",
        ]
    );
    for line in &lines {
        assert_eq!(line["level"], "warn");
        assert_eq!(line["request.id"].as_str(), first.header("x-request-id"));
        assert!(
            line["redis.error"].as_str().unwrap().contains("refused"),
            "{line}"
        );
    }
    assert!(!process.output().contains("hidden"), "{lines:?}");
}

/// The log lines that a process has written so far.
fn lines(process: &Process) -> Vec<Value> {
    let output = process.output();
    let lines = output.lines();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}
