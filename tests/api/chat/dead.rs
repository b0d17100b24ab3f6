//! Processes, connections and servers that fail in the middle of an answer.

use std::time::{Duration, Instant};

use serde_json::json;

use super::app::{ChatApp, answer, chunks, history, slow, submit, text_of, types, unfinished};
use super::keys::turn_log;
use super::support::{Mode, Process, Proxy, Script};

/// Fact 18.
#[tokio::test]
async fn killed_producer_leaves_its_text_once_and_a_free_session() {
    let app = ChatApp::start().await;
    app.model.push(unfinished(&["par", "tial"]));
    let (mut process, producer) = app.function().await;
    let asked = tokio::spawn(async move {
        let body = submit("s", "u", "Hi").to_string().into_bytes();
        let client = producer.with_header("content-type", "application/json");
        client
            .try_send(axum::http::Method::POST, "/api/chat", body)
            .await
    });
    app.wait_for_turn("s", "streaming").await;
    let reader = tokio::spawn({
        let api = app.api.clone();
        async move { api.get("/api/chat/s/stream").await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    process.kill();
    let killed = Instant::now();
    assert!(asked.await.unwrap().is_err());
    let reader = reader.await.unwrap().assert_status(200);
    assert!(killed.elapsed() < Duration::from_secs(20));
    let chunks = chunks(&reader.body);
    assert_eq!(types(&chunks).last(), Some(&"error"));
    let stored = app.history("s").await;
    assert_eq!(
        stored[1],
        ("assistant".into(), text_of(&chunks), "abandoned".into())
    );
    app.model.push(answer("next"));
    app.ask("s", "u2", "Go on").await.assert_status(200);
    assert_eq!(app.history("s").await.len(), 4);
}

/// Facts 19 and 20: a frozen producer, and several that end its turn at once.
#[tokio::test]
async fn frozen_producer_writes_nothing_after_others_ended_its_turn() {
    let app = ChatApp::start().await;
    app.model
        .push(slow(&["a", "b", "c"], Duration::from_secs(1)));
    let (process, producer) = app.function().await;
    let asked =
        tokio::spawn(async move { producer.post("/api/chat", &submit("s", "u", "Hi")).await });
    app.wait_for_turn("s", "streaming").await;
    process.signal("-STOP");
    tokio::time::sleep(Duration::from_millis(15_500)).await;
    let (_other_process, other) = app.function().await;
    let lookers = (0..6).map(|number| {
        let client = if number % 2 == 0 {
            app.api.clone()
        } else {
            other.clone()
        };
        async move {
            client
                .get("/api/chat/s/turn")
                .await
                .assert_status(200)
                .json()
        }
    });
    for found in futures_util::future::join_all(lookers).await {
        assert_eq!(found["turn"]["status"], "abandoned");
    }
    let log = turn_log(&app, "s").await;
    let read = || -> Vec<(String, Vec<String>)> { app.redis.command(&["XRANGE", &log, "-", "+"]) };
    let before = read();
    let stored = history(&app.api, "s").await;
    process.signal("-CONT");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(read(), before);
    let ends = before.iter().filter(|(_, fields)| fields[1] == "f");
    assert_eq!(ends.count(), 1);
    assert_eq!(history(&app.api, "s").await, stored);
    assert_eq!(stored.len(), 2);
    asked.abort();
}

/// Fact 21.
#[tokio::test]
async fn cut_connections_and_an_outage_of_redis_lose_nothing() {
    let app = ChatApp::start().await;
    let pieces: Vec<String> = (0..30).map(|number| format!("{number} ")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    app.model.push(slow(&pieces, Duration::from_millis(300)));
    let proxy = Proxy::start(app.redis.socket()).await;
    let environment = [
        ("REDIS_URL", proxy.url()),
        ("LLMOS_MODEL_BASE_URL", app.model.base_url()),
        ("LLMOS_TITLES", "off".to_owned()),
    ];
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (_process, producer) = Process::function(env!("CARGO_BIN_EXE_chat"), &environment).await;
    let asked =
        tokio::spawn(async move { producer.post("/api/chat", &submit("s", "u", "Hi")).await });
    app.wait_for_turn("s", "streaming").await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(170)).await;
        proxy.cut_all();
    }
    proxy.set(Mode::Swallow);
    tokio::time::sleep(Duration::from_secs(4)).await;
    proxy.set(Mode::Pass);
    proxy.cut_all();
    let response = asked.await.unwrap().assert_status(200);
    let expected: String = pieces.concat();
    assert_eq!(text_of(&chunks(&response.body)), expected);
    app.wait_for_turn("s", "completed").await;
    assert_eq!(app.history("s").await[1].1, expected);
}

/// Fact 22.
#[tokio::test]
async fn model_that_only_shows_life_is_ended_by_the_deadline() {
    let app = ChatApp::with(|config| config.max_duration_s = Some(32)).await;
    let ping = super::support::Step::Send(": ping\n\n".into());
    let pause = super::support::Step::Wait(Duration::from_millis(500));
    let steps = std::iter::repeat_n([ping, pause], 60).flatten().collect();
    app.model.push(Script::steps(steps));
    let started = Instant::now();
    let response = app.ask("s", "u", "Hi").await.assert_status(200);
    assert!(
        started.elapsed() < Duration::from_secs(9),
        "{:?}",
        started.elapsed()
    );
    let chunks = chunks(&response.body);
    let last = chunks.last().unwrap();
    assert_eq!(
        (&last["type"], &last["finishReason"]),
        (&json!("finish"), &json!("length"))
    );
    assert_eq!(app.turn("s").await["status"], "incomplete");
    app.model.wait_for_close(0).await;
}

#[tokio::test]
async fn process_that_is_told_to_end_stores_what_it_has() {
    let app = ChatApp::start().await;
    app.model.push(unfinished(&["par", "tial"]));
    let (mut process, producer) = app.function().await;
    let asked =
        tokio::spawn(async move { producer.post("/api/chat", &submit("s", "u", "Hi")).await });
    app.wait_for_turn("s", "streaming").await;
    process.signal("-TERM");
    let told = Instant::now();
    let response = asked.await.unwrap();
    assert_eq!(types(&chunks(&response.body)).last(), Some(&"error"));
    app.wait_for_turn("s", "abandoned").await;
    assert!(told.elapsed() < Duration::from_secs(5));
    assert_eq!(app.history("s").await[1].1, "partial");
    assert_eq!(process.exit_code(Duration::from_secs(10)).await, Some(0));
}
