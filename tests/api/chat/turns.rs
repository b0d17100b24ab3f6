//! One turn at a time, and each request once.

use std::time::Duration;

use serde_json::json;

use super::app::{
    ChatApp, answer, ask_in_background, chunks, slow, submit, text_of, texts, without_comments,
};

/// Fact 16.
#[tokio::test]
async fn of_two_messages_at_once_one_is_answered() {
    let app = ChatApp::start().await;
    app.model
        .otherwise(slow(&["a", "b", "c"], Duration::from_millis(300)));
    let (left, right) = tokio::join!(app.ask("s", "u1", "One"), app.ask("s", "u2", "Two"));
    let (winner, loser) = match left.status.as_u16() {
        200 => (left, right),
        _ => (right, left),
    };
    let winner = winner.assert_status(200);
    let location = loser.header("location").map(str::to_owned);
    let problem = loser.assert_error(409, "turn_in_progress");
    let chunks = chunks(&winner.body);
    assert_eq!(problem["turn_id"], chunks[0]["messageMetadata"]["turnId"]);
    assert_eq!(problem["message_id"], chunks[0]["messageId"]);
    assert_eq!(location.as_deref(), problem["stream_url"].as_str());
    assert_eq!(app.history("s").await.len(), 2);
    assert_eq!(app.model.calls().len(), 1);
}

/// Fact 17.
#[tokio::test]
async fn same_request_twice_is_one_turn_with_one_answer() {
    let app = ChatApp::start().await;
    app.model
        .otherwise(slow(&["a", "b", "c"], Duration::from_millis(200)));
    let (left, right) = tokio::join!(app.ask("s", "u", "Hi"), app.ask("s", "u", "Hi"));
    let later = app.ask("s", "u", "Hi").await.assert_status(200);
    assert_eq!(later.header("x-llmos-replayed"), Some("1"));
    let bodies = [left.assert_status(200), right.assert_status(200), later]
        .map(|response| without_comments(&response.body));
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0], bodies[2]);
    assert_eq!(app.model.calls().len(), 1);
    assert_eq!(app.history("s").await.len(), 2);
    let other = app.ask("s", "u", "Other text").await;
    other.assert_error(409, "message_exists");
}

#[tokio::test]
async fn request_whose_answer_failed_without_content_may_be_sent_again() {
    let app = ChatApp::start().await;
    app.model
        .push(super::support::Script::error(401, &json!({})));
    app.model.push(answer("ok"));
    app.ask("s", "u", "Hi").await.assert_status(200);
    assert_eq!(app.turn("s").await["error"], "provider_auth");
    let again = app.ask("s", "u", "Hi").await.assert_status(200);
    assert_eq!(text_of(&chunks(&again.body)), "ok");
    assert_eq!(app.history("s").await.len(), 2);
}

/// Fact 7.
#[tokio::test]
async fn client_that_leaves_changes_nothing() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["a", "b", "c", "d"], Duration::from_millis(200)));
    let (_process, client) = app.function().await;
    let http = super::support::http_client().build().unwrap();
    let url = format!("http://{}/api/chat", client.address());
    let request = http.post(url).header("content-type", "application/json");
    let request = request.body(submit("s", "u", "Hi").to_string());
    let mut response = request.send().await.unwrap();
    response.chunk().await.unwrap();
    response.chunk().await.unwrap();
    drop(response);
    app.wait_for_turn("s", "completed").await;
    assert_eq!(app.history("s").await[1].1, "abcd");
}

/// Fact 12.
#[tokio::test]
async fn ten_readers_get_the_same_bytes() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["a", "b", "c", "d", "e"], Duration::from_millis(150)));
    let first = ask_in_background(&app.api, submit("s", "u", "Hi"));
    app.wait_for_turn("s", "streaming").await;
    let (_process, other) = app.function().await;
    let readers = (0..9).map(|number| {
        let client = if number % 2 == 0 {
            app.api.clone()
        } else {
            other.clone()
        };
        async move { client.get("/api/chat/s/stream").await }
    });
    let readers = futures_util::future::join_all(readers).await;
    let expected = without_comments(&first.await.unwrap().body);
    for reader in readers {
        assert_eq!(without_comments(&reader.assert_status(200).body), expected);
    }
}

#[tokio::test]
async fn message_that_another_client_appends_meanwhile_is_not_hidden() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["a", "b", "c"], Duration::from_millis(200)));
    let asked = ask_in_background(&app.api, submit("s", "u", "Hi"));
    app.wait_for_turn("s", "streaming").await;
    app.api.append("s", "a note").await.assert_status(200);
    let during = app.history("s").await;
    assert_eq!(during.last().unwrap().1, "Hi");
    asked.await.unwrap().assert_status(200);
    assert_eq!(texts(&app.history("s").await), ["Hi", "a note", "abc"]);
}

#[tokio::test]
async fn session_is_created_in_the_named_volume_and_chat_is_closed_to_others() {
    let app = ChatApp::start().await;
    app.model.push(answer("a"));
    let mut body = submit("s", "u", "Hi");
    body["volume"] = json!("team");
    body["volume_id"] = json!("eng");
    app.api.post("/api/chat", &body).await.assert_status(200);
    let session = app.api.get("/api/sessions/s").await.json();
    assert_eq!(
        (&session["volume"], &session["volume_id"]),
        (&json!("team"), &json!("eng"))
    );
}
