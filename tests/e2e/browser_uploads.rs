//! Direct uploads from Chromium to the store.

use std::fs;

use axum::http::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Process, run_script};

const PATHNAME: &str = "volumes/user/default/files/big.bin";
const SIZE: usize = 20 * 1024 * 1024;

/// Uploads a file with `upload()` in Chromium and reads it back.
async fn check_browser_upload(multipart: bool) {
    let directory = TempDir::new().unwrap();
    let public = directory.path().join("public");
    fs::create_dir(&public).unwrap();
    let content = noise(SIZE);
    fs::write(public.join("big.bin"), &content).unwrap();
    // An address that refuses connections: files need no Redis.
    let environment = [("REDIS_URL", "redis://127.0.0.1:1")];
    let (_server, api) = Process::local_server(directory.path(), &environment).await;
    let api = api.unwrap();

    // The client streams requests to every host but localhost, and browsers can do that over HTTP/2 only.
    let port = api.address().rsplit_once(':').unwrap().1;
    let base = format!("http://localhost:{port}");
    let arguments = [
        &*base,
        public.to_str().unwrap(),
        PATHNAME,
        &multipart.to_string(),
    ];
    let sent = run_script("blob/browser_upload.mjs", &arguments, &[]).await;
    let sent: Value = serde_json::from_str(&sent).unwrap();

    assert_eq!(sent["uploaded"]["pathname"], PATHNAME, "{sent}");
    let progress = sent["progress"].as_array().unwrap();
    assert!(!progress.is_empty(), "{sent}");
    assert_eq!(progress.last().unwrap()["percentage"], 100, "{sent}");
    assert_eq!(progress.last().unwrap()["loaded"], SIZE, "{sent}");
    let found = api.get("/api/files/big.bin").await.assert_status(200);
    assert!(found.body == content, "other bytes came back");
    assert_eq!(
        found.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(found.header("etag"), sent["uploaded"]["etag"].as_str());
    let head = api
        .send(Method::HEAD, "/api/files/big.bin", Vec::new())
        .await;
    assert_eq!(head.header("content-length"), Some(&*SIZE.to_string()));
}

/// Returns pseudo-random bytes, the same each time.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    });
    next.flat_map(u64::to_le_bytes).take(size).collect()
}

#[tokio::test]
async fn browser_uploads_twenty_megabytes_in_one_request() {
    check_browser_upload(false).await;
}

#[tokio::test]
async fn browser_uploads_twenty_megabytes_in_parts() {
    check_browser_upload(true).await;
}
