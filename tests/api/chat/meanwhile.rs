//! What clients and people do while a model answers, and requests that come again later.

use std::time::Duration;

use serde_json::{Value, json};

use super::app::{ChatApp, answer, ask_in_background, chunks, edit, slow, submit, text_of, texts};
use super::support::{ModelAnswer, Script};

#[tokio::test]
async fn client_that_leaves_at_once_leaves_a_whole_turn() {
    let app = ChatApp::start().await;
    app.model.otherwise(answer("a"));
    for number in 0..20 {
        let session = format!("s{number}");
        let request = app.api.clone();
        let body = submit(&session, "u", "Hi");
        let asked = async move { request.post("/api/chat", &body).await };
        let wait = Duration::from_micros(number * 150);
        let _ = tokio::time::timeout(wait, asked).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let turn = app.api.get(&format!("/api/chat/{session}/turn")).await;
        if turn.status == 200 {
            app.wait_for_turn(&session, "completed").await;
        }
    }
}

#[tokio::test]
async fn answer_that_a_client_saves_meanwhile_is_stored_whole() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["par", "ti", "al"], Duration::from_millis(300)));
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    let turn = app.wait_for_turn("s", "streaming").await;
    let id = turn["message_id"].as_str().unwrap();
    let path = format!("/api/sessions/s/messages/{id}");
    let body = json!({"role": "assistant", "content": "par"});
    app.api.put(&path, &body).await.assert_status(201);
    asked.await.unwrap().assert_status(200);
    let history = app.history("s").await;
    assert_eq!(texts(&history), ["Hi", "partial"]);
    assert_eq!(history[1].2, "completed");
}

#[tokio::test]
async fn name_of_a_model_that_a_message_cannot_have_is_not_stored() {
    let app = ChatApp::start().await;
    let events = ModelAnswer::text("a").chat_completions();
    app.model
        .push(Script::events(events.replace("test-model", "a\\u0000b\\n")));
    app.ask("s", "u", "Hi").await.assert_status(200);
    assert_eq!(texts(&app.history("s").await), ["Hi", "a"]);
}

#[tokio::test]
async fn note_in_a_session_with_branches_is_not_hidden() {
    let app = ChatApp::start().await;
    app.model.push(answer("one"));
    app.ask("s", "u", "First").await.assert_status(200);
    app.model.push(answer("two"));
    edit(&app, "Changed").await.assert_status(200);
    app.model
        .push(slow(&["a", "b", "c"], Duration::from_millis(200)));
    let asked = ask_in_background(&app.api, submit("s", "u2", "Next"));
    app.wait_for_turn("s", "streaming").await;
    app.api.append("s", "a note").await.assert_status(200);
    asked.await.unwrap().assert_status(200);
    let history = app.history("s").await;
    assert_eq!(texts(&history), ["Changed", "two", "Next", "a note", "abc"]);
}

#[tokio::test]
async fn branch_that_a_person_chose_meanwhile_stays_the_active_one() {
    let app = ChatApp::start().await;
    app.model.push(answer("one"));
    app.ask("s", "u", "First").await.assert_status(200);
    app.model.push(answer("two"));
    edit(&app, "Changed").await.assert_status(200);
    let messages = app.api.get("/api/sessions/s/messages").await.json()["messages"].clone();
    let first = messages[0]["siblings"][0].clone();
    app.model
        .push(slow(&["a", "b", "c"], Duration::from_millis(200)));
    let asked = ask_in_background(&app.api, submit("s", "u2", "Next"));
    app.wait_for_turn("s", "streaming").await;
    let body = json!({"message_id": first});
    app.api
        .put("/api/sessions/s/branch", &body)
        .await
        .assert_status(200);
    asked.await.unwrap().assert_status(200);
    assert_eq!(texts(&app.history("s").await), ["First", "one"]);
}

#[tokio::test]
async fn message_that_failed_is_answered_in_its_place_later() {
    let app = ChatApp::start().await;
    app.model.push(Script::error(400, &Value::Null));
    app.ask("s", "u1", "One").await.assert_status(200);
    app.model.push(answer("two"));
    app.ask("s", "u2", "Two").await.assert_status(200);
    app.model.push(answer("one"));
    app.ask("s", "u1", "One").await.assert_status(200);
    assert_eq!(texts(&app.history("s").await), ["One", "one"]);
    let call = app.model.calls().last().unwrap().body["messages"].to_string();
    assert!(!call.contains("Two"), "{call}");
}

