//! Limits of an answer.

use llmos::provider::error::ErrorKind;
use llmos::provider::event::ModelEvent;
use llmos::provider::{MAX_ANSWER_BYTES, MAX_BLOCKS, MAX_TOOL_CALLS, MAX_TOOL_INPUT_BYTES, Wire};
use serde_json::{Value, json};

use super::{WIRES, answer, ask, provider, text};
use crate::support::{ModelAnswer, ModelServer, Script, Step};

/// Checks that an answer fails, and that the connection is closed although the server goes on.
async fn assert_over_limit(wire: Wire, body: String) -> Vec<ModelEvent> {
    let server = ModelServer::start().await;
    server.otherwise(Script::events(body).then(Step::Stall));
    let (events, error) = ask(&provider(&server, wire)).await;
    let error = error.unwrap();
    assert_eq!(
        (error.kind, error.is_retryable),
        (ErrorKind::Upstream, false)
    );
    server.wait_for_close(0).await;
    assert_eq!(server.calls().len(), 1);
    events
}

#[tokio::test]
async fn text_over_the_limit_is_an_error() {
    let piece = "x".repeat(64 * 1024);
    for wire in WIRES {
        let pieces = vec![piece.as_str(); 17];
        let events = assert_over_limit(wire, answer(wire, &ModelAnswer::pieces(&pieces))).await;
        assert_eq!(text(&events).len(), MAX_ANSWER_BYTES);
        assert!(
            !events
                .iter()
                .any(|it| matches!(it, ModelEvent::Finished(_)))
        );
    }
}

#[tokio::test]
async fn event_over_the_limit_is_an_error() {
    for wire in WIRES {
        assert_over_limit(wire, format!("data: {}", "x".repeat(1100 * 1024))).await;
    }
}

fn chunk(calls: &[Value]) -> String {
    format!(
        "data: {}\n\n",
        json!({"choices": [{"delta": {"tool_calls": calls}}]})
    )
}

fn call(index: usize, arguments: &str) -> Value {
    json!({"index": index, "id": format!("call_{index}"), "function": {"name": "f", "arguments": arguments}})
}

#[tokio::test]
async fn input_of_tools_and_their_number_are_limited() {
    let wire = Wire::ChatCompletions;
    let body = chunk(&[call(0, "a")]) + &chunk(&[call(0, &"x".repeat(MAX_TOOL_INPUT_BYTES))]);
    assert_over_limit(wire, body).await;
    // Arguments that are held back, because the id does not arrive.
    let held = json!({"index": 0, "function": {"name": "f", "arguments": "x".repeat(MAX_TOOL_INPUT_BYTES + 1)}});
    assert_over_limit(wire, chunk(&[held])).await;
    let calls: String = (0..=MAX_TOOL_CALLS)
        .map(|index| chunk(&[call(index, "{}")]))
        .collect();
    let events = assert_over_limit(wire, calls).await;
    let started = events
        .iter()
        .filter(|it| matches!(it, ModelEvent::ToolStart { .. }));
    assert_eq!(started.count(), MAX_TOOL_CALLS);
    let unnamed = json!({"index": 0, "id": "x".repeat(300), "function": {"name": "f"}});
    assert_over_limit(wire, chunk(&[unnamed])).await;
}

#[tokio::test]
async fn blocks_are_limited() {
    let start = |index: usize| json!({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": "a"}});
    let body: String = (0..=MAX_BLOCKS)
        .map(|index| format!("data: {}\n\n", start(index)))
        .collect();
    let events = assert_over_limit(Wire::Anthropic, body).await;
    assert_eq!(text(&events).len(), MAX_BLOCKS);

    let pair = "data: {\"choices\": [{\"delta\": {\"reasoning\": \"r\", \"content\": \"t\"}}]}\n\n";
    assert_over_limit(Wire::ChatCompletions, pair.repeat(MAX_BLOCKS)).await;
}
