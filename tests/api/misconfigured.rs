//! A variable with an invalid value: the function starts, rejects requests, and names the variable.

use std::time::Duration;

use serde_json::json;

use crate::support::{Process, Runtime};

const SESSIONS: &str = env!("CARGO_BIN_EXE_sessions");
const HEALTH: &str = env!("CARGO_BIN_EXE_health");

#[tokio::test]
async fn health_of_a_misconfigured_function_names_the_variable() {
    let (_process, api) = Process::function(HEALTH, &[("STORAGE_FALLBACK", "maybe")]).await;

    let health = api.get("/api/health").await.assert_status(503).json();

    assert_eq!(health["status"], "failing");
    let configuration = &health["configuration"];
    assert_eq!(configuration["status"], "failing");
    let reason = configuration["reason"].as_str().unwrap();
    assert!(reason.contains("STORAGE_FALLBACK is"), "{health}");
    assert!(configuration["remedy"].is_string(), "{health}");
    for part in ["redis", "blob"] {
        assert_eq!(health[part]["status"], "not_configured", "{health}");
    }
}

#[tokio::test]
async fn routes_of_a_misconfigured_function_are_503_and_name_the_variable() {
    let environment = [("AUTH_JWT_SECRET", "too-short")];
    let (mut process, api) = Process::function(SESSIONS, &environment).await;

    let created = api.post("/api/sessions", &json!({"name": "x"})).await;
    for response in [
        created,
        api.get("/api/sessions").await,
        api.get("/api/sessions/some/thing/").await,
    ] {
        assert_eq!(response.header("retry-after"), None);
        let problem = response.assert_error(503, "misconfigured");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("AUTH_JWT_SECRET"), "{problem}");
        assert!(!detail.contains("too-short"), "{problem}");
    }
    assert!(
        process
            .wait_for("AUTH_JWT_SECRET is", Duration::from_secs(5))
            .await
    );
    assert!(
        !process.output().contains("too-short"),
        "{}",
        process.output()
    );
}

#[tokio::test]
async fn unusable_value_is_reported_at_start() {
    for (name, value, problem) in [
        (
            "REDIS_URL",
            "redis://:hidden@h?db=x",
            "the parameter db must be a number",
        ),
        (
            "REDIS_URL",
            "redis://:hidden@h?timeout=5",
            "the parameter timeout is unknown",
        ),
        ("REDIS_URL", "\"redis://:hidden@h\"", "it is in quotes"),
        (
            "VERCEL_BLOB_API_URL",
            "hidden.example/_blob",
            "must be an http or https URL",
        ),
        (
            "BLOB_CONTENT_URL",
            "ftp://hidden.example",
            "must be an http or https URL",
        ),
        (
            "CORS_ALLOWED_ORIGINS",
            "https://a.example,hidden.example",
            "must be comma-separated origins",
        ),
        (
            "CORS_ALLOWED_ORIGINS",
            "htps://hidden.example",
            "must be comma-separated origins",
        ),
        (
            "AUTH_JWT_SECRET",
            "-----BEGIN PUBLIC KEY-----\nhidden",
            "not a PEM key",
        ),
        (
            "LLMOS_MODEL_BASE_URL",
            "https://user:hidden@h/v1",
            "must be an http or https URL without user",
        ),
        ("ANTHROPIC_API_KEY", "hidden key", "must be visible ASCII"),
        (
            "LLMOS_MODELS",
            "a=hidden",
            "must be comma-separated entries model or model=tokens",
        ),
        ("LLMOS_PRICES", "{\"hidden\": 3}", "must be JSON such as"),
        (
            "CHAT_LIMITS",
            "concurrent_turns=0,hidden=1",
            "must be limits of 1 or more",
        ),
        ("ALLOW_ANONYMOUS_CHAT", "hidden", "must be true or false"),
        ("LLMOS_TITLES", "hidden", "must be on or off"),
        (
            "LLMOS_TITLE_MODEL",
            "hidden model",
            "must be the name of a model",
        ),
        (
            "LLMOS_SERVER_TOOLS",
            "read_file,hidden",
            "must be read_file, list_files and write_file",
        ),
        ("LLMOS_APPROVALS", "hidden", "must be required or waived"),
        ("LLMOS_MAX_DURATION_S", "801", "must be 10 to 800 seconds"),
        (
            "ALLOWED_HOSTS",
            "https://hidden.example",
            "must be comma-separated names",
        ),
    ] {
        let (_process, api) = Process::function(HEALTH, &[(name, value)]).await;
        let health = api.get("/api/health").await.assert_status(503).json();
        let reason = health["configuration"]["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("{name} is ")), "{health}");
        assert!(reason.contains(problem), "{health}");
        assert!(!reason.contains("hidden"), "{health}");
    }
}

#[tokio::test]
async fn misconfigured_function_logs_the_cause_with_each_request() {
    let runtime = Runtime::start(SESSIONS, &[("REQUEST_LOG", "perhaps")]).await;

    let answered = runtime.get("/api/sessions", 3).send().await.unwrap();
    let log = runtime.wait_for("log").await;

    assert_eq!(answered.status(), 503);
    log.assert_of_request(3);
    assert_eq!(log.message["payload"]["level"], "error");
    let line = log.log_line();
    let cause = line["error"].as_str().unwrap();
    assert!(cause.contains("REQUEST_LOG is"), "{line}");
}
