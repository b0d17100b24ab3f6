//! The events of a model's answer, the same for every wire.

use super::request::ReasoningProof;

/// An event of an answer. Blocks are numbered from 0 in the order in which they begin; no number is used twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelEvent {
    /// The provider began to answer.
    Started {
        /// The provider's id of the answer.
        response_id: Option<String>,
        /// The model that answers, which may be another one than the requested one.
        model: Option<String>,
    },
    /// More text of a block.
    Text {
        /// The number of the block.
        block: u32,
        /// The text.
        delta: String,
    },
    /// More reasoning of a block.
    Reasoning {
        /// The number of the block.
        block: u32,
        /// The text; empty for reasoning that the provider encrypted.
        delta: String,
    },
    /// What must be sent back with the reasoning of a block.
    ReasoningProof {
        /// The number of the block.
        block: u32,
        /// The signature or the encrypted reasoning.
        proof: ReasoningProof,
    },
    /// The model calls a tool.
    ToolStart {
        /// The number of the block.
        block: u32,
        /// The id of the call; not empty.
        call_id: String,
        /// The name of the tool; not empty.
        name: String,
    },
    /// More of the arguments of a call, as JSON text.
    ToolInput {
        /// The number of the block.
        block: u32,
        /// The text.
        delta: String,
    },
    /// A block is whole.
    End {
        /// The number of the block.
        block: u32,
    },
    /// The tokens used so far; a later event replaces an earlier one.
    Usage(ModelUsage),
    /// The answer is whole. The last event.
    Finished(FinishReason),
    /// The provider is alive but has nothing to say.
    Ping,
}

/// Counts of tokens. A count that the provider does not report is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelUsage {
    /// All input tokens, with those that were read from or written to a cache.
    pub input_tokens: Option<u64>,
    /// All output tokens, with reasoning.
    pub output_tokens: Option<u64>,
    /// The input tokens that were read from a cache.
    pub cached_input_tokens: Option<u64>,
    /// The output tokens of reasoning.
    pub reasoning_tokens: Option<u64>,
    /// The provider's own figure of the cost in dollars, as decimal text.
    pub cost: Option<String>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model had nothing more to say.
    Stop,
    /// The limit of output tokens or of the context was reached.
    Length,
    /// The provider withheld content.
    ContentFilter,
    /// The model waits for the results of tools.
    ToolCalls,
    /// Another reason.
    Other,
}

impl FinishReason {
    /// Returns the name in the UI message stream.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content-filter",
            Self::ToolCalls => "tool-calls",
            Self::Other => "other",
        }
    }
}
