//! What the model wrote in a step.

use serde_json::value::RawValue;

use super::call::{Call, StreamedCall};
use crate::domain::chat::chunk::Chunk;
use crate::provider::event::{FinishReason, ModelUsage};
use crate::provider::request::{ModelMessage, ModelPart, ModelRole, ReasoningProof};
use crate::util::json::{self, Object};

/// The result of a step.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// What the model wrote, in order, for the next request of the turn.
    pub parts: Vec<ModelPart>,
    /// The calls, in order. A call with an error has its chunk already; its result for the model is the error.
    pub calls: Vec<Call>,
    /// The usage.
    pub usage: ModelUsage,
    /// Why the answer ended; `None` if it ended without a final event.
    pub finish: Option<FinishReason>,
    /// The provider's id of the answer.
    pub response_id: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
}

impl Step {
    /// Returns the text of the step.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            ModelPart::Text(text) => Some(&**text),
            _ => None,
        });
        texts.collect()
    }

    /// Returns the step as a message of the model.
    pub fn to_message(&self) -> ModelMessage {
        ModelMessage {
            role: ModelRole::Assistant,
            parts: self.parts.clone(),
            is_stable: false,
        }
    }

    /// Returns whether the turn goes on by itself: the step has calls, and none of them waits for the client.
    pub fn continues(&self) -> bool {
        !self.calls.is_empty() && !self.calls.iter().any(Call::waits_for_client)
    }
}

/// The id, the text and the proof of a reasoning.
pub(super) type Reasoning<'a> = (&'a str, &'a mut String, &'a mut Option<ReasoningProof>);

/// A block of an answer.
#[derive(Debug)]
pub(super) enum Item {
    Text {
        id: String,
        text: String,
    },
    Reasoning {
        id: String,
        text: String,
        proof: Option<ReasoningProof>,
    },
    Call(StreamedCall),
}

impl Item {
    pub(super) fn reasoning(id: String) -> Self {
        Self::Reasoning {
            id,
            text: String::new(),
            proof: None,
        }
    }
}

/// A step that is being written.
#[derive(Debug, Default)]
pub(super) struct StepBuilder {
    /// The blocks in the order in which they began, with their number while they are open.
    items: Vec<(Option<u32>, Item)>,
    pub(super) usage: ModelUsage,
    pub(super) finish: Option<FinishReason>,
    pub(super) response_id: Option<String>,
    pub(super) model: Option<String>,
}

impl StepBuilder {
    /// Begins a block.
    pub(super) fn open(&mut self, block: u32, item: Item) {
        self.items.push((Some(block), item));
    }

    /// Returns an open block.
    pub(super) fn get(&mut self, block: u32) -> Option<&mut Item> {
        let mut items = self.items.iter_mut().rev();
        items.find_map(|(open, item)| (*open == Some(block)).then_some(item))
    }

    /// Returns the open reasoning of a block.
    pub(super) fn reasoning(&mut self, block: u32) -> Reasoning<'_> {
        match self.get(block) {
            Some(Item::Reasoning { id, text, proof }) => (id, text, proof),
            _ => unreachable!("the caller opened the block"),
        }
    }

    /// Ends a block.
    pub(super) fn end(&mut self, block: u32) -> Option<Chunk> {
        let mut items = self.items.iter_mut().rev();
        let (open, item) = items.find(|(open, _)| *open == Some(block))?;
        *open = None;
        match item {
            Item::Text { id, .. } => Some(Chunk::TextEnd { id: id.clone() }),
            Item::Reasoning { id, proof, .. } => Some(Chunk::ReasoningEnd {
                id: id.clone(),
                provider_metadata: proof.as_ref().map(metadata),
            }),
            // Whether the arguments were cut off is known at the end of the answer only.
            Item::Call(call) => call.available(),
        }
    }

    /// Returns the number of characters.
    pub(super) fn chars(&self) -> usize {
        let chars = self.items.iter().map(|(_, item)| match item {
            Item::Text { text, .. } | Item::Reasoning { text, .. } => text.chars().count(),
            Item::Call(call) => call.chars(),
        });
        chars.sum()
    }

    /// Ends the step.
    pub(super) fn finish(mut self) -> (Vec<Chunk>, Step) {
        let open: Vec<u32> = self.items.iter().filter_map(|(open, _)| *open).collect();
        let mut chunks: Vec<Chunk> = open.iter().filter_map(|block| self.end(*block)).collect();
        let mut step = Step {
            usage: self.usage,
            finish: self.finish,
            response_id: self.response_id,
            model: self.model,
            ..Step::default()
        };
        let is_cut_off = self.finish == Some(FinishReason::Length);
        for (_, item) in self.items {
            match item {
                Item::Text { text, .. } => step.parts.push(ModelPart::Text(text)),
                Item::Reasoning { text, proof, .. } => {
                    step.parts.push(ModelPart::Reasoning { text, proof });
                }
                // A client takes an error for a result and sends the next request; it does not for a call that did not end.
                Item::Call(call) if is_cut_off && call.is_invalid() => {}
                Item::Call(call) => {
                    let (chunk, call) = call.finish();
                    chunks.extend(chunk);
                    step.parts.push(call.to_model_part());
                    step.calls.push(call);
                }
            }
        }
        (chunks, step)
    }
}

/// Returns the metadata of a reasoning, as the AI SDK's provider of Anthropic writes it.
fn metadata(proof: &ReasoningProof) -> Box<RawValue> {
    let (name, value) = match proof {
        ReasoningProof::Signature(value) => ("signature", value),
        ReasoningProof::Redacted(value) => ("redactedData", value),
    };
    let (mut metadata, mut inner) = (Object::default(), Object::default());
    inner.set(name, json::raw(value));
    metadata.set("anthropic", json::raw(&inner));
    json::raw(&metadata)
}
