//! Failures: what is retried, what is reported, and what no error repeats.

use std::time::{Duration, Instant};

use llmos::provider::Wire;
use llmos::provider::error::ErrorKind;
use llmos::provider::event::{FinishReason, ModelEvent};
use llmos::util::secret::Secret;
use serde_json::{Value, json};

use super::{KEY, WIRES, answer, ask, impatient, provider, question, settings, text};
use crate::support::{ModelAnswer, ModelServer, Script, Step};

fn overloaded() -> Value {
    json!({"type": "error", "error": {"type": "overloaded_error", "message": format!("Overloaded {KEY}")}})
}

fn error_event() -> String {
    format!("event: error\ndata: {}\n\n", overloaded())
}

/// The beginning of an answer, with some text.
fn beginning(wire: Wire) -> String {
    let whole = answer(wire, &ModelAnswer::pieces(&["one ", "two"]));
    let end = whole.find("two").unwrap();
    let end = whole[..end].rfind("\n\n").unwrap();
    whole[..end + 2].to_owned()
}

#[tokio::test]
async fn error_as_first_event_is_retried_once() {
    for wire in WIRES {
        let server = ModelServer::start().await;
        let start = answer(wire, &ModelAnswer::text("x"));
        let start = &start[..start.find("\n\n").unwrap() + 2];
        server.push(Script::events(format!("{start}{}", error_event())));
        server.push(Script::events(answer(wire, &ModelAnswer::text("fine"))));
        let (events, error) = ask(&provider(&server, wire)).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(text(&events), "fine");
        assert_eq!(
            events.last(),
            Some(&ModelEvent::Finished(FinishReason::Stop))
        );
        assert_eq!(server.calls().len(), 2);
        let started = events
            .iter()
            .filter(|it| matches!(it, ModelEvent::Started { .. }));
        assert_eq!(started.count(), 1);

        server.otherwise(Script::events(error_event()));
        let (events, error) = ask(&provider(&server, wire)).await;
        let error = error.unwrap();
        assert_eq!(
            (error.kind, error.is_retryable),
            (ErrorKind::Overloaded, true)
        );
        assert!(events.is_empty());
        assert_eq!(server.calls().len(), 4);
    }
}

#[tokio::test]
async fn error_after_content_is_not_retried() {
    for wire in WIRES {
        for (end, kind) in [
            (Step::Send(error_event().into()), ErrorKind::Overloaded),
            (Step::Close, ErrorKind::Interrupted),
            (Step::Reset, ErrorKind::Interrupted),
            // A body that ends as if it was whole.
            (Step::Wait(Duration::ZERO), ErrorKind::Interrupted),
        ] {
            let server = ModelServer::start().await;
            let first = Step::Send(beginning(wire).into());
            let wait = Step::Wait(Duration::from_millis(100));
            server.push(Script::steps(vec![first, wait, end]));
            let (events, error) = ask(&provider(&server, wire)).await;
            assert_eq!(error.unwrap().kind, kind);
            assert_eq!(text(&events), "one ");
            assert_eq!(server.calls().len(), 1);
        }
    }
}

#[tokio::test]
async fn lost_connections_before_content_are_retried_once() {
    for wire in WIRES {
        for end in [Step::Close, Step::Reset] {
            let server = ModelServer::start().await;
            server.push(Script::steps(vec![end.clone()]));
            server.push(Script::events(answer(wire, &ModelAnswer::text("fine"))));
            let (events, error) = ask(&provider(&server, wire)).await;
            assert!(error.is_none(), "{error:?}");
            assert_eq!(text(&events), "fine");
            assert_eq!(server.calls().len(), 2);
        }
    }
}

#[tokio::test]
async fn error_responses_are_classified_and_some_are_retried() {
    let error = |code: &str| json!({"error": {"message": KEY, "type": code, "code": code}});
    for (status, body, kind, attempts) in [
        (
            400,
            json!({"object": "error", "message": KEY, "code": 400}),
            ErrorKind::Invalid,
            1,
        ),
        (401, error("invalid_api_key"), ErrorKind::Auth, 1),
        (
            402,
            json!({"error": {"code": 402, "message": KEY}}),
            ErrorKind::Quota,
            1,
        ),
        (404, error("model_not_found"), ErrorKind::UnknownModel, 1),
        (429, error("rate_limit_exceeded"), ErrorKind::RateLimited, 2),
        (429, error("insufficient_quota"), ErrorKind::Quota, 1),
        (500, json!({"error": "broken"}), ErrorKind::Upstream, 2),
        (529, overloaded(), ErrorKind::Overloaded, 2),
    ] {
        for wire in WIRES {
            let server = ModelServer::start().await;
            server.otherwise(Script::error(status, &body).header("request-id", "req_1"));
            let (_, error) = ask(&provider(&server, wire)).await;
            let error = error.unwrap();
            assert_eq!(error.kind, kind, "{status} {body}");
            assert_eq!(error.status, Some(status));
            assert_eq!(error.request_id.as_deref(), Some("req_1"));
            assert_eq!(server.calls().len(), attempts, "{status} {body}");
            let shown = format!("{error} {error:?} {}", error.kind.sentence());
            assert!(!shown.contains(KEY), "{shown}");
        }
    }
}

