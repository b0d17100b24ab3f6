//! Chromium: cross-origin pages against a deployment, and our own pages under their Content-Security-Policy.

use std::path::Path;

use axum::Router;
use axum::http::Method;
use axum::response::Html;
use axum::routing::get;
use llmos::auth::new_key;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::{BlobServer, Client, Process, Redis, run_script};

const SESSIONS: &str = env!("CARGO_BIN_EXE_sessions");

/// Opens a page in Chromium and returns what it showed and could read; see `browser_page.mjs`.
async fn open(url: &str, calls: &Value) -> Value {
    let seen = run_script("blob/browser_page.mjs", &[url, &calls.to_string()], &[]).await;
    serde_json::from_str(&seen).unwrap()
}

/// Opens a page in Chromium, adds an image to it, and returns whether the page shows it as `image`.
async fn open_with_image(url: &str, image: &str) -> Value {
    let seen = run_script("blob/browser_page.mjs", &[url, "[]", image], &[]).await;
    serde_json::from_str(&seen).unwrap()
}

/// Serves an empty page and returns its origin.
async fn page_elsewhere() -> (JoinHandle<()>, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let page = Html("<!doctype html><title>Elsewhere</title><link rel=icon href=data:,>");
    let router = Router::new().route("/", get(async move || page));
    let serve = async move { axum::serve(listener, router).await.unwrap() };
    (tokio::spawn(serve), origin)
}

/// Starts a deployment with an optional allowed origin and returns the key that it accepts.
async fn deployment(redis: &Redis, origin: Option<&str>) -> (Process, Client, String) {
    let (key, entry) = new_key("page", "user/alice").unwrap();
    let url = redis.url();
    let mut environment = vec![("REDIS_URL", &*url), ("API_KEYS", &*entry)];
    environment.extend(origin.map(|origin| ("CORS_ALLOWED_ORIGINS", origin)));
    let (process, api) = Process::function(SESSIONS, &environment).await;
    (process, api, key)
}

/// Returns the calls of a page: create, get, conditional update, and one without a key.
fn calls(api: &Client, key: &str) -> Value {
    let url = format!("http://{}/api/sessions", api.address());
    let authorization = format!("Bearer {key}");
    let new = json!({"name": "x", "volume": "user", "volume_id": "alice"}).to_string();
    json!([
        [url, {"method": "POST", "body": new, "headers": {
            "authorization": authorization, "content-type": "application/json", "idempotency-key": "page-1",
        }}],
        [url, {"headers": {"authorization": authorization}}],
        [format!("{url}/none"), {"method": "DELETE", "headers": {
            "authorization": authorization, "if-match": "\"x\"",
        }}],
        [url, {}],
    ])
}

