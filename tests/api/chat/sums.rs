//! Reservations and sums as Redis has them.

use super::app::{ChatApp, answer, submit, unfinished};
use super::budgets::{app_with, assert_exhausted};
use super::support::{ModelAnswer, Script};
use super::usage::{usage, wait_for_turns, with_prices};
use serde_json::json;

/// Waits until a turn is settled.
async fn wait_for_settled(app: &ChatApp) {
    for _ in 0..100 {
        let keys: Vec<String> = app.redis.command(&["KEYS", "llmos:client-usage:*"]);
        if !keys.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no turn is settled");
}

#[tokio::test]
async fn turns_per_minute_are_back_within_a_minute() {
    let app = app_with("concurrent_turns=9,turns_per_minute=2").await;
    app.model.otherwise(answer("a"));
    app.ask("s", "u1", "Hi").await.assert_status(200);
    app.ask("s", "u2", "Hi").await.assert_status(200);
    let retry_after = assert_exhausted(app.ask("s", "u3", "Hi").await, "turns_per_minute");
    assert!((50..=60).contains(&retry_after), "{retry_after}");
    let keys: Vec<String> = app.redis.command(&["KEYS", "llmos:client-turns:*"]);
    let turns: Vec<(String, String)> = app.redis.command(&["HGETALL", &keys[0]]);
    for (turn, value) in turns {
        let (started, rest) = value.split_once(' ').unwrap();
        let earlier = started.parse::<i64>().unwrap() - 60_000;
        let _: i64 = app
            .redis
            .command(&["HSET", &keys[0], &turn, &format!("{earlier} {rest}")]);
    }
    app.ask("s", "u3", "Hi").await.assert_status(200);
}

#[tokio::test]
async fn cost_of_the_day_is_limited() {
    let limits = "cost_per_day=0.01".parse().unwrap();
    let app = ChatApp::with(|config| {
        config.chat.limits = limits;
        let prices = r#"{"default": {"input": 0, "output": 1}}"#;
        config.model.prices = llmos::provider::Prices::parse(prices).unwrap();
        config.model.models = vec!["free".parse().unwrap()];
        config.model.model = Some("default".to_owned());
    })
    .await;
    app.model.otherwise(answer("a"));
    // 8,192 tokens at a dollar a million are 0.008192.
    app.ask("s1", "u", "Hi").await.assert_status(200);
    wait_for_settled(&app).await;
    let today = chrono::Utc::now().date_naive().to_string();
    let keys: Vec<String> = app.redis.command(&["KEYS", "llmos:client-usage:*"]);
    let used = "1 2 3 0 0 0 1809000000";
    let _: i64 = app.redis.command(&["HSET", &keys[0], &today, used]);
    assert_exhausted(app.ask("s2", "u", "Hi").await, "cost_per_day");
    let mut body = submit("s2", "u", "Hi");
    body["model"] = json!("free");
    app.api.post("/api/chat", &body).await.assert_status(200);
}

#[tokio::test]
async fn usage_with_more_than_1000_rows_is_an_error() {
    let app = ChatApp::start().await;
    let today = chrono::Utc::now().date_naive();
    let key = format!("llmos:usage-sessions:user:default:{today}");
    let mut command = vec!["HSET".to_owned(), key];
    for number in 0..1001 {
        command.extend([format!("s{number}"), "1 2 3 0 0 0 0".to_owned()]);
    }
    let _: i64 = app.redis.command(&command);
    let found = app.api.get("/api/usage?by=session").await;
    found.assert_invalid("to");
    let _: i64 = app.redis.command(&["HDEL", &command[1], "s0"]);
    let found = usage(&app, "session").await;
    assert_eq!(found["usage"].as_array().unwrap().len(), 1000);
    assert_eq!(found["total"]["output_tokens"], 3000);
}

#[tokio::test]
async fn turn_that_was_salvaged_is_settled_once() {
    let app = ChatApp::start().await;
    let (mut process, api) = app.function().await;
    app.model.push(unfinished(&["some text of the model"]));
    let body = submit("s", "u", "Hi");
    let asked = api.post("/api/chat", &body);
    let killed = async {
        app.wait_for_turn("s", "streaming").await;
        process.kill();
    };
    tokio::select! {
        _ = asked => {}
        () = killed => {}
    }
    app.wait_for_turn("s", "abandoned").await;
    let found = wait_for_turns(&app, 1).await;
    assert!(
        found["total"]["output_tokens"].as_u64().unwrap() >= 5,
        "{found}"
    );
    app.turn("s").await;
    assert_eq!(usage(&app, "day").await["total"]["turns"], 1);
    assert_eq!(usage(&app, "session").await["total"]["turns"], 1);
}

/// The process died between the end of the turn and its settlement.
#[tokio::test]
async fn lost_settlement_is_repeated_when_the_reservation_is_over() {
    let app = ChatApp::with(with_prices).await;
    app.model.otherwise(Script::events(
        ModelAnswer::text("Hello").chat_completions(),
    ));
    app.ask("s", "u", "Hi").await.assert_status(200);
    let first = wait_for_turns(&app, 1).await;
    let keys: Vec<String> = app.redis.command(&["KEYS", "llmos:client-turns:*"]);
    let [turns] = &keys[..] else {
        panic!("{keys:?}")
    };
    let fields: Vec<String> = app.redis.command(&["HKEYS", turns]);
    let turn = app.turn("s").await;
    assert_eq!(fields, [turn["id"].as_str().unwrap()]);

    // As if nothing of it had been settled, two minutes after its deadline.
    let now = chrono::Utc::now();
    let millis = now.timestamp_millis();
    let answer = turn["message_id"].as_str().unwrap();
    let record = format!(
        "{} {} running 9000 0 0 {} {answer} s",
        millis - 400_000,
        millis - 120_000,
        now.date_naive()
    );
    let _: i64 = app.redis.command(&["HSET", turns, &fields[0], &record]);
    let mut lost: Vec<String> = app.redis.command(&["KEYS", "llmos:*usage*"]);
    lost.extend(
        app.redis
            .command::<Vec<String>>(&["KEYS", "llmos:counted-turn:*"]),
    );
    for key in &lost {
        let _: i64 = app.redis.command(&["DEL", key]);
    }
    app.ask("s", "u2", "Again").await.assert_status(200);
    let found = wait_for_turns(&app, 2).await;
    let twice = |name: &str| first["total"][name].as_u64().unwrap() * 2;
    assert_eq!(found["total"]["input_tokens"], twice("input_tokens"));
    assert_eq!(found["total"]["output_tokens"], twice("output_tokens"));
    assert_eq!(found["total"]["cost"], "0.00005");
    app.ask("s", "u3", "Again").await.assert_status(200);
    wait_for_turns(&app, 3).await;
}