#[tokio::test]
async fn message_can_be_asked_again_after_its_session_was_deleted() {
    let app = ChatApp::start().await;
    app.model.otherwise(answer("a"));
    app.ask("s", "u", "Hi").await.assert_status(200);
    app.api.delete("/api/sessions/s").await.assert_status(200);
    let again = app.ask("s", "u", "Hi").await.assert_status(200);
    assert_eq!(text_of(&chunks(&again.body)), "a");
    assert_eq!(texts(&app.history("s").await), ["Hi", "a"]);
}

#[tokio::test]
async fn repeated_request_for_json_finds_an_older_answer() {
    let app = ChatApp::start().await;
    let client = app.api.with_header("accept", "application/json");
    app.model.push(answer("one"));
    let first = client
        .post("/api/chat", &submit("s", "u1", "One"))
        .await
        .assert_status(200)
        .json();
    app.model.push(answer("two"));
    client
        .post("/api/chat", &submit("s", "u2", "Two"))
        .await
        .assert_status(200);
    let again = client
        .post("/api/chat", &submit("s", "u1", "One"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(first["message"]["content"], again["message"]["content"]);
    assert_eq!(app.model.calls().len(), 2);
}

#[tokio::test]
async fn cursor_behind_the_end_waits_for_what_follows() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["a", "b", "c"], Duration::from_millis(300)));
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    let turn = app.wait_for_turn("s", "streaming").await;
    let (_process, other) = app.function().await;
    let readers = ["99999", "18446744073709551615"].map(|from| {
        let path = format!("{}&from={from}", turn["stream_url"].as_str().unwrap());
        let other = other.clone();
        async move { other.get(&path).await.assert_status(200) }
    });
    for rest in futures_util::future::join_all(readers).await {
        assert!(rest.body.ends_with(b"data: [DONE]\n\n"));
    }
    asked.await.unwrap().assert_status(200);
}

#[tokio::test]
async fn session_with_an_active_turn_is_read_although_its_version_is_known() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["a", "b", "c"], Duration::from_millis(300)));
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    app.wait_for_turn("s", "streaming").await;
    let tag = app.api.entity_tag("/api/sessions/s").await;
    let client = app.api.with_header("if-none-match", tag);
    for _ in 0..2 {
        client.get("/api/sessions/s").await.assert_status(200);
    }
    asked.await.unwrap().assert_status(200);
    let tag = app.api.entity_tag("/api/sessions/s").await;
    let client = app.api.with_header("if-none-match", tag);
    client.get("/api/sessions/s").await.assert_status(304);
}

#[tokio::test]
async fn only_a_message_of_a_user_can_be_edited() {
    let app = ChatApp::start().await;
    app.model.push(answer("one"));
    app.ask("s", "u", "First").await.assert_status(200);
    let messages = app.api.get("/api/sessions/s/messages").await.json()["messages"].clone();
    let id = &messages[1]["id"];
    let body = json!({
        "id": "s", "messageId": id,
        "messages": [{"id": id, "role": "user", "parts": [{"type": "text", "text": "x"}]}],
    });
    app.api
        .post("/api/chat", &body)
        .await
        .assert_invalid("messageId");
    // One that is not stored is a new one.
    app.model.push(answer("two"));
    let body = json!({
        "id": "s", "messageId": "u9",
        "messages": [{"id": "u9", "role": "user", "parts": [{"type": "text", "text": "New"}]}],
    });
    app.api.post("/api/chat", &body).await.assert_status(200);
    assert_eq!(
        texts(&app.history("s").await),
        ["First", "one", "New", "two"]
    );
}

#[tokio::test]
async fn metadata_with_the_name_of_the_turn_stays() {
    let app = ChatApp::start().await;
    let metadata = json!({"active_turn": {"x": 1}, "a": 1});
    let body = json!({"id": "s", "volume": "user", "metadata": metadata});
    app.api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    app.model
        .push(slow(&["a", "b", "c"], Duration::from_millis(200)));
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    app.wait_for_turn("s", "streaming").await;
    let body = json!({"tags": ["t"], "metadata": {"b": {"active_turn": {"y": 2}}}});
    let changed = app
        .api
        .patch("/api/sessions/s", &body)
        .await
        .assert_status(200)
        .json();
    assert!(changed["active_turn"].is_object(), "{changed}");
    asked.await.unwrap().assert_status(200);
    let session = app.api.get("/api/sessions/s").await.json();
    assert_eq!(session["active_turn"], json!(null));
    assert_eq!(
        session["metadata"],
        json!({"active_turn": {"x": 1}, "a": 1, "b": {"active_turn": {"y": 2}}})
    );
}
