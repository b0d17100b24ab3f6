//! Chunks of the UI message stream: the types and members that every supported version of the AI SDK accepts.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::util::json;

/// A chunk of the stream, serialized as `{"type": …, …}`.
#[derive(Clone, Debug, Serialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Chunk {
    /// The message begins, or goes on.
    Start {
        /// The id of the message.
        message_id: String,
        /// An object that the client merges into the metadata of the message.
        #[serde(skip_serializing_if = "Option::is_none")]
        message_metadata: Option<Box<RawValue>>,
    },
    /// A request to the model begins.
    StartStep,
    /// A request to the model is over.
    FinishStep,
    /// A text begins.
    TextStart {
        /// The id of the text, unique among those that are open.
        id: String,
    },
    /// More of a text.
    TextDelta {
        /// The id of the text.
        id: String,
        /// What to append.
        delta: String,
    },
    /// A text is whole.
    TextEnd {
        /// The id of the text.
        id: String,
    },
    /// Reasoning begins.
    ReasoningStart {
        /// The id of the reasoning.
        id: String,
    },
    /// More reasoning.
    ReasoningDelta {
        /// The id of the reasoning.
        id: String,
        /// What to append.
        delta: String,
    },
    /// Reasoning is whole.
    ReasoningEnd {
        /// The id of the reasoning.
        id: String,
        /// The provider's signature: `{"anthropic": {"signature" | "redactedData": …}}`.
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_metadata: Option<Box<RawValue>>,
    },
    /// The model calls a tool.
    ToolInputStart {
        /// The id of the call.
        tool_call_id: String,
        /// The name of the tool.
        tool_name: String,
        /// Whether the server runs the tool.
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_executed: Option<bool>,
    },
    /// More of the arguments of a call.
    ToolInputDelta {
        /// The id of the call.
        tool_call_id: String,
        /// JSON text to append.
        input_text_delta: String,
    },
    /// The arguments of a call are whole.
    ToolInputAvailable {
        /// The id of the call.
        tool_call_id: String,
        /// The name of the tool.
        tool_name: String,
        /// The arguments.
        input: Box<RawValue>,
        /// Whether the server runs the tool.
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_executed: Option<bool>,
    },
    /// The arguments of a call cannot be used.
    ToolInputError {
        /// The id of the call.
        tool_call_id: String,
        /// The name of the tool.
        tool_name: String,
        /// The arguments, as a string if they are not JSON.
        input: Box<RawValue>,
        /// What is wrong.
        error_text: String,
        /// Whether the server runs the tool.
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_executed: Option<bool>,
    },
    /// The result of a call.
    ToolOutputAvailable {
        /// The id of the call.
        tool_call_id: String,
        /// The result.
        output: Box<RawValue>,
        /// Whether the server ran the tool.
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_executed: Option<bool>,
    },
    /// A call failed.
    ToolOutputError {
        /// The id of the call.
        tool_call_id: String,
        /// Why it failed.
        error_text: String,
        /// Whether the server ran the tool.
        #[serde(skip_serializing_if = "Option::is_none")]
        provider_executed: Option<bool>,
    },
    /// The server asks whether it may run a tool. Only for clients of version 6 and later that said so.
    ToolApprovalRequest {
        /// The id of the request.
        approval_id: String,
        /// The id of the call.
        tool_call_id: String,
    },
    /// The person refused the call. Only for clients of version 6 and later that said so.
    ToolOutputDenied {
        /// The id of the call.
        tool_call_id: String,
    },
    /// The title of the session. Not part of the message.
    #[serde(rename = "data-llmos-title")]
    Title {
        /// `{"title": …}`.
        data: Box<RawValue>,
        /// Always `true`: the client does not store the chunk.
        transient: bool,
    },
    /// An object that the client merges into the metadata of the message.
    MessageMetadata {
        /// The object.
        message_metadata: Box<RawValue>,
    },
    /// The answer failed. Clients read no further.
    Error {
        /// Why, for a person.
        error_text: String,
    },
    /// The message is whole.
    Finish {
        /// `stop`, `length`, `content-filter`, `tool-calls`, `error` or `other`.
        finish_reason: &'static str,
        /// An object that the client merges into the metadata of the message.
        #[serde(skip_serializing_if = "Option::is_none")]
        message_metadata: Option<Box<RawValue>>,
    },
    /// A person stopped the answer.
    Abort,
    /// A chunk as JSON, made from a stored part: `source-url`, `source-document`, `file`, `data-*`, and chunks with members
    /// that this service does not send by itself.
    #[serde(untagged)]
    Stored(Box<RawValue>),
}

impl Chunk {
    /// Returns the chunk as JSON on one line, as the log and the stream contain it.
    pub fn to_json(&self) -> String {
        let text = json::text(self);
        // Line breaks in JSON are blanks between its tokens; a value of a client may have some.
        if text.contains(['\n', '\r']) {
            return text.replace(['\n', '\r'], " ");
        }
        text
    }
}

impl Chunk {
    /// Returns whether the chunk only adds to what is open, so that it can wait for the next ones.
    pub fn is_delta(&self) -> bool {
        self.delta().is_some()
    }

