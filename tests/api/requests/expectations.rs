//! `Expect`: a body that is too large is refused before the client sends it, on functions and on the local server.

use axum::http::Method;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{operations, without_storage};
use crate::support::{BlobServer, Client, Process};

/// The largest body, in bytes.
const LIMIT: usize = 4 * 1024 * 1024;

/// Sends the head of a request that waits for `100 Continue`, and returns the first line of the response.
async fn first_line(api: &Client, method: &Method, path: &str, length: usize) -> String {
    let mut stream = TcpStream::connect(api.address()).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    while !response.contains(&b'\n') {
        let read = stream.read_buf(&mut response).await.unwrap();
        assert!(read > 0, "{method} {path}: the connection closed");
    }
    let text = String::from_utf8_lossy(&response);
    text.lines().next().unwrap().trim().to_owned()
}

async fn check_all(api: &Client, prefixes: &[&str]) {
    let mut count = 0;
    for operation in operations() {
        let is_served = |prefix: &&str| operation.path.starts_with(prefix);
        if !prefixes.iter().any(is_served) {
            continue;
        }
        count += 1;
        let line = first_line(api, &operation.method, &operation.path, LIMIT + 1).await;
        let what = format!("{} {}", operation.method, operation.path);
        assert_eq!(line, "HTTP/1.1 413 Payload Too Large", "{what}");
    }
    assert!(count > 0);
}

#[tokio::test]
async fn oversized_body_is_rejected_before_it_is_sent_to_a_function() {
    let store = BlobServer::start().await;
    let environment = [
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
        ("VERCEL_BLOB_API_URL", &*store.api_url()),
    ];
    for (program, prefixes) in [
        (env!("CARGO_BIN_EXE_sessions"), &["/api/sessions"][..]),
        (env!("CARGO_BIN_EXE_skills"), &["/api/skills"]),
        (env!("CARGO_BIN_EXE_files"), &["/api/files"]),
        (env!("CARGO_BIN_EXE_health"), &["/api/health", "/api/me"]),
    ] {
        let (_process, api) = Process::function(program, &environment).await;
        check_all(&api, prefixes).await;
    }
}

#[tokio::test]
async fn oversized_body_is_rejected_before_it_is_sent_to_the_local_server() {
    let directory = TempDir::new().unwrap();
    let (_server, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();
    check_all(&api, &["/api/"]).await;

    let allowed = first_line(&api, &Method::PUT, "/api/files/x", LIMIT).await;
    assert_eq!(allowed, "HTTP/1.1 100 Continue");
    let allowed = first_line(&api, &Method::POST, "/api/sessions", LIMIT).await;
    assert_eq!(allowed, "HTTP/1.1 100 Continue");
    let unknown = first_line(&api, &Method::POST, "/api/nothing", LIMIT + 1).await;
    assert_eq!(unknown, "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn expectation_other_than_100_continue_is_417() {
    let api = without_storage().with_header("content-type", "application/json");
    for operation in operations() {
        for expectation in ["200-ok", "100-continue, x", ""] {
            let client = api.with_header("expect", expectation);
            let method = operation.method.clone();
            let response = client.send(method, &operation.path, b"{}".to_vec()).await;
            let response = response.assert_status(417);
            if operation.method != Method::HEAD {
                response.assert_error(417, "expectation_failed");
            }
        }
    }
}
