//! Streams of our encoder, read by the chat of the AI SDK in five versions: the messages that clients build are those that
//! are stored.

mod turn;

use llmos::domain::chat::Ending;
use llmos::domain::chat::chunk::Chunk;
use llmos::provider::event::{FinishReason, ModelEvent};
use llmos::provider::request::ReasoningProof;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::turn::{Turn, raw};
use crate::support::run_script;

fn reasoning(turn: &mut Turn, proof: ReasoningProof) {
    let delta = match &proof {
        ReasoningProof::Signature(_) => "Let me think".to_owned(),
        ReasoningProof::Redacted(_) => String::new(),
    };
    turn.events(vec![
        ModelEvent::Reasoning { block: 0, delta },
        ModelEvent::ReasoningProof { block: 0, proof },
        ModelEvent::End { block: 0 },
    ]);
}

/// Returns the cases of turns that begin a message.
fn new_messages() -> Vec<Value> {
    let mut cases = Vec::new();
    let mut turn = Turn::new(None);
    reasoning(&mut turn, ReasoningProof::Signature("proof".to_owned()));
    turn.text(1, "Héllo 😀 \"you\"\nthere");
    turn.end_step(FinishReason::Stop);
    cases.extend(turn.close("reasoning and text", Ending::Completed("stop")));

    let mut turn = Turn::new(None);
    reasoning(&mut turn, ReasoningProof::Redacted("secret".to_owned()));
    turn.text(1, "Cut off");
    turn.end_step(FinishReason::Length);
    cases.extend(turn.close("redacted, cut off", Ending::Incomplete));

    let mut turn = Turn::new(None);
    turn.text(0, "I ask:").call(1, "ask", r#"{"q":[1.5,null]}"#);
    turn.end_step(FinishReason::ToolCalls);
    cases.extend(turn.close("tool of the client", Ending::Completed("tool-calls")));

    let mut turn = Turn::new(None);
    turn.call(0, "load_skill", r#"{"id":"x"}"#)
        .call(1, "load_skill", "");
    assert!(turn.end_step(FinishReason::ToolCalls).continues());
    let title = raw(&json!({"title": "A title"}));
    turn.send(vec![Chunk::Title {
        data: title,
        transient: true,
    }]);
    turn.next_step().text(0, "Read it.");
    turn.end_step(FinishReason::Stop);
    cases.extend(turn.close("tools of the server, title", Ending::Completed("stop")));

    // The last step has a result of the server only: no client may take it for its own.
    let mut turn = Turn::new(None);
    turn.call(0, "load_skill", "{}");
    turn.end_step(FinishReason::ToolCalls);
    cases.extend(turn.close("maximum of steps", Ending::Incomplete));

    let mut turn = Turn::new(None);
    turn.call(0, "ask", r#"{"q":"#)
        .call(1, "unknown tool", "{}");
    assert!(turn.end_step(FinishReason::ToolCalls).continues());
    turn.next_step().text(0, "Sorry.");
    turn.end_step(FinishReason::Stop);
    cases.extend(turn.close("unusable calls", Ending::Completed("stop")));

    let mut turn = Turn::new(None);
    turn.call(0, "ask", r#"{"q":"#);
    turn.end_step(FinishReason::Length);
    cases.extend(turn.close("call that was cut off", Ending::Incomplete));

    for (name, ending) in [
        ("stopped", Ending::Stopped),
        (
            "failed",
            Ending::Failed("The model provider failed.".to_owned()),
        ),
    ] {
        let mut turn = Turn::new(None);
        turn.text(0, "Half of a sent");
        let block = 1;
        turn.events(vec![
            ModelEvent::ToolStart {
                block,
                call_id: "c".to_owned(),
                name: "ask".to_owned(),
            },
            ModelEvent::ToolInput {
                block,
                delta: r#"{"q"#.to_owned(),
            },
        ]);
        cases.extend(turn.close(name, ending));
    }
    cases
}

/// Returns the cases of turns that continue a message.
fn continued_messages() -> Vec<Value> {
    let existing = json!([
        {"type": "step-start"},
        {"type": "reasoning", "text": "hm", "state": "done", "providerMetadata": {"anthropic": {"signature": "s"}}},
        {"type": "text", "text": "I ask:", "state": "done"},
        {"type": "tool-ask", "toolCallId": "call_0", "state": "output-available", "input": {"q": 1}, "output": {"a": [2]}},
        {"type": "tool-ask", "toolCallId": "call_1", "state": "output-error", "input": {"q": 2}, "errorText": "no"},
    ]);
    let mut cases = Vec::new();
    let mut turn = Turn::new(Some(existing));
    turn.text(0, "Thank you.").call(1, "ask", "{}");
    turn.end_step(FinishReason::ToolCalls);
    cases.extend(turn.close("continued", Ending::Completed("tool-calls")));

    // A call of the server that waited for an approval gets its output before the next step.
    let existing = json!([
        {"type": "step-start"},
        {"type": "source-url", "sourceId": "s", "url": "https://example.com", "title": "T"},
        {"type": "data-x", "id": "d", "data": {"a": 1}},
        {"type": "tool-load_skill", "toolCallId": "w", "state": "input-available", "input": {}, "providerExecuted": true},
    ]);
    let mut turn = Turn::new(Some(existing));
    turn.send(vec![Chunk::ToolOutputAvailable {
        tool_call_id: "w".to_owned(),
        output: raw(&json!(null)),
        provider_executed: Some(true),
    }]);
    turn.text(0, "Written.");
    turn.end_step(FinishReason::Stop);
    cases.extend(turn.close("continued by the server", Ending::Completed("stop")));
    cases
}

/// Runs the script with one version of the AI SDK.
async fn run(package: &str) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("cases.json");
    let cases = [new_messages(), continued_messages()].concat();
    std::fs::write(&file, json!(cases).to_string()).unwrap();
    let file = file.to_str().unwrap();
    let printed = run_script("chat/ui_stream.mjs", &[package, file], &[]).await;
    assert!(
        printed.contains(&format!("✓ {} streams", cases.len())),
        "{printed}"
    );
}

#[tokio::test]
async fn ai_5_0_150_builds_the_stored_parts() {
    run("ai-5.0.150").await;
}

#[tokio::test]
async fn ai_5_0_277_builds_the_stored_parts() {
    run("ai-5.0.277").await;
}

#[tokio::test]
async fn ai_6_0_200_builds_the_stored_parts() {
    run("ai-6.0.200").await;
}

#[tokio::test]
async fn ai_6_0_326_builds_the_stored_parts() {
    run("ai-6.0.326").await;
}

#[tokio::test]
async fn ai_7_0_173_builds_the_stored_parts() {
    run("ai-7.0.173").await;
}
