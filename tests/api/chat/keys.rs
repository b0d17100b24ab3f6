//! What Redis contains of chat.

use axum::http::Method;
use serde_json::json;

use super::app::{ChatApp, answer, chunks, edit, submit, text_of, unfinished};
use super::support::{ModelAnswer, Script, Step};

/// The key of the log of the turn of a session.
pub(super) async fn turn_log(app: &ChatApp, session: &str) -> String {
    let turn = app.turn(session).await;
    let id = turn["id"].as_str().unwrap();
    format!("llmos:turn-log:{session}:{id}")
}

/// Fact 25, without the memory: that is measured in the benchmark.
#[tokio::test]
async fn large_answer_has_small_entries_and_is_read_in_pages() {
    let app = ChatApp::start().await;
    let piece = "0123456789abcdef".repeat(4096);
    let pieces: Vec<&str> = std::iter::repeat_n(&*piece, 14).collect();
    app.model.push(Script::events(
        ModelAnswer::pieces(&pieces).chat_completions(),
    ));
    let response = app.ask("s", "u", "Hi").await.assert_status(200);
    let text = text_of(&chunks(&response.body));
    assert_eq!(text.len(), 14 * piece.len());
    let log = turn_log(&app, "s").await;
    let entries: Vec<(String, Vec<String>)> = app.redis.command(&["XRANGE", &log, "-", "+"]);
    let mut values = entries.iter().flat_map(|(_, fields)| fields);
    assert!(values.all(|value| value.len() <= 64 * 1024));
    let turn = app.turn("s").await;
    let url = turn["stream_url"].as_str().unwrap();
    let again = app.api.get(url).await.assert_status(200);
    assert_eq!(text_of(&chunks(&again.body)), text);
}

#[tokio::test]
async fn repeated_request_gets_the_stored_answer_after_its_log_has_expired() {
    let app = ChatApp::start().await;
    app.model.push(answer("The answer."));
    let first = app.ask("s", "u", "Hi").await.assert_status(200);
    let first = chunks(&first.body);
    let log = turn_log(&app, "s").await;
    assert_eq!(app.redis.command::<i64>(&["DEL", &log]), 1);
    // Another process has nothing of the turn in its memory.
    let (_process, other) = app.function().await;
    let again = other.post("/api/chat", &submit("s", "u", "Hi")).await;
    let again = again.assert_status(200);
    assert_eq!(again.header("x-llmos-replayed"), Some("1"));
    assert!(again.body.ends_with(b"data: [DONE]\n\n"));
    let again = chunks(&again.body);
    assert_eq!(text_of(&again), "The answer.");
    assert_eq!(again[0]["messageId"], first[0]["messageId"]);
    assert_eq!(again.last().unwrap()["type"], "finish");
    let text = other
        .post("/api/chat?format=text", &submit("s", "u", "Hi"))
        .await
        .assert_status(200);
    assert_eq!(text.body, b"The answer.");
    assert_eq!(app.model.calls().len(), 1);
    // A deleted answer is not given back.
    let id = first[0]["messageId"].as_str().unwrap();
    let message = format!("/api/sessions/s/messages/{id}");
    app.api.delete(&message).await.assert_status(200);
    let again = other.post("/api/chat", &submit("s", "u", "Hi")).await;
    let again = chunks(&again.assert_status(200).body);
    assert_eq!(again[0]["type"], "error");
}

#[tokio::test]
async fn key_of_a_caller_is_in_no_text() {
    let app = ChatApp::start().await;
    app.model.push(Script::steps(vec![Step::Reset]));
    app.model.push(Script::steps(vec![Step::Reset]));
    let key = "caller-key-".to_owned() + "0123456789";
    let client = app.api.with_header("x-api-key", key.clone());
    let response = client.post("/api/chat", &submit("s", "u", "Hi")).await;
    assert!(!String::from_utf8_lossy(&response.body).contains(&key));
    for (_, value) in app.redis.dump() {
        assert!(!String::from_utf8_lossy(&value).contains(&key));
    }
}

#[tokio::test]
async fn versions_survive_the_loss_of_the_index() {
    let app = ChatApp::start().await;
    app.model.push(answer("one"));
    app.ask("s", "u", "First").await.assert_status(200);
    app.model.push(answer("two"));
    edit(&app, "Changed").await.assert_status(200);
    let before = app
        .api
        .get("/api/sessions/s/messages?all=true")
        .await
        .json();
    let keys = [
        "message-ids",
        "segments",
        "path",
        "deleted",
        "versions",
        "branch",
    ];
    for key in keys {
        let _: i64 = app.redis.command(&["DEL", &format!("llmos:{key}:s")]);
    }
    let after = app
        .api
        .get("/api/sessions/s/messages?all=true")
        .await
        .json();
    assert_eq!(before["messages"], after["messages"]);
}

#[tokio::test]
async fn deleted_session_leaves_no_turn() {
    let app = ChatApp::start().await;
    app.model.push(answer("a"));
    app.ask("s", "u", "Hi").await.assert_status(200);
    app.api.delete("/api/sessions/s").await.assert_status(200);
    let mut left = app.redis.keys();
    left.retain(|key| key.starts_with("llmos:turn") && !key.contains("turn-key"));
    assert_eq!(left, [""; 0]);
    app.api.get("/api/chat/s/turn").await.assert_status(404);
}

#[tokio::test]
async fn turn_whose_record_is_lost_is_removed_from_its_session() {
    let app = ChatApp::start().await;
    app.model.push(unfinished(&["a"]));
    let (mut process, producer) = app.function().await;
    let asked = tokio::spawn(async move {
        let body = submit("s", "u", "Hi").to_string().into_bytes();
        let client = producer.with_header("content-type", "application/json");
        client.try_send(Method::POST, "/api/chat", body).await
    });
    app.wait_for_turn("s", "streaming").await;
    process.kill();
    let _ = asked.await.unwrap();
    let _: i64 = app.redis.command(&["DEL", "llmos:turn:s"]);
    let session = app.api.get("/api/sessions/s").await.json();
    assert_eq!(session["active_turn"], json!(null));
    let document: String = app.redis.command(&["GET", "session:s"]);
    assert!(!document.contains("active_turn"), "{document}");
}

#[tokio::test]
async fn message_of_the_python_version_can_be_edited() {
    let app = ChatApp::start().await;
    let id = app.api.create_session("x").await;
    for message in [
        r#"{"role": "user", "content": "One", "timestamp": "2025-12-13T10:00:00", "traces": null, "artifacts": null}"#,
        r#"{"role": "assistant", "content": "one", "timestamp": "2025-12-13T10:00:01", "traces": null, "artifacts": null}"#,
    ] {
        let _: i64 = app.redis.command(&["RPUSH", &format!("session:{id}:messages"), message]);
    }
    app.model.push(answer("new"));
    let body = json!({
        "id": id, "messageId": "msg_1",
        "messages": [{"id": "msg_1", "role": "user", "parts": [{"type": "text", "text": "Changed"}]}],
    });
    app.api.post("/api/chat", &body).await.assert_status(200);
    let path = format!("/api/sessions/{id}/messages");
    let contents = app.api.get(&path).await.messages("content");
    assert_eq!(contents, ["Changed", "new"]);
    let all = app.api.get(&format!("{path}?all=true")).await.messages("content");
    assert_eq!(all, ["One", "one", "Changed", "new"]);
}