#[tokio::test]
async fn page_of_an_allowed_origin_calls_a_deployment_and_reads_responses() {
    let redis = Redis::start().await;
    let (_page, origin) = page_elsewhere().await;
    let (_process, api, key) = deployment(&redis, Some(&origin)).await;

    let seen = open(&origin, &calls(&api, &key)).await;

    let statuses: Vec<_> = (0..4)
        .map(|call| &seen["answers"][call]["status"])
        .collect();
    assert_eq!(statuses, [201, 200, 404, 401], "{seen}");
    let created = &seen["answers"][0];
    let session: Value = serde_json::from_str(created["body"].as_str().unwrap()).unwrap();
    let path = format!("/api/sessions/{}", session["id"].as_str().unwrap());
    assert_eq!(created["headers"]["location"], path, "{seen}");
    assert!(created["headers"]["etag"].is_string(), "{seen}");
    for call in 0..4 {
        let headers = &seen["answers"][call]["headers"];
        assert!(headers["x-request-id"].is_string(), "{seen}");
        assert!(headers["server-timing"].is_string(), "{seen}");
    }
    let refused = &seen["answers"][3]["headers"];
    assert_eq!(refused["www-authenticate"], r#"Bearer realm="llmos""#);
    let list: Value = serde_json::from_str(seen["answers"][1]["body"].as_str().unwrap()).unwrap();
    assert_eq!(list["sessions"][0]["id"], session["id"], "{seen}");
}

#[tokio::test]
async fn page_of_another_origin_cannot_read_or_change_anything() {
    let redis = Redis::start().await;
    let (_page, origin) = page_elsewhere().await;
    let (_process, api, key) = deployment(&redis, None).await;
    let (_other, origin_of_another) = page_elsewhere().await;
    let (_process, other, other_key) = deployment(&redis, Some(&origin_of_another)).await;

    for (api, key) in [(api, key), (other, other_key)] {
        let seen = open(&origin, &calls(&api, &key)).await;
        for call in 0..4 {
            let answer = &seen["answers"][call];
            assert_eq!(*answer, json!({"error": "Failed to fetch"}), "{seen}");
        }
        assert_eq!(redis.command::<u64>(&["SCARD", "all:sessions"]), 0);
    }
}

/// A GIF of one pixel.
const IMAGE: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

#[tokio::test]
async fn image_of_a_link_is_shown_by_a_page_of_an_allowed_origin() {
    let (redis, blobs) = (Redis::start().await, BlobServer::start().await);
    let (_page, origin) = page_elsewhere().await;
    let (key, entry) = new_key("page", "user/alice").unwrap();
    for (allowed, is_shown) in [(Some(&origin), true), (None, false)] {
        let (redis_url, api_url, content_url) = (redis.url(), blobs.api_url(), blobs.content_url());
        let mut environment = vec![
            ("REDIS_URL", &*redis_url),
            ("API_KEYS", &*entry),
            ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
            ("VERCEL_BLOB_API_URL", &*api_url),
            ("BLOB_CONTENT_URL", &*content_url),
        ];
        environment.extend(allowed.map(|origin| ("CORS_ALLOWED_ORIGINS", &**origin)));
        let (_process, api) = Process::function(env!("CARGO_BIN_EXE_files"), &environment).await;
        let alice = api.with_header("authorization", format!("Bearer {key}"));
        let put = alice.with_header("content-type", "image/gif");
        put.send(Method::PUT, "/api/files/a.gif", IMAGE.to_vec())
            .await
            .assert_status(200);
        let link = alice
            .post("/api/files/link", &json!({"path": "a.gif"}))
            .await;
        let link = link.assert_status(200).json();
        let url = format!("http://{}{}", api.address(), link["url"].as_str().unwrap());

        let seen = open_with_image(&origin, &url).await;

        assert_eq!(seen["image"], is_shown, "{seen}");
    }
}

/// Starts the local server with our pages; it serves `public/` of its working directory.
async fn local_server(directory: &Path) -> (Process, String) {
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("public");
    std::os::unix::fs::symlink(public, directory.join("public")).unwrap();
    let (process, api) = Process::local_server(directory, &[]).await;
    let base = format!("http://{}", api.unwrap().address());
    (process, base)
}

#[tokio::test]
async fn cross_site_form_post_to_the_local_server_is_rejected() {
    let directory = TempDir::new().unwrap();
    let (_process, base) = local_server(directory.path()).await;
    let (_page, origin) = page_elsewhere().await;
    let session = r#"{"name":"evil","volume":"user"}"#;
    let skill = "---\nname: evil\ndescription: x\n---\n";
    let form = |body: &str| json!({"method": "POST", "mode": "no-cors", "body": body});
    let calls = json!([
        [format!("{base}/api/sessions"), form(session)],
        [format!("{base}/api/skills"), form(skill)],
    ]);

    let seen = open(&origin, &calls).await;

    for call in 0..2 {
        // The request was sent, and the response policy hides even its length from the page.
        let answer = &seen["answers"][call];
        assert_eq!(*answer, json!({"error": "Failed to fetch"}), "{seen}");
    }
    let api = Client::http(base);
    for (path, name) in [
        ("/api/sessions", "sessions"),
        ("/api/skills?volume=user", "skills"),
    ] {
        let all = api.get(path).await.assert_status(200).json();
        assert_eq!(all[name], json!([]), "{path}");
    }
}

#[tokio::test]
async fn dns_rebinding_page_cannot_read_the_local_server() {
    let directory = TempDir::new().unwrap();
    let (_process, base) = local_server(directory.path()).await;
    let api = Client::http(&*base);
    let session = api.session("x").await;
    let port = base.rsplit_once(':').unwrap().1;
    let as_here = json!({"x-forwarded-host": format!("127.0.0.1:{port}")});
    let path = session.path();
    let calls = json!([
        [path, {}],
        [path, {"headers": as_here}],
        [path, {"method": "DELETE"}],
        [path, {"method": "DELETE", "headers": as_here}],
        ["/_blob", {"headers": {"authorization": format!("Bearer {}", BlobServer::TOKEN)}}],
    ]);

    let seen = open(&format!("http://evil.example:{port}/"), &calls).await;

    assert_eq!(seen["status"], 200, "{seen}");
    for call in 0..5 {
        assert_eq!(seen["answers"][call]["status"], 403, "{call}: {seen}");
    }
    api.get(&path).await.assert_status(200);
}

/// Opens one of our pages and checks that it works and that its policy blocks other hosts.
async fn open_ours(url: &str) -> Value {
    let elsewhere = json!([["http://localhost:1/", {"mode": "no-cors"}]]);
    let seen = open(url, &elsewhere).await;
    assert_eq!(seen["status"], 200, "{seen}");
    assert_eq!(seen["violations"], json!([]), "{seen}");
    assert_eq!(seen["errors"], json!([]), "{seen}");
    assert_eq!(seen["provoked"]["ran"], false, "{seen}");
    let violations = &seen["provoked"]["violations"];
    let expected = [
        "connect-src: http://localhost:1/",
        "script-src-elem: inline",
    ];
    assert_eq!(*violations, json!(expected), "{seen}");
    seen
}

#[tokio::test]
async fn first_page_works_under_its_content_security_policy() {
    let directory = TempDir::new().unwrap();
    let (_process, base) = local_server(directory.path()).await;
    let seen = open_ours(&format!("{base}/")).await;
    let text = seen["text"].as_str().unwrap();
    for shown in ["Redis: OK", "Blob: OK", &*base] {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
}

#[tokio::test]
async fn api_reference_shows_every_operation_under_its_content_security_policy() {
    let directory = TempDir::new().unwrap();
    let (_process, base) = local_server(directory.path()).await;
    let seen = open_ours(&format!("{base}/docs/")).await;
    let description = Client::http(&*base).get("/openapi.json").await;
    let description = description.assert_status(200).json();
    let ids = seen["ids"].as_array().unwrap();
    let paths = description["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let names = operations.filter_map(|operation| operation.get("operationId"));
    let names: Vec<_> = names.collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(ids.contains(name), "{name} is not in {ids:?}");
    }
}
