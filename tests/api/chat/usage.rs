//! What turns used: sums by day, model and session, settled once.

use serde_json::{Value, json};

use super::app::{ChatApp, answer, submit, unfinished};
use super::support::Script;

pub(super) async fn usage(app: &ChatApp, by: &str) -> Value {
    let path = format!("/api/usage?by={by}");
    app.api.get(&path).await.assert_status(200).json()
}

/// Waits until the usage has this number of turns: it is settled after the end of the stream.
pub(super) async fn wait_for_turns(app: &ChatApp, turns: u64) -> Value {
    for _ in 0..200 {
        let found = usage(app, "day").await;
        if found["total"]["turns"] == turns {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{}", usage(app, "day").await);
}

pub(super) fn with_prices(config: &mut llmos::config::Config) {
    let prices = r#"{"default": {"input": 1, "output": 2, "cached_input": 0.5}}"#;
    config.model.prices = llmos::provider::Prices::parse(prices).unwrap();
}

#[tokio::test]
async fn usage_is_summed_by_day_model_and_session() {
    let app = ChatApp::with(with_prices).await;
    app.model.otherwise(answer("Hello"));
    app.ask("s1", "u1", "Hi").await.assert_status(200);
    app.ask("s1", "u2", "Hi").await.assert_status(200);
    app.ask("s2", "u1", "Hi").await.assert_status(200);

    let by_day = wait_for_turns(&app, 3).await;
    let day = by_day["usage"][0].clone();
    // 10 tokens at 1, 2 cached ones at 0.5 and 7 of the output at 2 dollars a million, three times.
    let sums = json!({
        "turns": 3, "input_tokens": 36, "output_tokens": 21, "cached_input_tokens": 6, "reasoning_tokens": 0,
        "cost": "0.000075",
    });
    assert_eq!(by_day["total"], sums);
    let today = chrono::Utc::now().date_naive().to_string();
    assert_eq!(day["day"], today);
    assert_eq!(by_day["usage"].as_array().unwrap().len(), 1);
    let by_model = usage(&app, "model").await;
    assert_eq!(by_model["usage"][0]["model"], "test-model");
    assert_eq!(by_model["total"], sums);
    let by_session = usage(&app, "session").await;
    let rows = by_session["usage"].as_array().unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row["session_id"].as_str().unwrap(), &row["turns"]))
        .collect();
    assert_eq!(rows, [("s1", &json!(2)), ("s2", &json!(1))]);
    assert_eq!(by_session["total"], sums);
}

#[tokio::test]
async fn usage_of_other_days_and_volumes_is_not_counted() {
    let app = ChatApp::start().await;
    app.model.otherwise(answer("Hello"));
    app.ask("s1", "u1", "Hi").await.assert_status(200);
    let mut body = submit("s2", "u1", "Hi");
    body["volume"] = json!("team");
    body["volume_id"] = json!("red");
    app.api.post("/api/chat", &body).await.assert_status(200);
    for (query, turns) in [
        ("volume=user", 1),
        ("volume=team&volume_id=red", 1),
        ("volume=team&volume_id=blue", 0),
        ("from=2026-01-01&to=2026-01-31", 0),
        ("from=2026-01-01&to=2026-01-31&by=session", 0),
    ] {
        let found = app.api.get(&format!("/api/usage?{query}")).await;
        let found = found.assert_status(200).json();
        assert_eq!(found["total"]["turns"], turns, "{query}");
    }
}

#[tokio::test]
async fn invalid_queries_of_usage_are_rejected_by_name() {
    let app = ChatApp::start().await;
    for (query, field) in [
        ("by=hour", "by"),
        ("from=2026-1-1", "from"),
        ("to=yesterday", "to"),
        ("from=2026-01-02&to=2026-01-01", "to"),
        ("from=2025-01-01&to=2026-01-02", "to"),
        ("volume=planet", "volume"),
        ("volume_id=red", "volume"),
    ] {
        let found = app.api.get(&format!("/api/usage?{query}")).await;
        found.assert_invalid(field);
    }
    let most = app
        .api
        .get("/api/usage?from=2025-01-01&to=2026-01-01")
        .await;
    most.assert_status(200);
}

#[tokio::test]
async fn stopped_and_failed_turns_are_counted_once() {
    let app = ChatApp::start().await;
    app.model.push(unfinished(&["some", " text"]));
    let asked = app.ask("s", "u", "Hi");
    let stopped = async {
        app.wait_for_turn("s", "streaming").await;
        let stop = app.api.post("/api/chat/s/stop", &json!({})).await;
        stop.assert_status(200);
    };
    tokio::join!(asked, stopped);
    app.model
        .otherwise(Script::error(400, &json!({"error": {"message": "x"}})));
    app.ask("s", "u2", "Again").await.assert_status(200);
    let found = wait_for_turns(&app, 2).await;
    assert!(found["total"]["output_tokens"].as_u64().unwrap() >= 2);
}
