//! Behavior that all routes share: request ids, logs, errors, limits.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::routing::get;
use llmos::app::App;
use llmos::config::Config;
use llmos::http::layers::service;
use serde_json::Value;
use tower::ServiceExt;

use crate::support::{Client, Process, TestApp};

/// Routes with failures that the real routes do not have.
fn flawed() -> Client {
    let router = Router::new()
        .route(
            "/panic",
            get(|| async { panic!("with a secret") as String }),
        )
        .route(
            "/slow",
            get(|| async { tokio::time::sleep(Duration::from_secs(3600)).await }),
        )
        .route(
            "/teapot",
            get(|| async { axum::http::StatusCode::BAD_GATEWAY }),
        );
    Client::in_process(service(router, App::new(Config::default())))
}

#[tokio::test]
async fn panic_is_a_500_without_details() {
    let problem = flawed().get("/panic").await.assert_error(500, "internal");
    assert!(!problem.to_string().contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn request_over_the_time_limit_is_504() {
    let response = flawed().get("/slow").await;
    assert_eq!(response.header("retry-after"), Some("1"));
    response.assert_error(504, "timeout");
}

#[tokio::test(start_paused = true)]
async fn body_that_does_not_arrive_is_408() {
    let api = service(llmos::http::router(), App::new(Config::default()));
    let started = tokio::time::Instant::now();

    let body = Body::from_stream(futures_util::stream::pending::<
        Result<Vec<u8>, std::io::Error>,
    >());
    let request = Request::post("/api/sessions")
        .header("content-type", "application/json")
        .body(body);
    let Ok(response) = api.oneshot(request.unwrap()).await;

    assert_eq!(
        (response.status().as_u16(), started.elapsed().as_secs()),
        (408, 20)
    );
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["code"], "timeout");
}

#[tokio::test]
async fn error_without_a_body_gets_a_problem_body() {
    flawed().get("/teapot").await.assert_error(500, "internal");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_json_errors() {
    let app = TestApp::shared().await;

    for path in [
        "/",
        "/api",
        "/api/nothing",
        "/api/sessions/a/b",
        "/api/sessions/a/messages/1/2",
        "/%ff",
    ] {
        app.api.get(path).await.assert_error(404, "not_found");
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/api/sessions", "GET,HEAD,POST"),
        (Method::POST, "/api/sessions/x", "GET,HEAD,PUT,PATCH,DELETE"),
        (
            Method::PATCH,
            "/api/sessions/x/messages",
            "GET,HEAD,POST,PUT,DELETE",
        ),
        (
            Method::POST,
            "/api/sessions/x/messages/y",
            "GET,HEAD,PUT,PATCH,DELETE",
        ),
        (Method::GET, "/api/sessions/x/branch", "PUT"),
        (Method::GET, "/api/sessions/x/fork", "POST"),
        (Method::POST, "/api/health", "GET,HEAD"),
        (Method::TRACE, "/api/sessions", "GET,HEAD,POST"),
    ] {
        let response = app.api.send(method, path, Vec::new()).await;
        let mut allow: Vec<&str> = response.header("allow").unwrap().split(',').collect();
        let mut expected: Vec<&str> = allowed.split(',').collect();
        allow.sort_unstable();
        expected.sort_unstable();
        assert_eq!(allow, expected, "{path}");
        response.assert_error(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn trailing_slash_is_ignored() {
    let app = TestApp::shared().await;
    let session = app.session().await;

    for path in [
        "/api/sessions/",
        &format!("{}/", session.path()),
        &format!("{}/messages/?limit=1", session.path()),
        "/api/health/",
    ] {
        app.api.get(path).await.assert_status(200);
    }
}

#[tokio::test]
async fn head_matches_get_without_a_body() {
    let app = TestApp::shared().await;
    let session = app.session().await;

    let path = session.path();
    let head = app
        .api
        .send(Method::HEAD, &path, Vec::new())
        .await
        .assert_status(200);
    let get = app.api.get(&path).await.assert_status(200);

    assert_eq!(
        (head.header("etag"), head.body.len()),
        (get.header("etag"), 0)
    );
}

#[tokio::test]
async fn request_id_is_taken_from_a_valid_vercel_id() {
    let app = TestApp::start().await;

    let given = app
        .api
        .with_header("x-vercel-id", "fra1::abc-123")
        .get("/api/sessions")
        .await;
    assert_eq!(given.header("x-request-id"), Some("fra1::abc-123"));
    for id in ["", "a b", "é", &"x".repeat(201)] {
        let made = app
            .api
            .with_header("x-vercel-id", id)
            .get("/api/sessions/none")
            .await;
        assert!(made.header("x-request-id").unwrap().starts_with("req_"));
        made.assert_error(404, "not_found");
    }
}

#[tokio::test]
async fn warm_request_takes_one_round_trip_and_an_update_or_a_list_two() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let path = session.path();
    let change = serde_json::json!({"name": "y"});
    app.api.patch(&path, &change).await.assert_status(200);
    app.api.append(&session.id, "x").await.assert_status(200);
    app.api.get("/api/sessions").await.assert_status(200);

    assert_eq!(app.api.get("/api/sessions").await.round_trips(), 2);
    assert_eq!(app.api.get(&path).await.round_trips(), 1);
    assert_eq!(app.api.append(&session.id, "x").await.round_trips(), 1);
    assert_eq!(
        app.api.get(&format!("{path}/messages")).await.round_trips(),
        1
    );
    assert_eq!(app.api.patch(&path, &change).await.round_trips(), 2);
    assert!(app.api.delete(&path).await.round_trips() <= 2);
}

#[tokio::test]
async fn request_writes_one_log_line_without_its_content() {
    let app = TestApp::start().await;
    let (mut process, api) = Process::function(
        env!("CARGO_BIN_EXE_sessions"),
        &[("REDIS_URL", &app.redis.url())],
    )
    .await;
    let api = api.with_header("authorization", "Bearer hidden-token");

    let id = api.create_session("hidden-name").await;
    let response = api.append(&id, "hidden-content").await.assert_status(200);
    api.get("/api/sessions?cursor=hidden")
        .await
        .assert_status(400);

    assert!(
        process
            .wait_for("/api/sessions 400", Duration::from_secs(5))
            .await
    );
    let output = process.output();
    assert!(!output.contains("hidden"), "{output}");
    let lines: Vec<Value> = output
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(lines.len(), 3, "{output}");
    let line = &lines[1];
    assert_eq!(line["message"], "POST /api/sessions/{id}/messages 200");
    assert_eq!(line["request.id"].as_str(), response.header("x-request-id"));
    assert_eq!(
        (&line["http.method"], &line["http.status"]),
        (&Value::from("POST"), &Value::from(200))
    );
    assert_eq!(line["http.route"], "/api/sessions/{id}/messages");
    assert_eq!(line["redis.round_trips"], 1);
    assert!(line["duration_ms"].as_f64() >= line["redis.duration_ms"].as_f64());
}
