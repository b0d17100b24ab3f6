//! Stops.

use std::time::{Duration, Instant};

use serde_json::json;

use super::app::{ChatApp, answer, ask_in_background, chunks, submit, types, unfinished};
use super::support::Script;

/// Fact 13, in the process of the producer and in another one.
#[tokio::test]
async fn stop_closes_the_model_and_stores_what_it_wrote() {
    for is_other in [false, true] {
        let app = ChatApp::start().await;
        app.model.push(unfinished(&["par", "tial"]));
        let (_process, other) = app.function().await;
        let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
        app.wait_for_turn("s", "streaming").await;
        let client = if is_other { &other } else { &app.api };
        let stopped_at = Instant::now();
        let stopped = client
            .post("/api/chat/s/stop", &json!({}))
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            (&stopped["success"], &stopped["status"]),
            (&json!(true), &json!("stopped"))
        );
        let closed = app.model.wait_for_close(0).await;
        assert!(closed - stopped_at <= Duration::from_millis(2500));
        let asked = asked.await.unwrap().assert_status(200);
        let chunks = chunks(&asked.body);
        let kinds = types(&chunks);
        assert_eq!(kinds.last(), Some(&"abort"), "{kinds:?}");
        assert!(asked.body.ends_with(b"data: [DONE]\n\n"));
        let history = app.history("s").await;
        assert_eq!(
            history[1],
            ("assistant".into(), "partial".into(), "stopped".into())
        );
        app.model.push(answer("next"));
        app.ask("s", "u2", "Go on").await.assert_status(200);
        assert_eq!(app.history("s").await.len(), 4);
    }
}

/// Fact 14.
#[tokio::test]
async fn stop_before_the_first_token_stores_no_message() {
    let app = ChatApp::start().await;
    app.model.push(Script::silence());
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    app.model.wait_for_calls(1).await;
    app.api
        .post("/api/chat/s/stop", &json!({}))
        .await
        .assert_status(200);
    app.model.wait_for_close(0).await;
    asked.await.unwrap().assert_status(200);
    assert_eq!(app.turn("s").await["status"], "stopped");
    assert_eq!(app.history("s").await.len(), 1);
}

/// Fact 15.
#[tokio::test]
async fn stop_names_its_turn_and_can_be_repeated() {
    let app = ChatApp::start().await;
    app.model.push(unfinished(&["a"]));
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    let turn = app.wait_for_turn("s", "streaming").await;
    let other = json!({"turn_id": "turn_other"});
    let unknown = app
        .api
        .post("/api/chat/s/stop", &other)
        .await
        .assert_status(200)
        .json();
    assert_eq!(unknown["status"], "unknown");
    assert_eq!(app.turn("s").await["status"], "streaming");
    let named = json!({"activeStreamId": turn["id"], "assistantMessage": {"any": 1}});
    let first = app
        .api
        .post("/api/chat/s/stop", &named)
        .await
        .assert_status(200)
        .json();
    let second = app
        .api
        .post("/api/chat/s/stop", &named)
        .await
        .assert_status(200)
        .json();
    assert_eq!(first, second);
    assert_eq!(first["status"], "stopped");
    asked.await.unwrap().assert_status(200);
    app.api
        .post("/api/chat/none/stop", &json!({}))
        .await
        .assert_status(404);
}
