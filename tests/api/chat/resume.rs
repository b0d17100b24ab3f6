//! Answers are read again from anywhere.

use std::time::Duration;

use serde_json::json;

use super::app::{
    ChatApp, answer, ask_in_background, chunks, ids, slow, submit, text_of, without_comments,
};

/// Facts 8 and 9.
#[tokio::test]
async fn reload_continues_without_gap_or_repetition_at_any_point() {
    let app = ChatApp::start().await;
    let pieces: Vec<String> = (0..40).map(|number| format!("{number} ")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    app.model.push(slow(&pieces, Duration::from_millis(60)));
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    app.wait_for_turn("s", "streaming").await;
    let (_process, other) = app.function().await;
    let mut readers = Vec::new();
    for number in 0..100 {
        tokio::time::sleep(Duration::from_millis(15)).await;
        let client = if number % 2 == 0 { &app.api } else { &other };
        let (history, client) = (app.history("s"), client.clone());
        let history = history.await;
        if app.turn("s").await["ended_at"].is_null() {
            assert_eq!(history.len(), 1, "{history:?}");
        }
        readers.push(tokio::spawn(async move {
            client.get("/api/chat/s/stream").await
        }));
    }
    let expected = without_comments(&asked.await.unwrap().body);
    let stored = app.history("s").await[1].1.clone();
    for reader in readers {
        let reader = reader.await.unwrap();
        if reader.status != 204 {
            assert_eq!(without_comments(&reader.body), expected);
            assert_eq!(text_of(&chunks(&reader.body)), stored);
        }
    }
}

/// Fact 10.
#[tokio::test]
async fn last_event_id_skips_what_the_client_has() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["a", "b", "c", "d"], Duration::from_millis(100)));
    let whole = app.ask("s", "u", "Hi").await.assert_status(200);
    let ids = ids(&whole.body);
    assert!(ids.len() > 3, "{ids:?}");
    let events = without_comments(&whole.body);
    for id in &ids[..ids.len() - 1] {
        let client = app.api.with_header("last-event-id", id.clone());
        let rest = client.get("/api/chat/s/stream").await.assert_status(200);
        let (_, expected) = events.split_once(&format!("id: {id}\n")).unwrap();
        let (_, expected) = expected.split_once("\n\n").unwrap();
        assert_eq!(without_comments(&rest.body), expected);
    }
    let client = app
        .api
        .with_header("last-event-id", ids.last().unwrap().clone());
    client.get("/api/chat/s/stream").await.assert_status(204);
    let client = app.api.with_header("last-event-id", "nonsense");
    client
        .get("/api/chat/s/stream")
        .await
        .assert_error(400, "invalid_request");
}

/// Fact 11.
#[tokio::test]
async fn nothing_to_resume_is_204_and_a_named_turn_is_read_again() {
    let app = ChatApp::start().await;
    app.api
        .get("/api/chat/unknown/stream")
        .await
        .assert_status(204);
    let session = app.api.create_session("x").await;
    app.api
        .get(&format!("/api/chat/{session}/stream"))
        .await
        .assert_status(204);
    app.model.push(answer("a"));
    let whole = app.ask("s", "u", "Hi").await.assert_status(200);
    app.api.get("/api/chat/s/stream").await.assert_status(204);
    let turn = app.turn("s").await;
    let again = app
        .api
        .get(turn["stream_url"].as_str().unwrap())
        .await
        .assert_status(200);
    assert_eq!(without_comments(&again.body), without_comments(&whole.body));
    app.model.push(answer("b"));
    app.ask("s", "u2", "Again").await.assert_status(200);
    let again = app
        .api
        .get(turn["stream_url"].as_str().unwrap())
        .await
        .assert_status(200);
    assert_eq!(without_comments(&again.body), without_comments(&whole.body));
}

#[tokio::test]
async fn session_tells_the_active_turn_while_it_runs() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["a", "b", "c"], Duration::from_millis(200)));
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    let turn = app.wait_for_turn("s", "streaming").await;
    let session = app.api.get("/api/sessions/s").await.json();
    assert_eq!(
        session["active_turn"],
        json!({
            "id": turn["id"], "status": "streaming", "message_id": turn["message_id"],
            "stream_url": turn["stream_url"],
        })
    );
    let list = app
        .api
        .get("/api/sessions?fields=id,active_turn")
        .await
        .json();
    assert_eq!(list["sessions"][0]["active_turn"]["id"], turn["id"]);
    asked.await.unwrap().assert_status(200);
    let session = app.api.get("/api/sessions/s").await.json();
    assert_eq!(session["active_turn"], json!(null));
}
