//! The function binaries, started the way Vercel starts them.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::support::{
    BlobServer, Client, Process, Redis, Runtime, check_file_routes, check_old_ids,
    check_session_routes, check_skill_routes, read_events,
};

const SESSIONS: &str = env!("CARGO_BIN_EXE_sessions");
const SKILLS: &str = env!("CARGO_BIN_EXE_skills");
const FILES: &str = env!("CARGO_BIN_EXE_files");
const HEALTH: &str = env!("CARGO_BIN_EXE_health");

#[tokio::test]
async fn sessions_function_serves_every_route_in_two_round_trips() {
    let redis = Redis::start().await;
    let (_process, api) = sessions_on(&redis).await;

    check_session_routes(&api).await;
    check_old_ids(&api, &redis).await;
}

#[tokio::test]
async fn skills_and_files_functions_serve_only_their_own_routes() {
    let redis = Redis::start().await;
    let store = BlobServer::start().await;
    let environment = [
        ("REDIS_URL", &*redis.url()),
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
        ("VERCEL_BLOB_API_URL", &*store.api_url()),
    ];
    let (_skills, skills) = Process::function(SKILLS, &environment).await;
    let (_files, files) = Process::function(FILES, &environment).await;

    check_skill_routes(&skills).await;
    check_file_routes(&files).await;
    for api in [skills, files] {
        for path in ["/api", "/api/nothing", "/api/sessions", "/api/skillsx"] {
            api.get(path).await.assert_error(404, "not_found");
        }
    }
}

#[tokio::test]
async fn health_function_answers_unknown_routes_with_404() {
    let redis = Redis::start().await;
    let (_process, api) = Process::function(HEALTH, &[("REDIS_URL", &redis.url())]).await;

    let health = api.get("/api/health").await.assert_status(200).json();
    assert_eq!(health["redis"]["status"], "ok");
    for path in ["/api", "/api/nothing", "/api/health/more"] {
        api.get(path).await.assert_error(404, "not_found");
    }
}

#[tokio::test]
async fn reads_without_redis_url_return_samples_and_writes_name_the_variable() {
    let (_process, api) = Process::function(SESSIONS, &[]).await;

    for path in [
        "/api/sessions",
        "/api/sessions/sess_quantum_research",
        "/api/sessions/sess_quantum_research/messages",
    ] {
        let read = api.get(path).await.assert_status(200);
        assert_eq!(read.header("x-llmos-storage"), Some("samples"));
        assert_eq!(read.json()["fallback"], true);
    }
    let new = json!({"name": "Lost?", "volume": "user"});
    let created = api.post("/api/sessions", &new).await;
    let appended = api.append("sess_quantum_research", "Lost?").await;
    for refused in [created, appended] {
        assert!(refused.header("retry-after").is_some());
        let problem = refused.assert_error(503, "storage_unavailable");
        assert!(
            problem["detail"].as_str().unwrap().contains("REDIS_URL"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn log_line_reaches_the_runtime_with_its_request_id() {
    let redis = Redis::start().await;
    let runtime = Runtime::start(SESSIONS, &[("REDIS_URL", &redis.url())]).await;

    let answered = runtime.get("/api/sessions", 7).send().await.unwrap();
    let log = runtime.wait_for("log").await;
    let end = runtime.wait_for("end").await;

    assert_eq!(answered.status(), 200);
    log.assert_of_request(7);
    end.assert_of_request(7);
    assert_eq!(runtime.kinds(), ["server-started", "log", "end"]);
    assert_eq!(log.message["payload"]["level"], "info");
    let line = log.log_line();
    assert_eq!(line["message"], "GET /api/sessions 200");
    assert_eq!(
        line["request.id"],
        answered.headers()["x-request-id"].to_str().unwrap()
    );
}

#[tokio::test]
async fn streamed_request_is_reported_as_ended_after_its_last_byte() {
    let runtime = Runtime::start(&example("stream"), &[]).await;

    let events = read_events(runtime.get("/api/stream", 9)).await;
    let end = runtime.wait_for("end").await;

    // Reports and response use different sockets, so the test compares only with the time of the last event.
    let last = events.last().unwrap();
    assert!(
        end.received > last.sent,
        "ended {end:?}, last sent {last:?}"
    );
    end.assert_of_request(9);
}

#[tokio::test]
async fn streamed_request_is_reported_as_ended_when_the_client_disconnects() {
    let runtime = Runtime::start(&example("stream"), &[]).await;

    let mut response = runtime
        .get("/api/stream?events=100000", 11)
        .send()
        .await
        .unwrap();
    let first = response.chunk().await.unwrap();
    assert!(first.is_some());
    // Long enough for a report in flight to arrive.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!runtime.kinds().contains(&"end".to_owned()));
    drop(response);

    runtime.wait_for("end").await.assert_of_request(11);
}

async fn sessions_on(redis: &Redis) -> (Process, Client) {
    Process::function(SESSIONS, &[("REDIS_URL", &redis.url())]).await
}

/// Returns the path of an example, which `cargo test` builds beside the functions.
fn example(name: &str) -> String {
    let path = Path::new(SESSIONS).with_file_name("examples").join(name);
    assert!(
        path.exists(),
        "run `cargo test` or `cargo build --examples` to build the examples"
    );
    path.to_str().unwrap().to_owned()
}
