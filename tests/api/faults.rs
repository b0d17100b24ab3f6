//! Redis failures: the service returns 503 in time and recovers by itself.

mod connections;
mod lost_replies;
mod process;
mod redis;

use std::time::Duration;

use axum::http::Method;

use crate::support::{Client, Response};

const PERSISTENT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// Every route that needs Redis, for one session.
const ROUTES: [(Method, &str, &str); 7] = [
    (
        Method::POST,
        "/api/sessions",
        r#"{"name":"x","volume":"user"}"#,
    ),
    (Method::GET, "/api/sessions", ""),
    (Method::GET, "/api/sessions/ID", ""),
    (Method::PATCH, "/api/sessions/ID", r#"{"name":"y"}"#),
    (
        Method::POST,
        "/api/sessions/ID/messages",
        r#"{"role":"user","content":"z"}"#,
    ),
    (Method::GET, "/api/sessions/ID/messages", ""),
    (Method::DELETE, "/api/sessions/ID", ""),
];

async fn call(api: &Client, id: &str, (method, path, body): (Method, &str, &str)) -> Response {
    api.send_json(method, &path.replace("ID", id), body).await
}

/// Checks that all routes return 503 within `limit`.
async fn assert_unavailable(api: &Client, id: &str, limit: Duration) {
    for route in ROUTES {
        let response = call(api, id, route.clone()).await;
        assert!(
            response.elapsed < limit,
            "{route:?} took {:?}",
            response.elapsed
        );
        assert_eq!(response.header("retry-after"), Some("1"));
        response.assert_error(503, "storage_unavailable");
    }
}

/// Checks that all routes work again, the first of them within `limit`.
async fn assert_recovered(api: &Client, id: &str, limit: Duration) {
    for route in ROUTES {
        let is_creation = route.0 == Method::POST && !route.1.contains("ID");
        let response =
            call(api, id, route)
                .await
                .assert_status(if is_creation { 201 } else { 200 });
        assert!(response.elapsed < limit, "{:?}", response.elapsed);
    }
}
