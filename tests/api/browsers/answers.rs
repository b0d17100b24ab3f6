//! Headers for browsers and caches on every response.

use axum::http::Method;
use llmos::config::Config;
use serde_json::json;

use super::{EVIL, OURS, allowing, from, with_key};
use crate::support::{Client, Response, SkillsApp, blob_config, config, in_process};

/// Checks for `nosniff` and `no-store`.
#[track_caller]
fn check(response: &Response, status: u16) {
    check_cached(response, status, "no-store");
}

/// Checks for `nosniff` and this `Cache-Control`.
#[track_caller]
fn check_cached(response: &Response, status: u16, cache_control: &str) {
    assert_eq!(response.status, status, "{response:?}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", cache_control),
    ] {
        let values: Vec<_> = response.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name} of {response:?}");
    }
}

#[tokio::test]
async fn api_responses_have_nosniff_and_no_store() {
    let app = SkillsApp::start().await;
    let api = &app.api;

    let body = json!({"name": "x", "volume": "user"});
    let created = api.post("/api/sessions", &body).await;
    check(&created, 201);
    let path = created.header("location").unwrap();
    let tag = created.header("etag").unwrap();
    let known = api.with_header("if-none-match", tag);
    check(&api.get(path).await, 200);
    check(&known.get(path).await, 304);
    check(&api.get("/api/sessions").await, 200);
    check(&api.get("/api/skills").await, 200);
    check(&api.get("/api/health").await, 200);

    check(&api.get("/api/sessions/x").await, 404);
    check(&api.get("/api/nothing").await, 404);
    check(&api.get("/").await, 404);
    check(&api.delete("/api/sessions").await, 405);
    check(
        &api.send(Method::OPTIONS, "/api/sessions", Vec::new()).await,
        405,
    );
    check(&api.post("/api/sessions", &json!({})).await, 422);
    check(
        &api.send_json(Method::POST, "/api/sessions", "{").await,
        400,
    );
    let text = b"x".to_vec();
    check(&api.send(Method::POST, "/api/sessions", text).await, 415);
    check(
        &api.with_header("if-match", "\"x\"").delete(path).await,
        412,
    );
    check(&api.delete(path).await, 200);
}

#[tokio::test]
async fn file_responses_have_nosniff_and_a_cache_policy() {
    let app = SkillsApp::start().await;
    let page = b"<script>alert(1)</script>".to_vec();
    let html = app.api.with_header("content-type", "text/html");
    check(
        &html.send(Method::PUT, "/api/files/a.html", page).await,
        200,
    );

    let found = app.api.get("/api/files/a.html").await;
    check_cached(&found, 200, "private, no-cache");
    assert!(found.header("content-security-policy").is_some());
    let tag = found.header("etag").unwrap();
    let known = app.api.with_header("if-none-match", tag);
    let known = known.get("/api/files/a.html").await;
    check_cached(&known, 304, "private, no-cache");
    let part = app.api.with_header("range", "bytes=0-3");
    let part = part.get("/api/files/a.html").await;
    check_cached(&part, 206, "private, no-cache");
    let beyond = app.api.with_header("range", "bytes=1000-");
    check(&beyond.get("/api/files/a.html").await, 416);
    let head = app.api.send(Method::HEAD, "/api/files/a.html", Vec::new());
    check_cached(&head.await, 200, "private, no-cache");
    check(&app.api.get("/api/files").await, 200);
    check(&app.api.get("/api/files/b.html").await, 404);
}

/// Requests a file in each way, and checks the policy of each response.
async fn check_policy(api: &Client, path: &str, policy: &str) {
    let found = api.get(path).await;
    let tag = found.header("etag").unwrap().to_owned();
    for (response, status) in [
        (found, 200),
        (api.send(Method::HEAD, path, Vec::new()).await, 200),
        (api.with_header("range", "bytes=0-1").get(path).await, 206),
        (api.with_header("if-none-match", &tag).get(path).await, 304),
        (
            api.with_header("if-none-match", &tag)
                .send(Method::HEAD, path, Vec::new())
                .await,
            304,
        ),
    ] {
        assert_eq!(response.status, status, "{response:?}");
        let values: Vec<_> = response
            .headers
            .get_all("cross-origin-resource-policy")
            .iter()
            .collect();
        assert_eq!(values, [policy], "{response:?}");
    }
}

#[tokio::test]
async fn file_can_be_shown_by_pages_that_cors_allows() {
    let app = SkillsApp::start().await;
    let put = app.api.with_header("content-type", "image/png");
    let put = put
        .send(Method::PUT, "/api/files/a.png", b"png".to_vec())
        .await;
    put.assert_status(200);
    let open = |origins: &[&str]| {
        let config = Config {
            blob: blob_config(&app.blobs),
            ..config(&app.redis.url())
        };
        in_process(allowing(config, origins))
    };
    let (closed, allowed) = (open(&[]), open(&[OURS]));
    let link = async |api: &Client| {
        let link = api.post("/api/files/link", &json!({"path": "a.png"})).await;
        link.assert_status(200).json()["url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let path = "/api/files/a.png";
    let page = |origin: &str| format!("{origin}/page");

    // An `<img>` sends no `Origin`, and a `Referer` unless the page forbids it.
    let shown_by = |api: &Client, origin: &str| {
        api.with_header("referer", page(origin))
            .with_header("sec-fetch-site", "cross-site")
    };
    for origin in [OURS, EVIL] {
        check_policy(&shown_by(&closed, origin), path, "same-origin").await;
        check_policy(
            &shown_by(&closed, origin),
            &link(&closed).await,
            "same-origin",
        )
        .await;
        // Every page that has a link may show the file.
        check_policy(
            &shown_by(&allowed, origin),
            &link(&allowed).await,
            "cross-origin",
        )
        .await;
    }
    let hidden = allowed.with_header("sec-fetch-site", "cross-site");
    check_policy(&hidden, &link(&allowed).await, "cross-origin").await;
    check_policy(&allowed, &link(&allowed).await, "cross-origin").await;
    check_policy(&allowed, path, "cross-origin").await;
    check_policy(&shown_by(&allowed, OURS), path, "cross-origin").await;
    check_policy(&from(&allowed, OURS), path, "cross-origin").await;
    check_policy(&shown_by(&allowed, EVIL), path, "same-origin").await;
    check_policy(&from(&allowed, EVIL), path, "same-origin").await;
    check_policy(&hidden, path, "same-origin").await;

    // Pages cannot show other responses.
    for path in ["/api/files", "/api/sessions", "/api/files/missing"] {
        let response = from(&allowed, OURS).get(path).await;
        let policy = response.header("cross-origin-resource-policy");
        assert_eq!(policy, Some("same-origin"), "{response:?}");
    }
}

#[tokio::test]
async fn error_responses_have_nosniff_and_no_store() {
    let mut app = SkillsApp::start().await;
    let (closed, key) = with_key(config(&app.redis.url()));
    let closed = in_process(closed);
    check(&closed.get("/api/sessions").await, 401);
    app.redis.kill();
    let closed = closed.with_header("authorization", format!("Bearer {key}"));
    check(&closed.get("/api/sessions").await, 503);
    check(&closed.get("/api/health").await, 503);
}
