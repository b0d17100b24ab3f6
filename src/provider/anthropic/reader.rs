//! Reads the events of an answer. Unknown events, blocks and deltas are skipped.

use std::collections::HashMap;

use serde_json::Value;

use crate::provider::event::{FinishReason, ModelUsage};
use crate::provider::failure::Failure;
use crate::provider::output::Output;
use crate::provider::sse::SseEvent;

/// The state of an answer.
#[derive(Debug, Default)]
pub(in crate::provider) struct Reader {
    /// The blocks by the provider's index. Blocks that are skipped are absent.
    blocks: HashMap<u64, Block>,
    usage: Usage,
    reason: Option<FinishReason>,
}

#[derive(Debug)]
struct Block {
    number: u32,
    kind: Kind,
    signature: String,
    /// The input that the start of a block contains, if no delta follows.
    input: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Tool,
}

/// The provider's counts, each as the last event that contains it reports it.
#[derive(Debug, Default)]
struct Usage {
    input: Option<u64>,
    cache_creation: Option<u64>,
    cache_read: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
}

impl Reader {
    pub(in crate::provider) fn read(
        &mut self,
        event: &SseEvent,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let Ok(data) = serde_json::from_str::<Value>(&event.data) else {
            return match event.name.as_str() {
                "error" => Err(Failure::of_body(None, &Value::Null)),
                _ => Ok(()),
            };
        };
        let name = data["type"].as_str().unwrap_or(&event.name);
        match name {
            "message_start" => {
                let message = &data["message"];
                output.started(message["id"].as_str(), message["model"].as_str());
                self.read_usage(&message["usage"], output);
            }
            "content_block_start" => self.start_block(&data, output)?,
            "content_block_delta" => self.read_delta(&data, output)?,
            "content_block_stop" => {
                if let Some(block) = index(&data).and_then(|index| self.blocks.remove(&index)) {
                    end(block, output)?;
                }
            }
            "message_delta" => {
                if let Some(reason) = data["delta"]["stop_reason"].as_str() {
                    self.reason = Some(finish_reason(reason));
                }
                self.read_usage(&data["usage"], output);
            }
            "message_stop" => self.finish(output)?,
            "ping" => output.ping(),
            "error" => return Err(Failure::of_body(None, &data)),
            _ => {}
        }
        Ok(())
    }

    fn start_block(&mut self, data: &Value, output: &mut Output) -> Result<(), Failure> {
        let Some(index) = index(data) else {
            return Ok(());
        };
        let content = &data["content_block"];
        let text = |name: &str| content[name].as_str().unwrap_or_default();
        match text("type") {
            "text" => {
                let number = self.open(index, Kind::Text, output.begin()?);
                output.text(number, text("text"))?;
            }
            "thinking" => {
                let number = self.open(index, Kind::Thinking, output.begin()?);
                output.reasoning(number, text("thinking"))?;
                self.add_signature(index, text("signature"));
            }
            "redacted_thinking" => {
                let number = self.open(index, Kind::Thinking, output.begin()?);
                output.redacted(number, text("data"))?;
            }
            "tool_use" => {
                let call_id = match text("id") {
                    "" => super::super::new_call_id(),
                    id => id.to_owned(),
                };
                let number = output.tool(call_id, text("name"))?;
                self.open(index, Kind::Tool, number);
                let input = content["input"].as_object();
                let input = input.filter(|input| !input.is_empty());
                if let Some(block) = self.blocks.get_mut(&index) {
                    block.input = input.map(|_| content["input"].to_string());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, index: u64, kind: Kind, number: u32) -> u32 {
        let block = Block {
            number,
            kind,
            signature: String::new(),
            input: None,
        };
        self.blocks.insert(index, block);
        number
    }

    fn add_signature(&mut self, index: u64, signature: &str) {
        if let Some(block) = self.blocks.get_mut(&index) {
            block.signature.push_str(signature);
        }
    }

    fn read_delta(&mut self, data: &Value, output: &mut Output) -> Result<(), Failure> {
        let Some(index) = index(data) else {
            return Ok(());
        };
        let delta = &data["delta"];
        let text = |name: &str| delta[name].as_str().unwrap_or_default();
        let kind = text("type");
        if kind == "text_delta" && !self.blocks.contains_key(&index) {
            // Some compatible servers omit the start of a block.
            self.open(index, Kind::Text, output.begin()?);
        }
        let Some(block) = self.blocks.get(&index) else {
            return Ok(());
        };
        match (kind, block.kind) {
            ("text_delta", Kind::Text) => output.text(block.number, text("text")),
            ("thinking_delta", Kind::Thinking) => output.reasoning(block.number, text("thinking")),
            ("signature_delta", Kind::Thinking) => {
                self.add_signature(index, text("signature"));
                Ok(())
            }
            ("input_json_delta", Kind::Tool) => {
                output.tool_input(block.number, text("partial_json"))
            }
            _ => Ok(()),
        }
    }

    fn read_usage(&mut self, counts: &Value, output: &mut Output) {
        if !counts.is_object() {
            return;
        }
        let usage = &mut self.usage;
        let thinking = &counts["output_tokens_details"]["thinking_tokens"];
        for (count, value) in [
            (&mut usage.input, &counts["input_tokens"]),
            (
                &mut usage.cache_creation,
                &counts["cache_creation_input_tokens"],
            ),
            (&mut usage.cache_read, &counts["cache_read_input_tokens"]),
            (&mut usage.output, &counts["output_tokens"]),
            (&mut usage.thinking, thinking),
        ] {
            *count = value.as_u64().or(*count);
        }
        let cached = [usage.cache_creation, usage.cache_read];
        let cached = cached.into_iter().flatten().fold(0, u64::saturating_add);
        output.usage(ModelUsage {
            input_tokens: usage.input.map(|input| input.saturating_add(cached)),
            output_tokens: usage.output,
            cached_input_tokens: usage.cache_read,
            reasoning_tokens: usage.thinking,
            cost: None,
        });
    }

    fn finish(&mut self, output: &mut Output) -> Result<(), Failure> {
        let mut open: Vec<Block> = self.blocks.drain().map(|(_, block)| block).collect();
        open.sort_by_key(|block| block.number);
        for block in open {
            end(block, output)?;
        }
        output.finish(self.reason.unwrap_or(FinishReason::Other));
        Ok(())
    }
}

fn index(data: &Value) -> Option<u64> {
    data["index"].as_u64()
}

fn end(block: Block, output: &mut Output) -> Result<(), Failure> {
    if !block.signature.is_empty() {
        output.signature(block.number, block.signature)?;
    }
    if let Some(input) = block.input
        && !output.has_input(block.number)
    {
        output.tool_input(block.number, &input)?;
    }
    output.end(block.number);
    Ok(())
}

fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "end_turn" | "stop_sequence" | "pause_turn" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}
