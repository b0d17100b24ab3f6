//! The wires.

use super::failure::Failure;
use super::output::Output;
use super::sse::SseEvent;
use super::{anthropic, chat_completions};

/// A protocol of providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Anthropic's Messages.
    Anthropic,
    /// OpenAI's Chat Completions.
    ChatCompletions,
}

/// The reader of one answer.
#[derive(Debug)]
pub(super) enum Reader {
    Anthropic(anthropic::Reader),
    ChatCompletions(chat_completions::Reader),
}

impl Reader {
    pub(super) fn new(wire: Wire) -> Self {
        match wire {
            Wire::Anthropic => Self::Anthropic(anthropic::Reader::default()),
            Wire::ChatCompletions => Self::ChatCompletions(chat_completions::Reader::default()),
        }
    }

    /// Reads an event.
    pub(super) fn read(&mut self, event: &SseEvent, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Anthropic(reader) => reader.read(event, output),
            Self::ChatCompletions(reader) => reader.read(event, output),
        }
    }

    /// Returns whether the answer is whole, although counts of tokens may follow.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Anthropic(_) => false,
            Self::ChatCompletions(reader) => reader.is_whole(),
        }
    }

    /// Reads the end of the stream, and returns whether the answer is whole.
    pub(super) fn end(&mut self, output: &mut Output) -> Result<bool, Failure> {
        match self {
            Self::Anthropic(_) => Ok(false),
            Self::ChatCompletions(reader) => reader.end(output),
        }
    }
}
