//! Streams of turns, and the message that they form.

use llmos::domain::chat::chunk::Chunk;
use llmos::domain::chat::{Ending, PartCounts, PartsBuilder, chunks_of_parts, coalesce};
use llmos::provider::event::{FinishReason, ModelEvent};
use llmos::service::chat::encode::{Encoder, Step, ToolNames, ToolOutput};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

/// A stream of one turn.
pub struct Turn {
    encoder: Encoder,
    builder: PartsBuilder,
    chunks: Vec<Chunk>,
    existing: Option<Value>,
}

pub fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

impl Turn {
    /// Begins a turn, or one that continues a message with these parts.
    pub fn new(existing: Option<Value>) -> Self {
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

    pub fn send(&mut self, chunks: Vec<Chunk>) {
        for chunk in &chunks {
            self.builder.push(&chunk.to_json()).unwrap();
        }
        self.chunks.extend(chunks);
    }

    pub fn events(&mut self, events: Vec<ModelEvent>) -> &mut Self {
        let chunks = events
            .into_iter()
            .flat_map(|event| self.encoder.event(event));
        let chunks = chunks.collect();
        self.send(chunks);
        self
    }

    pub fn text(&mut self, block: u32, text: &str) -> &mut Self {
        let deltas = text.split_inclusive(' ').map(ToOwned::to_owned);
        let events = deltas.map(|delta| ModelEvent::Text { block, delta });
        self.events(events.collect())
    }

    pub fn call(&mut self, block: u32, name: &str, input: &str) -> &mut Self {
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
    pub fn end_step(&mut self, reason: FinishReason) -> Step {
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

    pub fn next_step(&mut self) -> &mut Self {
        let begin = self.encoder.start_step();
        self.send(begin);
        self
    }

    /// Ends the turn, and returns the cases of its stream: as the response to a request, and as a replay.
    pub fn close(mut self, name: &str, ending: Ending) -> Vec<Value> {
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
