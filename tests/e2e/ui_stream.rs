//! Streams of our encoder, read by the chat of the AI SDK in five versions: the messages that clients build are those that
//! are stored.

use llmos::domain::chat::chunk::{Chunk, coalesce};
use llmos::domain::chat::{Ending, PartCounts, PartsBuilder, chunks_of_parts};
use llmos::provider::event::{FinishReason, ModelEvent};
use llmos::provider::request::ReasoningProof;
use llmos::service::chat::encode::{Encoder, Step, ToolNames, ToolOutput};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::run_script;

/// A stream of one turn.
struct Turn {
    encoder: Encoder,
    builder: PartsBuilder,
    chunks: Vec<Chunk>,
    existing: Option<Value>,
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

impl Turn {
    /// Begins a turn, or one that continues a message with these parts.
    fn new(existing: Option<Value>) -> Self {
        let parts = existing.as_ref().map(raw);
        let names = |name: &str| [name.to_owned()].into_iter().collect();
        let (server, client) = (names("load_skill"), names("ask"));
        let counts = parts.as_deref().map(PartCounts::of).unwrap_or_default();
        let mut turn = Self {
            encoder: Encoder::new(ToolNames { server, client }, counts),
            builder: PartsBuilder::new(parts.as_deref()),
            chunks: Vec::new(),
            existing,
        };
        let message_metadata = Some(raw(&json!({"turnId": "t", "usage": {"a": 1}})));
        turn.send(vec![Chunk::Start {
            message_id: "answer".to_owned(),
            message_metadata,
        }]);
        let begin = turn.encoder.start_step();
        turn.send(begin);
        turn
    }

    fn send(&mut self, chunks: Vec<Chunk>) {
        for chunk in &chunks {
            self.builder.push(&chunk.to_json()).unwrap();
        }
        self.chunks.extend(chunks);
    }

    fn events(&mut self, events: Vec<ModelEvent>) -> &mut Self {
        let chunks = events
            .into_iter()
            .flat_map(|event| self.encoder.event(event));
        let chunks = chunks.collect();
        self.send(chunks);
        self
    }

    fn text(&mut self, block: u32, text: &str) -> &mut Self {
        let deltas = text.split_inclusive(' ').map(ToOwned::to_owned);
        let events = deltas.map(|delta| ModelEvent::Text { block, delta });
        self.events(events.collect())
    }

    fn call(&mut self, block: u32, name: &str, input: &str) -> &mut Self {
        let (call_id, name) = ("call_0".to_owned(), name.to_owned());
        let mut events = vec![ModelEvent::ToolStart {
            block,
            call_id,
            name,
        }];
        let deltas = input.split_inclusive(':').map(ToOwned::to_owned);
        events.extend(deltas.map(|delta| ModelEvent::ToolInput { block, delta }));
        events.push(ModelEvent::End { block });
        self.events(events)
    }

    /// Ends a step, with outputs for the calls that the server runs.
    fn end_step(&mut self, reason: FinishReason) -> Step {
        self.events(vec![ModelEvent::Finished(reason)]);
        let (chunks, step) = self.encoder.take_step();
        self.send(chunks);
        let calls = step.calls.iter();
        let calls = calls.filter(|call| call.is_server && call.error.is_none());
        let outputs: Vec<Chunk> = calls
            .map(|call| ToolOutput::Text("a document".to_owned()).to_chunk(call))
            .collect();
        self.send(outputs);
        self.send(vec![Chunk::FinishStep]);
        step
    }

    fn next_step(&mut self) -> &mut Self {
        let begin = self.encoder.start_step();
        self.send(begin);
        self
    }

    /// Ends the turn, and returns the cases of its stream: as the response to a request, and as a replay.
    fn close(mut self, name: &str, ending: Ending) -> Vec<Value> {
        let error = match &ending {
            Ending::Failed(text) => json!(text),
            _ => Value::Null,
        };
        let metadata = raw(&json!({"usage": {"b": 2}, "finishReason": "x"}));
        let closing = self.builder.closing(ending, Some(metadata));
        self.send(closing);
        let metadata: Value = serde_json::from_str(self.builder.metadata().unwrap().get()).unwrap();
        let parts: Value = serde_json::from_str(self.builder.finish().get()).unwrap();
        let chunks = coalesce(self.chunks);
        let user =
            json!({"id": "question", "role": "user", "parts": [{"type": "text", "text": "Hi"}]});
        let history = match &self.existing {
            Some(parts) => json!([user, {"id": "answer", "role": "assistant", "parts": parts}]),
            None => json!([]),
        };
        let mut replay = chunks.clone();
        let existing = self.existing.as_ref().map(raw);
        let stored = existing.as_deref().map(chunks_of_parts);
        replay.splice(1..1, stored.unwrap_or_default());
        let case = |kind: &str, history: Value, chunks: &[Chunk]| {
            json!({
                "name": format!("{name} ({kind})"), "kind": kind, "history": history, "body": body(chunks),
                "parts": parts, "metadata": metadata, "error": error,
            })
        };
        vec![
            case("send", history, &chunks),
            case("resume", json!([user]), &replay),
        ]
    }
}

/// Returns the body of a response, with comments and event ids.
fn body(chunks: &[Chunk]) -> String {
    let mut body = ": stream-open\n\n".to_owned();
    for (index, chunk) in chunks.iter().enumerate() {
        body += &format!(
            "data: {}\nid: t.{index}\n\n: keep-alive\n\n",
            chunk.to_json()
        );
    }
    body + "data: [DONE]\n\n"
}

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
