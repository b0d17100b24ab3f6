//! Answers as one JSON document, and as events.

use std::convert::Infallible;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::response::Sse;
use axum::response::sse::Event as SseEvent;
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::MODEL;
use crate::engine::{Event, Usage};
use crate::error::ApiError;

/// The members that all parts of one answer share.
struct Envelope {
    id: String,
    created: u64,
}

impl Envelope {
    fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            id: format!("chatcmpl-{:016x}", fastrand::u64(..)),
            created: now.as_secs(),
        }
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": MODEL,
            "choices": choices,
        })
    }

    fn delta(&self, delta: &Value, finish_reason: Option<&str>) -> Value {
        self.chunk(&json!([{"index": 0, "delta": delta, "finish_reason": finish_reason}]))
    }

    /// Returns the events of one part of the answer.
    fn events(&self, event: Event, include_usage: bool) -> Vec<String> {
        match event {
            Event::Text(text) => vec![self.delta(&json!({"content": text}), None).to_string()],
            Event::End { finish, usage } => {
                let mut events = vec![self.delta(&json!({}), Some(finish.name())).to_string()];
                if include_usage {
                    let mut chunk = self.chunk(&json!([]));
                    chunk["usage"] = usage_object(usage);
                    events.push(chunk.to_string());
                }
                events.push("[DONE]".to_owned());
                events
            }
            // A stream that failed has no [DONE].
            Event::Failed(message) => vec![ApiError::internal(message).body().to_string()],
        }
    }
}

/// Returns the answer as events. Dropping the response stops the generation.
pub(crate) fn stream(
    events: UnboundedReceiver<Event>,
    include_usage: bool,
) -> Sse<impl Stream<Item = Result<SseEvent, Infallible>>> {
    let envelope = Envelope::new();
    let role = envelope
        .delta(&json!({"role": "assistant", "content": ""}), None)
        .to_string();
    let parts = stream::unfold(events, async |mut events| {
        Some((events.recv().await?, events))
    });
    let rest = parts.flat_map(move |event| stream::iter(envelope.events(event, include_usage)));
    let all = stream::once(async { role }).chain(rest);
    Sse::new(all.map(|data| Ok(SseEvent::default().data(data))))
}

/// Returns the whole answer. Dropping the future stops the generation.
pub(crate) async fn complete(mut events: UnboundedReceiver<Event>) -> Result<Value, ApiError> {
    let envelope = Envelope::new();
    let mut content = String::new();
    while let Some(event) = events.recv().await {
        match event {
            Event::Text(text) => content.push_str(&text),
            Event::Failed(message) => return Err(ApiError::internal(message)),
            Event::End { finish, usage } => {
                return Ok(json!({
                    "id": envelope.id, "object": "chat.completion", "created": envelope.created, "model": MODEL,
                    "choices": [{
                        "index": 0,
                        "message": {"role": "assistant", "content": content, "refusal": null},
                        "finish_reason": finish.name(),
                    }],
                    "usage": usage_object(usage),
                }));
            }
        }
    }
    Err(ApiError::internal(
        "The generation ended without a result.".to_owned(),
    ))
}

fn usage_object(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": 0},
    })
}
