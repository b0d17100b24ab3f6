//! CORS: allowed origins, preflights, and readable errors.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use super::{EVIL, OURS, allowing, from, list, with_key};
use crate::support::{Client, Redis, Response, TestApp, config, in_process};

/// Sends the preflight of a browser.
async fn ask(api: &Client, origin: &str, method: &'static str, path: &str) -> Response {
    let api = from(api, origin)
        .with_header("access-control-request-method", method)
        .with_header("access-control-request-headers", "authorization");
    api.send(Method::OPTIONS, path, Vec::new()).await
}

/// Checks that the response has no CORS headers.
#[track_caller]
fn assert_silent(response: &Response) {
    let mut names = response.headers.keys().map(|name| name.as_str());
    assert!(
        !names.any(|name| name.starts_with("access-control-")),
        "{response:?}"
    );
}

/// Checks that a page of this origin can read the response and that caches keep it per origin.
#[track_caller]
fn assert_readable(response: &Response, origin: &str) {
    let allowed = response.header("access-control-allow-origin");
    assert_eq!(allowed, Some(origin), "{response:?}");
    assert_not_for_all(response);
    assert_eq!(
        list(response, "access-control-expose-headers"),
        [
            "accept-ranges",
            "allow",
            "content-disposition",
            "content-range",
            "etag",
            "idempotency-replayed",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "server-timing",
            "www-authenticate",
            "x-llmos-replayed",
            "x-llmos-storage",
            "x-request-id",
        ]
    );
}

#[track_caller]
fn assert_not_for_all(response: &Response) {
    assert!(list(response, "vary").contains(&"origin".to_owned()));
    assert_eq!(response.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn no_cors_headers_are_sent_without_allowed_origins() {
    let app = TestApp::start().await;
    let (closed, key) = with_key(config(&app.redis.url()));
    let authorization = format!("Bearer {key}");
    let closed = in_process(closed).with_header("authorization", authorization);
    for api in [&app.api, &closed] {
        for origin in [EVIL, "null", "http://localhost:5173"] {
            let page = from(api, origin);
            assert_silent(&page.get("/api/sessions").await.assert_status(200));
            assert_silent(&page.get("/api/health").await.assert_status(200));
            assert_silent(&page.get("/api/sessions/x").await.assert_status(404));
            for path in ["/api/sessions", "/api/skills/x", "/api/health"] {
                let answer = ask(api, origin, "POST", path).await;
                assert_silent(&answer);
                answer.assert_error(405, "method_not_allowed");
            }
        }
    }
}

#[tokio::test]
async fn preflight_needs_no_storage_and_no_credentials() {
    let mut redis = Redis::start().await;
    let (config, _) = with_key(allowing(config(&redis.url()), &[OURS]));
    let api = in_process(config);
    redis.kill();
    for path in [
        "/api/sessions",
        "/api/sessions/x/messages",
        "/api/skills",
        "/api/files/a/b.txt",
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = ask(&api, OURS, method, path).await;
            assert!(answer.status.is_success(), "{answer:?}");
            assert!(answer.elapsed < Duration::from_secs(1), "{answer:?}");
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, Some(OURS));
            assert_eq!(
                list(&answer, "access-control-allow-methods"),
                ["delete", "get", "head", "patch", "post", "put"]
            );
            assert_eq!(
                list(&answer, "access-control-allow-headers"),
                ["authorization"]
            );
            assert_eq!(answer.header("access-control-max-age"), Some("7200"));
            assert_not_for_all(&answer);
        }
    }
}

