//! The title of a session that has no name.

use std::time::Duration;

use serde_json::{Value, json};

use super::app::{ChatApp, answer, chunks, slow, submit, types, unfinished};
use super::support::{Script, Step};

/// A text of the request for a title.
const REQUEST: &str = "Write a title of at most six words";

async fn app() -> ChatApp {
    ChatApp::with(|config| config.chat.titles = true).await
}

async fn session(app: &ChatApp) -> Value {
    app.api.get("/api/sessions/s").await.json()
}

#[tokio::test]
async fn session_without_a_name_gets_a_title_once() {
    let app = app().await;
    app.model
        .push_for(REQUEST, answer("\"A fine title\"\nmore"));
    app.model.otherwise(answer("Hello"));
    let response = app.ask("s", "u", "Hi").await.assert_status(200);
    let sent = chunks(&response.body);
    let title = sent.iter().find(|it| it["type"] == "data-llmos-title");
    let title = title.unwrap_or_else(|| panic!("{sent:?}"));
    assert_eq!(title["data"], json!({"title": "A fine title"}));
    assert_eq!(title["transient"], true);
    assert_eq!(types(&sent).last(), Some(&"finish"));
    let found = session(&app).await;
    assert_eq!(
        (&found["name"], &found["title_source"]),
        (&json!("A fine title"), &json!("model"))
    );
    let calls = app.model.calls();
    let request = calls
        .iter()
        .find(|it| it.body.to_string().contains(REQUEST));
    assert_eq!(request.unwrap().body["max_tokens"], 30);
    assert_eq!(calls.len(), 2);

    app.ask("s", "u2", "Hi").await.assert_status(200);
    assert_eq!(app.model.calls().len(), 3);
    let history = app.api.get("/api/sessions/s/messages").await.json();
    let usage = &history["messages"][1]["usage"];
    assert_eq!(usage["output_tokens"], 7);
    let used = app.api.get("/api/usage").await.json();
    assert_eq!(
        (&used["total"]["turns"], &used["total"]["output_tokens"]),
        (&json!(2), &json!(21))
    );
}

#[tokio::test]
async fn name_that_a_person_gave_stays() {
    let app = app().await;
    app.model.push_for(
        REQUEST,
        Script::steps(vec![
            Step::Wait(Duration::from_millis(700)),
            answer("A title").steps.remove(0),
        ]),
    );
    app.model
        .otherwise(slow(&["a", "b"], Duration::from_millis(500)));
    let asked = app.ask("s", "u", "Hi");
    let named = async {
        app.wait_for_turn("s", "streaming").await;
        let name = json!({"name": "Mine"});
        let named = app.api.patch("/api/sessions/s", &name).await;
        named.assert_status(200);
    };
    let (response, ()) = tokio::join!(asked, named);
    let sent = chunks(&response.assert_status(200).body);
    assert!(!types(&sent).contains(&"data-llmos-title"), "{sent:?}");
    let found = session(&app).await;
    assert_eq!(
        (&found["name"], &found["title_source"]),
        (&json!("Mine"), &json!("client"))
    );
    app.ask("s", "u2", "Hi").await.assert_status(200);
    let calls = app.model.calls();
    let titles = calls
        .iter()
        .filter(|it| it.body.to_string().contains(REQUEST));
    assert_eq!(titles.count(), 1);
}

#[tokio::test]
async fn stopped_turn_cancels_its_title() {
    let app = app().await;
    app.model.push_for(REQUEST, Script::silence());
    app.model.otherwise(unfinished(&["a"]));
    let asked = app.ask("s", "u", "Hi");
    let stopped = async {
        app.model.wait_for_calls(2).await;
        app.wait_for_turn("s", "streaming").await;
        app.api
            .post("/api/chat/s/stop", &json!({}))
            .await
            .assert_status(200);
    };
    let (response, ()) = tokio::join!(asked, stopped);
    let sent = chunks(&response.body);
    assert_eq!(types(&sent).last(), Some(&"abort"));
    assert!(!types(&sent).contains(&"data-llmos-title"));
    assert_eq!(session(&app).await["title_source"], "default");
    app.model.wait_for_close(0).await;
    app.model.wait_for_close(1).await;
}

#[tokio::test]
async fn answer_does_not_wait_longer_than_two_seconds_for_the_title() {
    let app = app().await;
    app.model.push_for(REQUEST, Script::silence());
    app.model.otherwise(answer("Hello"));
    let started = std::time::Instant::now();
    app.ask("s", "u", "Hi").await.assert_status(200);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(app.turn("s").await["status"], "completed");
    assert_eq!(session(&app).await["title_source"], "default");
}

#[tokio::test]
async fn failing_title_changes_nothing() {
    let app = ChatApp::with(|config| {
        config.chat.titles = true;
        config.chat.title_model = Some("small-model".to_owned());
    })
    .await;
    let error = Script::error(400, &json!({"error": {"message": "x"}}));
    app.model.push_for(REQUEST, error);
    app.model.otherwise(answer("Hello"));
    let body = submit("s", "u", "Hi");
    app.api.post("/api/chat", &body).await.assert_status(200);
    assert_eq!(app.turn("s").await["status"], "completed");
    assert_eq!(session(&app).await["title_source"], "default");
    let calls = app.model.calls();
    let request = calls
        .iter()
        .find(|it| it.body.to_string().contains(REQUEST));
    assert_eq!(request.unwrap().body["model"], "small-model");
}
