//! Outputs of tools of the server.

use serde_json::value::RawValue;

use super::call::{Call, is_usable};
use super::without_nul;
use crate::domain::chat::chunk::Chunk;
use crate::provider::request::ModelPart;
use crate::util::json;

/// The output of a tool of the server.
#[derive(Clone, Debug)]
pub enum ToolOutput {
    /// A text.
    Text(String),
    /// A value.
    Json(Box<RawValue>),
    /// The tool failed; the text is for the model and for a person.
    Error(String),
}

impl ToolOutput {
    /// Returns the chunk of the output.
    pub fn to_chunk(&self, call: &Call) -> Chunk {
        self.chunk(call.id.clone(), call.is_server.then_some(true))
    }

    /// Returns the chunk of the output of a call of an earlier step.
    pub fn to_chunk_of(&self, call_id: &str) -> Chunk {
        self.chunk(call_id.to_owned(), Some(true))
    }

    fn chunk(&self, tool_call_id: String, provider_executed: Option<bool>) -> Chunk {
        let output = match self {
            Self::Error(error) => {
                return Chunk::ToolOutputError {
                    tool_call_id,
                    error_text: without_nul(error),
                    provider_executed,
                };
            }
            Self::Text(text) => json::raw(&without_nul(text)),
            Self::Json(value) if is_usable(value) => value.clone(),
            Self::Json(value) => json::raw(&value.get()),
        };
        Chunk::ToolOutputAvailable {
            tool_call_id,
            output,
            provider_executed,
        }
    }

    /// Returns the output for the next request.
    pub fn to_model_part(&self, call: &Call) -> ModelPart {
        let (output, is_error) = match self {
            Self::Text(text) => (text.clone(), false),
            Self::Json(value) => (value.get().to_owned(), false),
            Self::Error(error) => (error.clone(), true),
        };
        ModelPart::ToolResult {
            id: call.id.clone(),
            name: call.name.clone(),
            output,
            is_error,
        }
    }
}
