//! The Blob store of the local server has a well-known token, so it accepts only this machine and its pages.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use llmos::local::blob_store::{self, BlobStore};
use tempfile::TempDir;
use tower::ServiceExt;

use super::EVIL;
use crate::support::{BlobServer, Client, Process};

const BLOB: &str = "/_blob/?pathname=a.txt";

async fn put(api: &Client) -> u16 {
    let api = api.with_header("x-vercel-blob-access", "private");
    let response = api.send(Method::PUT, BLOB, b"x".to_vec()).await;
    response.status.as_u16()
}

#[tokio::test]
async fn blob_store_rejects_pages_of_other_sites() {
    let directory = TempDir::new().unwrap();
    let (_server, api) = Process::local_server(directory.path(), &[]).await;
    let token = format!("Bearer {}", BlobServer::TOKEN);
    let api = api.unwrap().with_header("authorization", token);
    for stranger in [
        api.with_header("origin", EVIL),
        api.with_header("origin", "null"),
        api.with_header("origin", "http://localhost.evil.example"),
        api.with_header("host", "evil.example"),
        api.with_header("host", "evil.example:3000")
            .with_header("origin", "http://evil.example:3000"),
        api.with_header("host", "evil.example")
            .with_header("x-forwarded-host", "localhost"),
    ] {
        assert_eq!(put(&stranger).await, 403);
        for path in ["/_blob", "/_blob/content/a.txt"] {
            let refused = stranger.get(path).await.assert_status(403);
            assert_eq!(refused.header("access-control-allow-origin"), None);
        }
        let asked = stranger.with_header("access-control-request-method", "PUT");
        let asked = asked.send(Method::OPTIONS, BLOB, Vec::new()).await;
        let asked = asked.assert_status(403);
        assert_eq!(asked.header("access-control-allow-origin"), None);
    }
    let all = api.get("/_blob").await.assert_status(200);
    assert_eq!(all.json()["blobs"], serde_json::json!([]));
}

#[tokio::test]
async fn blob_store_accepts_pages_of_this_machine() {
    let directory = TempDir::new().unwrap();
    let (_server, api) = Process::local_server(directory.path(), &[]).await;
    let token = format!("Bearer {}", BlobServer::TOKEN);
    let api = api.unwrap().with_header("authorization", token);
    for origin in [
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
    ] {
        let page = api.with_header("origin", origin);
        let asked = page.with_header("access-control-request-method", "PUT");
        let asked = asked.send(Method::OPTIONS, BLOB, Vec::new()).await;
        let page = page.with_header("x-allow-overwrite", "1");
        assert_eq!(put(&page).await, 200, "{origin}");
        let all = page.get("/_blob").await.assert_status(200);
        for answer in [asked.assert_status(200), all] {
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, Some("*"), "{origin}");
        }
    }
}

#[tokio::test]
async fn blob_store_rejects_other_machines() {
    let directory = TempDir::new().unwrap();
    let store = BlobStore::open(directory.path(), BlobServer::TOKEN).unwrap();
    let router = blob_store::router(store);
    for (peer, status) in [
        ("127.0.0.1:4000", 200),
        ("127.1.2.3:4000", 200),
        ("[::1]:4000", 200),
        ("[::ffff:127.0.0.1]:4000", 200),
        ("192.168.0.7:4000", 403),
        ("10.0.0.1:4000", 403),
        ("[fe80::1]:4000", 403),
        ("[::ffff:192.168.0.7]:4000", 403),
        ("203.0.113.9:4000", 403),
    ] {
        let peer: SocketAddr = peer.parse().unwrap();
        let request = Request::get("/_blob")
            .header("host", "localhost:3000")
            .header("authorization", format!("Bearer {}", BlobServer::TOKEN))
            .extension(ConnectInfo(peer));
        let request = request.body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{peer}");
    }
}
