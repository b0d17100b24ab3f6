//! The small language model of `make model`, once from end to end: it is found, answers, is stopped, and goes on.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Client, Process};

const SERVER: &str = "local-model/target/release/llmos-local-model";
const MODEL: &str = "target/local-model/SmolLM2-135M-Instruct.Q4_1.gguf";
/// The time limit of loading the model, and of an answer, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Starts the model server on a free port, and returns its address.
async fn start_model() -> (Process, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (server, model) = (root.join(SERVER), root.join(MODEL));
    for file in [&server, &model] {
        let shown = file.display();
        assert!(file.is_file(), "{shown} is missing: run `make setup`");
    }
    let mut command = Command::new(server);
    command.arg("--model").arg(model).args(["--port", "0"]);
    // Threads wait for each other, which is slow on a busy machine.
    command.env("RAYON_NUM_THREADS", "1");
    let mut process = Process::spawn(&mut command);
    let serves = process.wait_for("http://", LIMIT).await;
    assert!(serves, "{}", process.output());
    let output = process.output();
    let url = output.lines().find(|line| line.starts_with("http://"));
    (process, url.unwrap().to_owned())
}

async fn wait_for_turn(api: &Client, status: &str) -> Value {
    for _ in 0..1200 {
        // The session may not be there yet.
        let found = api.get("/api/chat/local/turn").await.json();
        if found["turn"]["status"] == status {
            return found["turn"].clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the turn is not {status}");
}

fn ask(text: &str) -> Value {
    json!({"session_id": "local", "content": text})
}

#[tokio::test]
async fn small_model_is_found_answers_and_is_stopped() {
    let (_model, url) = start_model().await;
    let directory = TempDir::new().unwrap();
    let environment = [
        ("LLMOS_LOCAL_MODEL", &*url),
        // It may ramble.
        ("LLMOS_MODELS", "smollm2-135m-instruct=200"),
    ];
    let (mut process, api) = Process::local_server(directory.path(), &environment).await;
    let api = api.unwrap();
    let line = format!("model      smollm2-135m-instruct on this machine, at {url}\n");
    assert!(process.wait_for(&line, LIMIT).await, "{}", process.output());

    let mut question = ask("What is the capital of France? Answer in one word.");
    question["stream"] = json!(false);
    let answer = api.post("/api/chat", &question).await.assert_status(200);
    let message = answer.json()["message"].clone();
    let content = message["content"].as_str().unwrap();
    assert!(content.contains("Paris"), "{message}");
    assert_eq!(message["model"], "smollm2-135m-instruct");
    assert!(message["usage"]["input_tokens"].as_u64().unwrap() > 10);

    let asking = tokio::spawn({
        let api = api.clone();
        async move {
            let story = ask("Write a very long story about a fox.");
            api.post("/api/chat", &story).await
        }
    });
    wait_for_turn(&api, "streaming").await;
    let stopped = api.post("/api/chat/local/stop", &json!({})).await;
    assert_eq!(stopped.assert_status(200).json()["status"], "stopped");
    let events = asking.await.unwrap().assert_status(200);
    let events = String::from_utf8(events.body.clone()).unwrap();
    assert!(events.contains("{\"type\":\"abort\"}"), "{events}");

    question["content"] = json!("Say hello.");
    api.post("/api/chat", &question).await.assert_status(200);
    let stored = api.get("/api/sessions/local/messages").await.json();
    let stored = stored["messages"].as_array().unwrap();
    let statuses: Vec<&str> = stored
        .iter()
        .filter(|message| message["role"] == "assistant")
        .map(|message| message["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses[..2], ["completed", "stopped"]);
    // The length of the last answer depends on the part of the story that is stored.
    assert!(
        ["completed", "incomplete"].contains(&statuses[2]),
        "{statuses:?}"
    );
}
