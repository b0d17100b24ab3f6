//! Cross-site pages and the open local server: form posts are rejected, and so are requests for other host names
//! (DNS rebinding).

use axum::http::Method;
use serde_json::json;
use tempfile::TempDir;

use super::{EVIL, with_key};
use crate::support::{BlobServer, Client, Process, TestApp, config, in_process};

/// The content types that a form can send without a preflight, each with JSON in the body.
const FORMS: [(&str, &str); 3] = [
    ("text/plain", r#"{"name":"evil","volume":"user","x":"="}"#),
    ("application/x-www-form-urlencoded", "name=evil&volume=user"),
    (
        "multipart/form-data; boundary=b",
        "--b\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nevil\r\n--b--\r\n",
    ),
];
const DOCUMENT: &str = "---\nname: evil\ndescription: x\n---\n";

/// The requests that create something: path, content type and body.
fn writes() -> Vec<(&'static str, &'static str, &'static str)> {
    let forms = FORMS.iter();
    let mut writes: Vec<_> = forms
        .flat_map(|(kind, body)| ["/api/sessions", "/api/skills"].map(|path| (path, *kind, *body)))
        .collect();
    writes.push(("/api/skills", "text/plain", DOCUMENT));
    writes.push(("/api/skills", "text/markdown", DOCUMENT));
    let session = r#"{"name":"evil","volume":"user"}"#;
    writes.push(("/api/sessions", "application/json", session));
    writes
}

async fn assert_empty(api: &Client) {
    for (path, name) in [
        ("/api/sessions", "sessions"),
        ("/api/skills?volume=user", "skills"),
        ("/api/files?volume=user", "files"),
    ] {
        let all = api.get(path).await.assert_status(200).json();
        assert_eq!(all[name], json!([]), "{path}");
    }
}

async fn create(api: &Client, status: u16) {
    let body = json!({"name": "x", "volume": "user"});
    api.post("/api/sessions", &body).await.assert_status(status);
}

#[tokio::test]
async fn cross_site_form_posts_are_rejected() {
    let directory = TempDir::new().unwrap();
    let (_server, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();
    let port = api.address().rsplit_once(':').unwrap().1;
    let pages = [
        api.with_header("origin", EVIL),
        api.with_header("origin", "null"),
        api.with_header("origin", "http://127.0.0.1:1"),
        api.with_header("origin", format!("http://evil.example:{port}")),
        api.with_header("origin", format!("http://localhost:{port}")),
        api.with_header("origin", ""),
        api.with_header("sec-fetch-site", "cross-site"),
        api.with_header("sec-fetch-site", "same-site"),
    ];
    for page in &pages {
        for (path, kind, body) in writes() {
            let page = page.with_header("content-type", kind);
            let refused = page.send(Method::POST, path, body.into()).await;
            refused.assert_error(403, "forbidden");
        }
        let refused = page.send(Method::PUT, "/api/files/a.txt", b"x".to_vec());
        refused.await.assert_error(403, "forbidden");
    }
    assert_empty(&api).await;
}

#[tokio::test]
async fn form_post_without_an_origin_is_rejected() {
    let directory = TempDir::new().unwrap();
    let (_server, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();
    for (kind, body) in FORMS {
        for path in ["/api/sessions", "/api/skills"] {
            // A skill can be sent as a document, which is plain text.
            if (kind, path) == ("text/plain", "/api/skills") {
                continue;
            }
            let form = api.with_header("content-type", kind);
            let refused = form.send(Method::POST, path, body.into()).await;
            refused.assert_error(415, "unsupported_media_type");
        }
    }
    assert_empty(&api).await;
}

#[tokio::test]
async fn same_origin_pages_and_non_browser_clients_can_write() {
    let directory = TempDir::new().unwrap();
    let (_server, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();
    let port = api.address().rsplit_once(':').unwrap().1;
    create(&api, 201).await;
    create(&api.with_header("sec-fetch-site", "none"), 201).await;
    create(&api.with_header("sec-fetch-site", "same-origin"), 201).await;
    for host in [
        "127.0.0.1",
        "localhost",
        "LocalHost",
        "[::1]",
        "llmos.localhost",
    ] {
        let api = api.with_header("host", format!("{host}:{port}"));
        let origin = format!("http://{}:{port}", host.to_lowercase());
        create(&api.with_header("origin", origin), 201).await;
        let origin = format!("http://{}:1", host.to_lowercase());
        create(&api.with_header("origin", origin), 403).await;
    }
}

#[tokio::test]
async fn dns_rebinding_host_is_rejected() {
    let directory = TempDir::new().unwrap();
    let (_server, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();
    let evil = "evil.example:3000";
    // A page of that host controls every header, so no header may override the host check.
    let ways = [
        api.with_header("host", evil),
        api.with_header("x-forwarded-host", evil),
        api.with_header("host", evil)
            .with_header("x-forwarded-host", "localhost:3000"),
        api.with_header("x-forwarded-host", "localhost:3000")
            .with_header("x-forwarded-host", evil),
        api.with_header("host", "127.0.0.1.evil.example"),
        api.with_header("host", "localhost.evil.example"),
    ];
    for way in &ways {
        for path in ["/api/sessions", "/api/skills", "/api/files", "/api/files/a"] {
            let refused = way.get(path).await;
            refused.assert_error(403, "forbidden");
        }
        create(way, 403).await;
        create(&way.with_header("origin", format!("http://{evil}")), 403).await;
    }
    assert_empty(&api).await;
}

#[tokio::test]
async fn reserved_and_allowed_hosts_are_accepted_by_every_route() {
    let directory = TempDir::new().unwrap();
    let allowed = [("ALLOWED_HOSTS", "dev.example.com, *.Tunnel.example")];
    let (_server, api) = Process::local_server(directory.path(), &allowed).await;
    let api = api.unwrap();
    let token = format!("Bearer {}", BlobServer::TOKEN);
    for (host, is_accepted) in [
        ("llmos.local:3000", true),
        ("app.test", true),
        ("api.internal:3000", true),
        ("nas.home.arpa", true),
        ("host.docker.internal:3000", true),
        ("dev.example.com:3000", true),
        ("a.tunnel.example", true),
        ("tunnel.example", false),
        ("a.dev.example.com", false),
        ("evil.example", false),
    ] {
        let origin = format!("http://{host}");
        for name in ["host", "x-forwarded-host"] {
            let page = api.with_header(name, host);
            let page = page.with_header("origin", &*origin);
            create(&page, if is_accepted { 201 } else { 403 }).await;
        }
        let named = api
            .with_header("authorization", &*token)
            .with_header("host", host);
        let status = if is_accepted { 200 } else { 403 };
        named.get("/_blob").await.assert_status(status);
        let page = named.with_header("origin", &*origin);
        page.get("/_blob").await.assert_status(status);
        let other = named.with_header("origin", "http://other.local:3000");
        other.get("/_blob").await.assert_status(403);
    }
    let stranger = api.with_header("host", "evil.example");
    let refused = stranger.get("/api/sessions").await;
    let problem = refused.assert_error(403, "forbidden");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("ALLOWED_HOSTS"),
        "{problem}"
    );
}

#[tokio::test]
async fn origin_is_not_checked_when_credentials_are_required() {
    let app = TestApp::start().await;
    let (config, key) = with_key(config(&app.redis.url()));
    let api = in_process(config).with_header("authorization", format!("Bearer {key}"));
    for caller in [
        api.with_header("origin", EVIL),
        api.with_header("origin", "null"),
        api.with_header("sec-fetch-site", "cross-site"),
        api.with_header("host", "llmos.example.com"),
        api.with_header("x-forwarded-host", "llmos.example.com"),
    ] {
        create(&caller, 201).await;
    }
}
