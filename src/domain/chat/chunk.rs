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
}
