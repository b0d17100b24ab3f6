//! `CHAT_LIMITS`: what a caller may use.

use llmos::config::Config;
use llmos::domain::chat::limits::ChatLimits;
use serde_json::{Value, json};

use super::app::{ChatApp, answer, chunks, submit, types, unfinished};
use super::support::Response;

pub(super) async fn app_with(limits: &str) -> ChatApp {
    let limits = limits.parse().unwrap();
    ChatApp::with(|config: &mut Config| config.chat.limits = limits).await
}

/// Checks that the limit does not allow a turn; returns the seconds after which it does.
#[track_caller]
pub(super) fn assert_exhausted(response: Response, limit: &str) -> u64 {
    let retry_after = response.header("retry-after").unwrap().parse().unwrap();
    let problem = response.assert_error(429, "budget_exhausted");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(limit), "{detail}");
    assert!(detail.contains("Z"), "{detail}");
    retry_after
}

async fn stop(app: &ChatApp, session: &str) {
    let path = format!("/api/chat/{session}/stop");
    app.api.post(&path, &json!({})).await.assert_status(200);
}

/// Waits until a message is accepted, because a turn is settled after its end is visible.
async fn ask_until_accepted(app: &ChatApp, session: &str) -> Response {
    for _ in 0..100 {
        let response = app.ask(session, "u", "Hi").await;
        if response.status != 429 {
            return response;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the limit stays exhausted");
}

#[tokio::test]
async fn two_turns_at_once_over_a_limit_of_one_are_one() {
    let app = app_with("concurrent_turns=1").await;
    app.model.otherwise(unfinished(&["a"]));
    let ask = async |session: &'static str| {
        let response = app.ask(session, "u", "Hi").await;
        if response.status == 429 {
            let other = if session == "s1" { "s2" } else { "s1" };
            app.wait_for_turn(other, "streaming").await;
            stop(&app, other).await;
        }
        response
    };
    let (first, second) = tokio::join!(ask("s1"), ask("s2"));
    let (passed, limited) = match first.status.as_u16() {
        200 => (first, second),
        _ => (second, first),
    };
    passed.assert_status(200);
    let retry_after = assert_exhausted(limited, "concurrent_turns");
    assert!((1..=5).contains(&retry_after), "{retry_after}");
    assert_eq!(app.model.calls().len(), 1);
}

#[tokio::test]
async fn limit_of_tokens_has_room_for_the_title() {
    // The output of a model without a limit of its own is 8,192 tokens.
    let limits: ChatLimits = "tokens_per_day=8500".parse().unwrap();
    for titles in [false, true] {
        let app = ChatApp::with(|config: &mut Config| {
            config.chat.limits = limits;
            config.chat.titles = titles;
        })
        .await;
        app.model.otherwise(answer("ok"));
        let response = app.ask("s", "u", "Hi").await;
        match titles {
            false => drop(response.assert_status(200)),
            true => drop(assert_exhausted(response, "tokens_per_day")),
        }
    }
}

#[tokio::test]
async fn three_turns_at_a_time_are_the_default() {
    let app = ChatApp::start().await;
    app.model.otherwise(unfinished(&["a"]));
    let running = futures_util::future::join_all(
        ["s1", "s2", "s3"].map(|session| app.ask(session, "u", "Hi")),
    );
    let checked = async {
        for session in ["s1", "s2", "s3"] {
            app.wait_for_turn(session, "streaming").await;
        }
        let fourth = app.ask("s4", "u", "Hi").await;
        assert_exhausted(fourth, "concurrent_turns");
        app.api.get("/api/sessions/s4").await.assert_status(404);
        // A turn of the same session, and the same request again, are told as without a limit.
        let busy = app.ask("s1", "other", "Hi").await;
        busy.assert_error(409, "turn_in_progress");
        let replayed = async {
            let again = app.ask("s2", "u", "Hi").await.assert_status(200);
            assert_eq!(again.header("x-llmos-replayed"), Some("1"));
        };
        let stopped = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            stop(&app, "s2").await;
        };
        tokio::join!(replayed, stopped);
        app.model.otherwise(answer("b"));
        ask_until_accepted(&app, "s4").await.assert_status(200);
        stop(&app, "s1").await;
        stop(&app, "s3").await;
    };
    tokio::join!(running, checked);
}