#[tokio::test]
async fn preflight_of_an_allowed_origin_allows_the_headers_that_it_asks_for() {
    let redis = Redis::start().await;
    let api = in_process(allowing(config(&redis.url()), &[OURS]));
    for asked in [
        "authorization,baggage,sentry-trace,traceparent,tracestate",
        "accept, authorization, content-type, idempotency-key, if-match, if-none-match, if-range, range",
        "x-datadog-trace-id, x-b3-traceid, newrelic, x-client-info",
    ] {
        for path in ["/api/sessions/x", "/api/files/a.txt"] {
            let ask = |origin: &str| {
                let api = from(&api, origin)
                    .with_header("access-control-request-method", "POST")
                    .with_header("access-control-request-headers", asked);
                async move { api.send(Method::OPTIONS, path, Vec::new()).await }
            };
            let answer = ask(OURS).await.assert_status(200);
            assert_eq!(answer.header("access-control-allow-headers"), Some(asked));
            assert_eq!(answer.header("access-control-allow-origin"), Some(OURS));
            assert!(list(&answer, "vary").contains(&"access-control-request-headers".to_owned()));
            assert_not_for_all(&answer);
            let answer = ask(EVIL).await.assert_status(200);
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    let without = from(&api, OURS).with_header("access-control-request-method", "GET");
    let answer = without
        .send(Method::OPTIONS, "/api/sessions", Vec::new())
        .await;
    assert_eq!(
        answer
            .assert_status(200)
            .header("access-control-allow-headers"),
        None
    );
}

#[tokio::test]
async fn allowed_origin_can_read_every_response_including_errors() {
    let mut redis = Redis::start().await;
    let (config, key) = with_key(allowing(config(&redis.url()), &[OURS]));
    let anonymous = from(&in_process(config), OURS);
    let api = anonymous.with_header("authorization", format!("Bearer {key}"));

    let created = api
        .post("/api/sessions", &json!({"name": "x", "volume": "user"}))
        .await
        .assert_status(201);
    assert_readable(&created, OURS);
    let path = created.header("location").unwrap();
    let tag = created.header("etag").unwrap();
    let unchanged = api.with_header("if-none-match", tag).get(path).await;
    assert_readable(&unchanged.assert_status(304), OURS);
    assert_readable(&api.get("/api/health").await.assert_status(200), OURS);

    let refused = anonymous.get("/api/sessions").await.assert_status(401);
    assert_readable(&refused, OURS);
    for path in ["/api/sessions/x", "/api/nothing"] {
        assert_readable(&api.get(path).await.assert_status(404), OURS);
    }
    let refused = api.delete("/api/sessions").await.assert_status(405);
    assert_readable(&refused, OURS);
    let refused = api.post("/api/sessions", &json!({})).await;
    assert_readable(&refused.assert_status(422), OURS);
    let refused = api.send(Method::POST, "/api/sessions", b"x".to_vec()).await;
    assert_readable(&refused.assert_status(415), OURS);
    redis.kill();
    let refused = api.get("/api/sessions").await.assert_status(503);
    assert_readable(&refused, OURS);
}

#[tokio::test]
async fn allowed_origin_can_read_a_429() {
    let redis = Redis::start().await;
    let mut config = allowing(config(&redis.url()), &[OURS]);
    config.access.rate_limit = Some(1);
    let api = from(&in_process(config), OURS);
    let first = api.get("/api/sessions").await.assert_status(200);
    assert_readable(&first, OURS);
    let second = api.get("/api/sessions").await.assert_status(429);
    assert_readable(&second, OURS);
    assert!(second.header("retry-after").is_some());
}

#[tokio::test]
async fn wildcard_origin_allows_only_subdomains() {
    let redis = Redis::start().await;
    let origins = ["https://*.example.com", "http://localhost:5173"];
    let api = in_process(allowing(config(&redis.url()), &origins));
    for origin in [
        "https://a.example.com",
        "https://a.b.example.com",
        "http://localhost:5173",
    ] {
        let answer = from(&api, origin).get("/api/sessions").await;
        assert_readable(&answer.assert_status(200), origin);
        let answer = ask(&api, origin, "DELETE", "/api/sessions/x").await;
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed, Some(origin));
    }
    for origin in [
        EVIL,
        "null",
        "*",
        "https://example.com",
        "http://a.example.com",
        "https://a.example.com:8443",
        "https://evilexample.com",
        "https://a.example.com.evil.example",
        "http://localhost:3000",
    ] {
        let read = from(&api, origin).get("/api/sessions").await;
        let unknown = from(&api, origin).get("/api/sessions/x").await;
        let asked = ask(&api, origin, "DELETE", "/api/sessions/x").await;
        for answer in [
            read.assert_status(200),
            unknown.assert_status(404),
            asked.assert_status(200),
        ] {
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, None, "{origin}");
            assert_not_for_all(&answer);
        }
    }
    // Caches must key every response by Origin.
    let answer = api.get("/api/sessions").await.assert_status(200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_not_for_all(&answer);
}

#[tokio::test]
async fn configured_origin_matches_in_the_form_that_browsers_send() {
    let app = TestApp::start().await;
    for (configured, sent) in [
        ("https://App.example.com:443/", "https://app.example.com"),
        ("tauri://localhost", "tauri://localhost"),
        ("capacitor://localhost/", "capacitor://localhost"),
        ("app://obsidian.md", "app://obsidian.md"),
        (
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        ),
    ] {
        let api = in_process(allowing(config(&app.redis.url()), &[configured]));
        let asked = ask(&api, sent, "POST", "/api/sessions").await;
        let body = json!({"name": "x", "volume": "user"});
        let created = from(&api, sent).post("/api/sessions", &body).await;
        created.assert_status(201);
        let listed = from(&api, sent).get("/api/sessions").await;
        for response in [asked, listed.assert_status(200)] {
            let allowed = response.header("access-control-allow-origin");
            assert_eq!(allowed, Some(sent), "{response:?}");
        }
        let refused = from(&api, EVIL).post("/api/sessions", &body).await;
        refused.assert_error(403, "forbidden");
    }
}

#[tokio::test]
async fn app_with_the_name_of_the_host_is_not_a_page_of_it() {
    let app = TestApp::start().await;
    let api = app.api.with_header("host", "localhost");
    let body = json!({"name": "x", "volume": "user"});
    let page = from(&api, "http://localhost");
    page.post("/api/sessions", &body).await.assert_status(201);
    let shell = from(&api, "tauri://localhost");
    let refused = shell.post("/api/sessions", &body).await;
    refused.assert_error(403, "forbidden");
}
