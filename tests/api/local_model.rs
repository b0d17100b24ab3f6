//! The local model: `cargo run` finds the server of `make model`, and a function does not look for it.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{ModelAnswer, ModelServer, Process, Redis, Script};

const LIMIT: Duration = Duration::from_secs(20);

/// The response of the server of `make model` to its health check.
fn healthy_model() -> Script {
    Script::error(200, &json!({"status": "ok", "model": "tiny-model"}))
}

fn question() -> Value {
    json!({"session_id": "local", "content": "Hi", "stream": false})
}

#[tokio::test]
async fn running_local_model_answers_without_configuration() {
    let model = ModelServer::start().await;
    model.push(healthy_model());
    model.otherwise(Script::events(ModelAnswer::text("Yes.").chat_completions()));
    let directory = TempDir::new().unwrap();
    let url = model.base_url().replace("/v1", "");
    let environment = [("LLMOS_LOCAL_MODEL", &*url)];
    let (mut process, api) = Process::local_server(directory.path(), &environment).await;
    let api = api.unwrap();

    let line = format!("model      tiny-model on this machine, at {url}\n");
    assert!(process.wait_for(&line, LIMIT).await, "{}", process.output());
    let health = api.get("/api/health").await.assert_status(200).json();
    assert_eq!(
        health["model"],
        json!({"provider": "local", "model": "tiny-model"})
    );
    let answer = api.post("/api/chat", &question()).await;
    let message = answer.assert_status(200).json()["message"].clone();
    assert_eq!(message["content"], "Yes.");
    let calls = model.calls();
    assert_eq!(calls[0].path, "/health");
    assert_eq!(calls[1].path, "/v1/chat/completions");
    assert_eq!(calls[1].body["model"], "tiny-model");
}

#[tokio::test]
async fn local_model_that_starts_later_is_found_by_the_next_message() {
    let model = ModelServer::start().await;
    // Neither the start nor the first message finds a model.
    model.push(Script::error(500, &Value::Null));
    model.push(Script::silence());
    let directory = TempDir::new().unwrap();
    let url = model.base_url().replace("/v1", "");
    let environment = [("LLMOS_LOCAL_MODEL", &*url)];
    let (mut process, api) = Process::local_server(directory.path(), &environment).await;
    let api = api.unwrap();
    let line = "not set    a model for chat: run `make model` in another terminal, or set ";
    assert!(process.wait_for(line, LIMIT).await, "{}", process.output());
    let refused = api.post("/api/chat", &question()).await;
    refused.assert_error(503, "no_model_provider");

    model.push(healthy_model());
    model.otherwise(Script::events(ModelAnswer::text("Yes.").chat_completions()));
    let answer = api.post("/api/chat", &question()).await;
    assert_eq!(
        answer.assert_status(200).json()["message"]["content"],
        "Yes."
    );
}

#[tokio::test]
async fn function_does_not_look_for_a_local_model() {
    let (model, redis) = (ModelServer::start().await, Redis::start().await);
    model.otherwise(healthy_model());
    let url = model.base_url().replace("/v1", "");
    let environment = [("LLMOS_LOCAL_MODEL", &*url), ("REDIS_URL", &*redis.url())];
    let (_process, api) = Process::function(env!("CARGO_BIN_EXE_chat"), &environment).await;

    let refused = api.post("/api/chat", &question()).await;

    refused.assert_error(503, "no_model_provider");
    assert!(model.calls().is_empty());
}
