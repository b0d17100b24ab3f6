//! The chat request of the Python version.

use serde_json::json;

use super::app::{ChatApp, answer};

/// Fact 24.
#[tokio::test]
async fn request_of_the_python_version_gets_its_five_fields() {
    let app = ChatApp::start().await;
    app.model.push(answer("Hello"));
    let body = json!({
        "user_id": "alice", "team_id": "eng", "message": "Hi", "session_id": "s",
        "include_skills": true, "max_skills": 3,
    });
    let response = app
        .api
        .post("/api/chat", &body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(response["response"], "Hello");
    assert_eq!(response["skills_used"], json!([]));
    assert_eq!(response["session_id"], "s");
    assert_eq!(response["model_used"], "test-model");
    let trace = response["trace_id"].as_str().unwrap();
    assert!(
        trace.starts_with("trace_2") && trace.contains("_turn_"),
        "{trace}"
    );
    assert_eq!(app.history("s").await.len(), 2);

    app.model.push(answer("Again"));
    let body = json!({"message": "Hi"});
    let response = app
        .api
        .post("/api/chat", &body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(response["session_id"], "default");
    // It is deleted after the response.
    let started = std::time::Instant::now();
    loop {
        let list = app.api.get("/api/sessions").await.json();
        if list["sessions"].as_array().unwrap().len() == 1 {
            break;
        }
        assert!(
            started.elapsed() < std::time::Duration::from_secs(10),
            "{list}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    let health = app.api.get("/api/chat").await.assert_status(200).json();
    assert_eq!(health, json!({"status": "ok", "service": "chat"}));
}

#[tokio::test]
async fn without_key_and_provider_the_detail_is_a_text() {
    let app = ChatApp::with(|config| config.model.base_url = None).await;
    let response = app
        .api
        .post("/api/chat", &json!({"message": "Hi"}))
        .await
        .assert_status(401);
    assert!(
        response.json()["detail"]
            .as_str()
            .unwrap()
            .starts_with("Missing X-API-Key")
    );
}
