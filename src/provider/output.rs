//! The events of an answer while it is read: numbers of blocks, and limits.

use std::collections::VecDeque;

use super::event::{FinishReason, ModelEvent, ModelUsage};
use super::failure::Failure;
use super::request::ReasoningProof;

/// The most bytes of an answer: text, reasoning, proofs and the input of tools.
pub const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// The most bytes of the input of one call of a tool.
pub const MAX_TOOL_INPUT_BYTES: usize = 256 * 1024;
/// The most blocks of an answer.
pub const MAX_BLOCKS: usize = 256;
/// The most calls of tools in an answer.
pub const MAX_TOOL_CALLS: usize = 64;
/// The most bytes of an id or of the name of a tool or model.
pub const MAX_NAME_BYTES: usize = 256;

/// A block of an answer.
#[derive(Debug)]
struct Block {
    is_open: bool,
    is_tool: bool,
    input_bytes: usize,
}

/// The events that were read and not yet taken.
#[derive(Debug, Default)]
pub(super) struct Output {
    events: VecDeque<ModelEvent>,
    blocks: Vec<Block>,
    bytes: usize,
    tool_calls: usize,
}

impl Output {
    /// Takes the next event.
    pub(super) fn pop(&mut self) -> Option<ModelEvent> {
        self.events.pop_front()
    }

    /// Returns whether an event is waiting that must not be repeated by another attempt.
    pub(super) fn has_content(&self) -> bool {
        self.events.iter().any(|event| {
            !matches!(
                event,
                ModelEvent::Started { .. } | ModelEvent::Usage(_) | ModelEvent::Ping
            )
        })
    }

    /// Drops the pings that were not taken.
    pub(super) fn drop_pings(&mut self) {
        self.events.retain(|event| *event != ModelEvent::Ping);
    }

    /// Returns whether the answer has a call of a tool.
    pub(super) fn has_tool_calls(&self) -> bool {
        self.tool_calls > 0
    }

    pub(super) fn started(&mut self, response_id: Option<&str>, model: Option<&str>) {
        let name = |name: Option<&str>| {
            let name = name.filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES);
            name.map(ToOwned::to_owned)
        };
        self.events.push_back(ModelEvent::Started {
            response_id: name(response_id),
            model: name(model),
        });
    }

    pub(super) fn ping(&mut self) {
        self.events.push_back(ModelEvent::Ping);
    }

    /// Begins a block of text or reasoning, and returns its number.
    pub(super) fn begin(&mut self) -> Result<u32, Failure> {
        self.begin_block(false)
    }

    fn begin_block(&mut self, is_tool: bool) -> Result<u32, Failure> {
        if self.blocks.len() >= MAX_BLOCKS {
            return Err(Failure::malformed());
        }
        self.blocks.push(Block {
            is_open: true,
            is_tool,
            input_bytes: 0,
        });
        u32::try_from(self.blocks.len() - 1).map_err(|_| Failure::malformed())
    }

    pub(super) fn text(&mut self, block: u32, delta: &str) -> Result<(), Failure> {
        if !delta.is_empty() {
            self.count(delta.len())?;
            let delta = delta.to_owned();
            self.events.push_back(ModelEvent::Text { block, delta });
        }
        Ok(())
    }

    pub(super) fn reasoning(&mut self, block: u32, delta: &str) -> Result<(), Failure> {
        if !delta.is_empty() {
            self.count(delta.len())?;
            let delta = delta.to_owned();
            self.events
                .push_back(ModelEvent::Reasoning { block, delta });
        }
        Ok(())
    }

    pub(super) fn signature(&mut self, block: u32, signature: String) -> Result<(), Failure> {
        self.count(signature.len())?;
        let proof = ReasoningProof::Signature(signature);
        self.events
            .push_back(ModelEvent::ReasoningProof { block, proof });
        Ok(())
    }

    /// Adds reasoning in encrypted form.
    pub(super) fn redacted(&mut self, block: u32, data: &str) -> Result<(), Failure> {
        self.count(data.len())?;
        let proof = ReasoningProof::Redacted(data.to_owned());
        self.events.extend([
            ModelEvent::Reasoning {
                block,
                delta: String::new(),
            },
            ModelEvent::ReasoningProof { block, proof },
        ]);
        Ok(())
    }

    /// Begins a call of a tool, and returns the number of its block.
    pub(super) fn tool(&mut self, call_id: String, name: &str) -> Result<u32, Failure> {
        let is_name = |text: &str| !text.is_empty() && text.len() <= MAX_NAME_BYTES;
        self.tool_calls += 1;
        if self.tool_calls > MAX_TOOL_CALLS || !is_name(&call_id) || !is_name(name) {
            return Err(Failure::malformed());
        }
        let block = self.begin_block(true)?;
        let name = name.to_owned();
        self.events.push_back(ModelEvent::ToolStart {
            block,
            call_id,
            name,
        });
        Ok(block)
    }

    pub(super) fn tool_input(&mut self, block: u32, delta: &str) -> Result<(), Failure> {
        if delta.is_empty() {
            return Ok(());
        }
        self.count(delta.len())?;
        let input_bytes = &mut self.blocks[block as usize].input_bytes;
        *input_bytes += delta.len();
        if *input_bytes > MAX_TOOL_INPUT_BYTES {
            return Err(Failure::malformed());
        }
        let delta = delta.to_owned();
        self.events
            .push_back(ModelEvent::ToolInput { block, delta });
        Ok(())
    }

    /// Returns whether a call of a tool has input.
    pub(super) fn has_input(&self, block: u32) -> bool {
        self.blocks[block as usize].input_bytes > 0
    }

    /// Ends a block, if it is open. A call without input has the empty object as its input.
    pub(super) fn end(&mut self, block: u32) {
        let state = &mut self.blocks[block as usize];
        if !std::mem::replace(&mut state.is_open, false) {
            return;
        }
        if state.is_tool && state.input_bytes == 0 {
            let delta = "{}".to_owned();
            self.events
                .push_back(ModelEvent::ToolInput { block, delta });
        }
        self.events.push_back(ModelEvent::End { block });
    }

    /// Adds counts of tokens, which replace those that were not taken yet.
    pub(super) fn usage(&mut self, usage: ModelUsage) {
        if let Some(ModelEvent::Usage(last)) = self.events.back_mut() {
            *last = usage;
        } else {
            self.events.push_back(ModelEvent::Usage(usage));
        }
    }

    /// Ends all blocks and the answer.
    pub(super) fn finish(&mut self, reason: FinishReason) {
        for block in 0..u32::try_from(self.blocks.len()).unwrap_or_default() {
            self.end(block);
        }
        self.events.push_back(ModelEvent::Finished(reason));
    }

    fn count(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes += bytes;
        if self.bytes > MAX_ANSWER_BYTES {
            return Err(Failure::malformed());
        }
        Ok(())
    }
}