#[tokio::test]
async fn turns_that_do_not_begin_release_their_reservation() {
    let app = app_with("concurrent_turns=1,turns_per_minute=2").await;
    app.model.otherwise(answer("a"));
    let edit = json!({
        "id": "missing", "trigger": "regenerate-message", "messages": [],
    });
    let _ = app.api.post("/api/chat", &edit).await;
    let mut stale = submit("s", "u", "Hi");
    for _ in 0..3 {
        stale["parent_id"] = json!("other");
        let rejected = app.api.post("/api/chat", &stale).await;
        assert_ne!(rejected.status, 429);
    }
    app.ask("s", "u1", "Hi").await.assert_status(200);
}

#[tokio::test]
async fn tokens_of_running_turns_count() {
    // A turn may use 8,192 tokens and its input.
    let app = app_with("concurrent_turns=9,tokens_per_day=16000").await;
    app.model.push(unfinished(&["a"]));
    let running = app.ask("s1", "u", "Hi");
    let checked = async {
        app.wait_for_turn("s1", "streaming").await;
        assert_eq!(app.model.calls()[0].body["max_tokens"], 8192);
        let retry_after = assert_exhausted(app.ask("s2", "u", "Hi").await, "tokens_per_day");
        assert!(retry_after <= 5, "{retry_after}");
        stop(&app, "s1").await;
        app.model.otherwise(answer("a"));
        ask_until_accepted(&app, "s2").await.assert_status(200);
    };
    tokio::join!(running, checked);
}

#[tokio::test]
async fn tokens_of_the_day_are_back_at_midnight() {
    let app = app_with("tokens_per_day=8230").await;
    app.model.otherwise(answer("a"));
    app.ask("s1", "u", "Hi").await.assert_status(200);
    // 19 tokens were used.
    let mut last = Value::Null;
    for number in 0..100 {
        let response = app.ask(&format!("t{number}"), "u", "Hi").await;
        let is_of_running = String::from_utf8_lossy(&response.body).contains("running");
        if response.status == 429 && !is_of_running {
            let retry_after = assert_exhausted(response, "tokens_per_day");
            let until_midnight = 86_400 - chrono::Utc::now().timestamp() % 86_400;
            let difference = until_midnight - i64::try_from(retry_after).unwrap();
            assert!(difference.abs() <= 5, "{retry_after}");
            return;
        }
        last = json!(types(&chunks(&response.body)));
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    panic!("{last}");
}

#[tokio::test]
async fn history_that_does_not_fit_into_the_tokens_of_the_day_ends_the_turn() {
    let app = app_with("tokens_per_day=9000").await;
    app.model.otherwise(answer("a"));
    let long = "word ".repeat(5000);
    let message = json!({"role": "user", "content": long});
    let body = json!({"id": "s", "volume": "user", "messages": [message]});
    app.api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let response = app.ask("s", "u", "Hi").await.assert_status(200);
    let chunks = chunks(&response.body);
    let last = chunks.last().unwrap();
    assert_eq!(last["type"], "error");
    assert!(
        last["errorText"]
            .as_str()
            .unwrap()
            .contains("tokens_per_day")
    );
    assert_eq!(app.model.calls().len(), 0);
    let body = json!({"session_id": "s", "content": "Hi", "stream": false});
    let response = app.api.post("/api/chat", &body).await;
    assert_exhausted(response, "per day");
}

#[tokio::test]
async fn callers_have_their_own_limits() {
    let app = app_with("turns_per_minute=1").await;
    app.model.otherwise(answer("a"));
    app.ask("s", "u", "Hi").await.assert_status(200);
    app.ask("s", "u2", "Hi")
        .await
        .assert_error(429, "budget_exhausted");
}

#[tokio::test]
async fn strangers_may_chat_only_where_that_is_allowed() {
    for (is_reachable, is_allowed, status) in
        [(true, false, 403), (true, true, 200), (false, false, 200)]
    {
        let app = ChatApp::with(|config| {
            config.access.is_network_reachable = is_reachable;
            config.access.allow_anonymous = true;
            config.chat.allow_anonymous = is_allowed;
        })
        .await;
        app.model.otherwise(answer("a"));
        let response = app.ask("s", "u", "Hi").await;
        if status == 403 {
            let problem = response.assert_error(403, "anonymous_chat");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("ALLOW_ANONYMOUS_CHAT=true"), "{detail}");
            assert_eq!(app.model.calls().len(), 0);
        } else {
            response.assert_status(200);
        }
    }
}
