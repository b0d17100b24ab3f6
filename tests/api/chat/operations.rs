//! Edit, regenerate: new versions beside the old ones.

use serde_json::{Value, json};

use super::app::{ChatApp, answer, chunks, edit, text_of, texts};
use super::support::{Response, Script};

async fn regenerate(app: &ChatApp, message: Option<&str>) -> Response {
    let body = json!({
        "id": "s", "trigger": "regenerate-message", "messageId": message,
        "messages": [{"id": "u", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}],
    });
    app.api.post("/api/chat", &body).await
}

/// Fact 23, regenerate.
#[tokio::test]
async fn failed_new_answer_keeps_the_old_one_and_a_finished_one_replaces_it() {
    let app = ChatApp::start().await;
    app.model.push(answer("old"));
    app.ask("s", "u", "Hi").await.assert_status(200);
    app.model.push(Script::error(400, &Value::Null));
    regenerate(&app, None).await.assert_status(200);
    assert_eq!(texts(&app.history("s").await), ["Hi", "old"]);
    app.model.push(answer("new"));
    let response = regenerate(&app, None).await.assert_status(200);
    assert_eq!(text_of(&chunks(&response.body)), "new");
    assert_eq!(texts(&app.history("s").await), ["Hi", "new"]);
    let path = "/api/sessions/s/messages";
    let messages = app.api.get(path).await.json()["messages"].clone();
    let siblings = messages[1]["siblings"].as_array().unwrap().clone();
    assert_eq!(siblings.len(), 2);
    let body = json!({"message_id": siblings[0]});
    app.api
        .put("/api/sessions/s/branch", &body)
        .await
        .assert_status(200);
    assert_eq!(texts(&app.history("s").await), ["Hi", "old"]);
    // By the id of the answer, and by one that is not stored.
    for id in [siblings[0].as_str(), Some("unknown")] {
        app.model.push(answer("again"));
        regenerate(&app, id).await.assert_status(200);
        assert_eq!(texts(&app.history("s").await), ["Hi", "again"]);
    }
}

/// Fact 23, edit.
#[tokio::test]
async fn edited_message_hides_later_ones_and_they_can_be_restored() {
    let app = ChatApp::start().await;
    app.model.push(answer("one"));
    app.ask("s", "u", "First").await.assert_status(200);
    app.model.push(answer("two"));
    app.ask("s", "u2", "Second").await.assert_status(200);
    app.model.push(Script::error(400, &Value::Null));
    edit(&app, "Failed").await.assert_status(200);
    assert_eq!(
        texts(&app.history("s").await),
        ["First", "one", "Second", "two"]
    );
    app.model.push(answer("three"));
    edit(&app, "Changed").await.assert_status(200);
    assert_eq!(texts(&app.history("s").await), ["Changed", "three"]);
    let messages = app.api.get("/api/sessions/s/messages").await.json()["messages"].clone();
    assert_eq!(messages[0]["id"], "u");
    let siblings = messages[0]["siblings"].as_array().unwrap();
    assert_eq!(siblings.len(), 3);
    assert_eq!(siblings[2], "u");
    let body = json!({"message_id": siblings[0]});
    app.api
        .put("/api/sessions/s/branch", &body)
        .await
        .assert_status(200);
    assert_eq!(
        texts(&app.history("s").await),
        ["First", "one", "Second", "two"]
    );
    // The model saw the branch of the edited message alone.
    let call = app.model.calls().last().unwrap().body["messages"].to_string();
    assert!(
        call.contains("Changed") && !call.contains("Second"),
        "{call}"
    );
}

#[tokio::test]
async fn history_that_changed_is_412_where_the_client_names_its_end() {
    let app = ChatApp::start().await;
    app.model.push(answer("one"));
    app.ask("s", "u", "Hi").await.assert_status(200);
    let mut body = json!({"session_id": "s", "content": "Next", "parent_id": "u"});
    app.api
        .post("/api/chat", &body)
        .await
        .assert_error(412, "history_changed");
    let messages = app.api.get("/api/sessions/s/messages").await.json()["messages"].clone();
    body["parent_id"] = messages[1]["id"].clone();
    app.model.push(answer("two"));
    app.api.post("/api/chat", &body).await.assert_status(200);
}