#[tokio::test]
async fn retry_after_is_respected_up_to_ten_seconds() {
    let server = ModelServer::start().await;
    let limited = Script::error(429, &Value::Null);
    server.push(limited.clone().header("retry-after", "1"));
    server.push(Script::events(ModelAnswer::text("fine").anthropic()));
    let started = Instant::now();
    let (events, _) = ask(&provider(&server, Wire::Anthropic)).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(text(&events), "fine");

    server.push(limited.clone().header("retry-after", "11"));
    let (_, error) = ask(&provider(&server, Wire::Anthropic)).await;
    assert_eq!(error.unwrap().retry_after, Some(Duration::from_secs(11)));
    server.push(limited.header("x-should-retry", "false"));
    let (_, error) = ask(&provider(&server, Wire::Anthropic)).await;
    assert!(!error.unwrap().is_retryable);
    assert_eq!(server.calls().len(), 4);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (server, other) = (ModelServer::start().await, ModelServer::start().await);
    for status in [301, 302, 307, 308] {
        let to = format!("{}/chat/completions", other.base_url());
        server.push(Script::error(status, &Value::Null).header("location", &to));
        let (_, error) = ask(&provider(&server, Wire::ChatCompletions)).await;
        assert_eq!(error.unwrap().kind, ErrorKind::Upstream);
    }
    assert_eq!(server.calls().len(), 4);
    assert!(other.calls().is_empty());
}

#[tokio::test]
async fn silence_is_a_timeout_and_pings_are_life() {
    for wire in WIRES {
        let server = ModelServer::start().await;
        server.otherwise(Script::silence());
        let (_, error) = ask(&impatient(&server, wire, 200, 200)).await;
        assert_eq!(error.unwrap().kind, ErrorKind::Timeout);
        assert_eq!(server.calls().len(), 2);

        // The head arrives, but no content.
        let server = ModelServer::start().await;
        server.otherwise(Script::steps(vec![Step::Stall]));
        let (_, error) = ask(&impatient(&server, wire, 200, 200)).await;
        assert_eq!(error.unwrap().kind, ErrorKind::Timeout);

        // Content, then silence.
        let server = ModelServer::start().await;
        server.push(Script::events(beginning(wire)).then(Step::Stall));
        let (events, error) = ask(&impatient(&server, wire, 5000, 200)).await;
        assert_eq!(error.unwrap().kind, ErrorKind::Timeout);
        assert_eq!(text(&events), "one ");

        // Comments and pings for longer than both limits, then the answer.
        let server = ModelServer::start().await;
        let mut script = Script::events("");
        for _ in 0..8 {
            let ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n:\n\n";
            script = script.then(Step::Send(ping.into()));
            script = script.then(Step::Wait(Duration::from_millis(300)));
        }
        let end = answer(wire, &ModelAnswer::text("fine"));
        server.push(script.then(Step::Send(end.into())));
        let (events, error) = ask(&impatient(&server, wire, 1500, 1500)).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(text(&events), "fine");
        assert_eq!(server.calls().len(), 1);
    }
}

#[tokio::test]
async fn unreachable_server_and_unusable_keys_are_errors_without_secrets() {
    let server = ModelServer::start().await;
    let mut settings = settings(&server, Wire::ChatCompletions);
    settings.base_url = Some(Secret::new("http://127.0.0.1:9/v1".to_owned()));
    let provider = settings.select(None, None).unwrap();
    let error = provider.stream(&question()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    let shown = format!("{error} {error:?} {provider:?} {settings:?}");
    assert!(!shown.contains(KEY), "{shown}");

    settings.api_key = Some(Secret::new(format!("{KEY}\n")));
    settings.base_url = Some(Secret::new(server.base_url()));
    let provider = settings.select(None, None).unwrap();
    let error = provider.stream(&question()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(!format!("{error:?}").contains(KEY));
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn connection_that_breaks_after_the_end_of_an_answer_changes_nothing() {
    let body = ModelAnswer::text("fine").chat_completions();
    let end = body.find("data: {\"choices\":[],").unwrap();
    for step in [Step::Close, Step::Reset, Step::Stall] {
        let server = ModelServer::start().await;
        let wait = Step::Wait(Duration::from_millis(100));
        server.push(Script::events(&body[..end]).then(wait).then(step));
        let started = Instant::now();
        let (events, error) = ask(&provider(&server, Wire::ChatCompletions)).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(text(&events), "fine");
        assert!(started.elapsed() < Duration::from_secs(15));
    }
}
