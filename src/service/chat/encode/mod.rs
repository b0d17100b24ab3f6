//! From the events of a model to chunks of the UI message stream.
//!
//! Calls of tools of the server are marked `providerExecuted`: clients then neither run them (`onToolCall`) nor count them in
//! `lastAssistantMessageIsCompleteWithToolCalls`, so no client sends a next request because of a tool of ours. The same holds
//! for calls of unknown tools, which end with an error at once.

mod call;
mod output;
mod step;

use std::collections::BTreeSet;

use crate::domain::chat::PartCounts;
use crate::domain::chat::chunk::Chunk;
use crate::provider::event::{ModelEvent, ModelUsage};

pub use self::call::{Call, MAX_TOOL_NAME_CHARS, ToolNames};
pub use self::output::ToolOutput;
pub use self::step::Step;

use self::call::{StreamedCall, unique_id};
use self::step::{Item, StepBuilder};

/// Converts the events of the steps of one message to chunks. Ids of texts, reasonings and calls are unique in the message.
#[derive(Debug)]
pub struct Encoder {
    tools: ToolNames,
    texts: usize,
    reasonings: usize,
    call_ids: BTreeSet<String>,
    step: StepBuilder,
}

impl Encoder {
    /// Returns an encoder; `existing` counts the stored parts of a message that goes on.
    pub fn new(tools: ToolNames, existing: PartCounts) -> Self {
        Self {
            tools,
            texts: existing.texts,
            reasonings: existing.reasonings,
            call_ids: existing.call_ids.into_iter().collect(),
            step: StepBuilder::default(),
        }
    }

    /// Begins a step. The first one of a turn is begun by the entry of the log with `start`.
    pub fn start_step(&mut self) -> Vec<Chunk> {
        self.step = StepBuilder::default();
        vec![Chunk::StartStep]
    }

    /// Converts an event.
    pub fn event(&mut self, event: ModelEvent) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        match event {
            ModelEvent::Started { response_id, model } => {
                self.step.response_id = response_id;
                self.step.model = model;
            }
            ModelEvent::Text { block, delta } => self.text(block, &delta, &mut chunks),
            ModelEvent::Reasoning { block, delta } if !delta.is_empty() => {
                let delta = without_nul(&delta);
                let (id, text, _) = self.reasoning(block, &mut chunks);
                text.push_str(&delta);
                let id = id.to_owned();
                chunks.push(Chunk::ReasoningDelta { id, delta });
            }
            ModelEvent::ReasoningProof { block, proof } => {
                let (_, _, kept) = self.reasoning(block, &mut chunks);
                *kept = Some(proof);
            }
            ModelEvent::ToolStart {
                block,
                call_id,
                name,
            } => {
                let id = unique_id(&call_id, &mut self.call_ids);
                let call = StreamedCall::new(id, &name, &self.tools);
                chunks.push(call.start());
                self.step.open(block, Item::Call(call));
            }
            ModelEvent::ToolInput { block, delta } if !delta.is_empty() => {
                if let Some(Item::Call(call)) = self.step.get(block) {
                    call.push(&delta);
                    let tool_call_id = call.id().to_owned();
                    chunks.push(Chunk::ToolInputDelta {
                        tool_call_id,
                        input_text_delta: delta,
                    });
                }
            }
            ModelEvent::End { block } => chunks.extend(self.step.end(block)),
            ModelEvent::Usage(usage) => self.step.usage = usage,
            ModelEvent::Finished(reason) => self.step.finish = Some(reason),
            ModelEvent::Reasoning { .. } | ModelEvent::ToolInput { .. } | ModelEvent::Ping => {}
        }
        chunks
    }

    /// Ends what is open after the last event, and returns the result of the step. The caller sends the outputs of the tools
    /// of the server, if any, then [`Chunk::FinishStep`].
    ///
    /// For an answer that was stopped or that failed, [`PartsBuilder::closing`](crate::domain::chat::PartsBuilder) ends the
    /// stream instead.
    pub fn take_step(&mut self) -> (Vec<Chunk>, Step) {
        std::mem::take(&mut self.step).finish()
    }

    /// Returns the usage that the provider reported in the step so far.
    pub fn usage(&self) -> &ModelUsage {
        &self.step.usage
    }

    /// Returns the number of characters that the model wrote in the step so far, for an estimate of its usage.
    pub fn output_chars(&self) -> usize {
        self.step.chars()
    }

    fn text(&mut self, block: u32, delta: &str, chunks: &mut Vec<Chunk>) {
        if delta.is_empty() {
            return;
        }
        let delta = without_nul(delta);
        if !matches!(self.step.get(block), Some(Item::Text { .. })) {
            let id = format!("t{}", self.texts);
            self.texts += 1;
            chunks.push(Chunk::TextStart { id: id.clone() });
            let text = String::new();
            self.step.open(block, Item::Text { id, text });
        }
        if let Some(Item::Text { id, text }) = self.step.get(block) {
            text.push_str(&delta);
            let id = id.clone();
            chunks.push(Chunk::TextDelta { id, delta });
        }
    }

    /// Returns the id, the text and the proof of the reasoning of a block, which begins if it is new.
    fn reasoning(&mut self, block: u32, chunks: &mut Vec<Chunk>) -> step::Reasoning<'_> {
        if !matches!(self.step.get(block), Some(Item::Reasoning { .. })) {
            let id = format!("r{}", self.reasonings);
            self.reasonings += 1;
            chunks.push(Chunk::ReasoningStart { id: id.clone() });
            self.step.open(block, Item::reasoning(id));
        }
        self.step.reasoning(block)
    }
}

/// Replaces NUL, which messages do not contain.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests;