    /// Returns the approximate size of the chunk, in bytes.
    pub fn size(&self) -> usize {
        64 + self.delta().map_or(0, str::len)
    }

    /// Splits off what does not fit into `max_bytes` of JSON. Only deltas can be split.
    pub fn split(self, max_bytes: usize) -> (Self, Option<Self>) {
        let Some(delta) = self
            .delta()
            .filter(|delta| delta.len() * 6 + 256 > max_bytes)
        else {
            return (self, None);
        };
        let mut room = max_bytes.saturating_sub(256);
        let end = delta.char_indices().find_map(|(index, char)| {
            // A control character is written as six, a quote as two.
            let bytes = match char {
                char if char.is_control() => 6,
                '"' | '\\' => 2,
                char => char.len_utf8(),
            };
            let fits = room.checked_sub(bytes);
            room = fits.unwrap_or(0);
            (fits.is_none() && index > 0).then_some(index)
        });
        let Some(end) = end else {
            return (self, None);
        };
        let (head, rest) = delta.split_at(end);
        let (head, rest) = (head.to_owned(), rest.to_owned());
        (self.with_delta(head), Some(self.with_delta(rest)))
    }

    fn delta(&self) -> Option<&str> {
        match self {
            Self::TextDelta { delta, .. } | Self::ReasoningDelta { delta, .. } => Some(delta),
            Self::ToolInputDelta {
                input_text_delta, ..
            } => Some(input_text_delta),
            _ => None,
        }
    }

    fn with_delta(&self, text: String) -> Self {
        let mut chunk = self.clone();
        match &mut chunk {
            Self::TextDelta { delta, .. }
            | Self::ReasoningDelta { delta, .. }
            | Self::ToolInputDelta {
                input_text_delta: delta,
                ..
            } => *delta = text,
            _ => {}
        }
        chunk
    }
}

/// Merges adjacent deltas of one text, reasoning or call of a tool.
pub fn coalesce(chunks: Vec<Chunk>) -> Vec<Chunk> {
    let mut merged: Vec<Chunk> = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        if !merged.last_mut().is_some_and(|last| last.absorb(&chunk)) {
            merged.push(chunk);
        }
    }
    merged
}

impl Chunk {
    /// Appends a following delta of the same id; returns whether it is one.
    fn absorb(&mut self, next: &Self) -> bool {
        let (text, more) = match (self, next) {
            (
                Self::TextDelta { id, delta },
                Self::TextDelta {
                    id: other,
                    delta: more,
                },
            )
            | (
                Self::ReasoningDelta { id, delta },
                Self::ReasoningDelta {
                    id: other,
                    delta: more,
                },
            )
            | (
                Self::ToolInputDelta {
                    tool_call_id: id,
                    input_text_delta: delta,
                },
                Self::ToolInputDelta {
                    tool_call_id: other,
                    input_text_delta: more,
                },
            ) if id == other => (delta, more),
            _ => return false,
        };
        text.push_str(more);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_one_line_of_json() {
        let output: Box<RawValue> = serde_json::from_str("{\n\"a\":\r\n 1}").unwrap();
        let chunk = Chunk::ToolOutputAvailable {
            tool_call_id: "c".to_owned(),
            output: output.clone(),
            provider_executed: Some(true),
        };
        let expected = r#"{"type":"tool-output-available","toolCallId":"c","output":{ "a":   1},"providerExecuted":true}"#;
        assert_eq!(chunk.to_json(), expected);
        assert_eq!(Chunk::Stored(output).to_json(), r#"{ "a":   1}"#);
        assert_eq!(Chunk::FinishStep.to_json(), r#"{"type":"finish-step"}"#);
        assert_eq!(Chunk::Abort.to_json(), r#"{"type":"abort"}"#);
    }

    #[test]
    fn long_delta_is_split_between_characters() {
        let text = "é\u{1}\"".repeat(200);
        let mut rest = Some(Chunk::TextDelta {
            id: "t0".to_owned(),
            delta: text.clone(),
        });
        let mut joined = String::new();
        while let Some(chunk) = rest {
            let (head, tail) = chunk.split(400);
            assert!(head.to_json().len() <= 400);
            joined.push_str(head.delta().unwrap());
            rest = tail;
        }
        assert_eq!(joined, text);
    }

    #[test]
    fn coalesce_merges_adjacent_deltas_of_one_id() {
        let text = |id: &str, delta: &str| Chunk::TextDelta {
            id: id.to_owned(),
            delta: delta.to_owned(),
        };
        let chunks = vec![
            text("a", "1"),
            text("a", "2"),
            text("b", "3"),
            text("a", "4"),
            Chunk::FinishStep,
            text("a", "5"),
        ];
        let merged: Vec<String> = coalesce(chunks).iter().map(Chunk::to_json).collect();
        let expected = [
            text("a", "12"),
            text("b", "3"),
            text("a", "4"),
            Chunk::FinishStep,
            text("a", "5"),
        ];
        assert_eq!(merged, expected.map(|chunk| chunk.to_json()));
    }
}
