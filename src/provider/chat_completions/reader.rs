//! Reads the chunks of an answer, leniently: every member may be absent.

use serde_json::Value;

use super::calls::Calls;
use super::usage;
use crate::provider::event::FinishReason;
use crate::provider::failure::Failure;
use crate::provider::output::Output;
use crate::provider::sse::SseEvent;

/// The state of an answer.
#[derive(Debug, Default)]
pub(in crate::provider) struct Reader {
    is_started: bool,
    /// The open block of text or reasoning.
    open: Option<(Kind, u32)>,
    calls: Calls,
    /// Whether content arrived as deltas, so that a whole message repeats it.
    has_deltas: bool,
    has_refusal: bool,
    reason: Option<FinishReason>,
    cost: Option<String>,
    is_finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
}

impl Reader {
    pub(in crate::provider) fn read(
        &mut self,
        event: &SseEvent,
        output: &mut Output,
    ) -> Result<(), Failure> {
        if event.data.trim() == "[DONE]" {
            self.end(output)?;
            return Ok(());
        }
        let chunk = serde_json::from_str::<Value>(&event.data);
        if event.name == "error" {
            return Err(Failure::of_body(None, &chunk.unwrap_or_default()));
        }
        let Ok(chunk) = chunk else {
            return Ok(());
        };
        if chunk.get("error").is_some_and(|error| !error.is_null()) || chunk["object"] == "error" {
            return Err(Failure::of_body(None, &chunk));
        }
        if !self.is_started && chunk.is_object() {
            self.is_started = true;
            output.started(chunk["id"].as_str(), chunk["model"].as_str());
        }
        self.read_choices(&chunk, output)?;
        self.cost = usage::gateway_cost(&chunk).or(self.cost.take());
        if let Some(mut usage) = usage::read(&chunk) {
            usage.cost = usage.cost.or_else(|| self.cost.clone());
            output.usage(usage);
        }
        Ok(())
    }

    /// Returns whether the answer is whole, although counts of tokens may follow.
    pub(in crate::provider) fn is_whole(&self) -> bool {
        self.reason.is_some()
    }

    /// Ends the answer, and returns whether it is whole.
    pub(in crate::provider) fn end(&mut self, output: &mut Output) -> Result<bool, Failure> {
        let Some(reason) = self.reason else {
            return Ok(false);
        };
        if !std::mem::replace(&mut self.is_finished, true) {
            self.calls.finish(output)?;
            let reason = match reason {
                FinishReason::Stop if self.has_refusal => FinishReason::ContentFilter,
                // Some servers end calls of tools as if the model had nothing more to say.
                FinishReason::Stop if output.has_tool_calls() => FinishReason::ToolCalls,
                reason => reason,
            };
            output.finish(reason);
        }
        Ok(true)
    }

    fn read_choices(&mut self, chunk: &Value, output: &mut Output) -> Result<(), Failure> {
        let choices = chunk["choices"].as_array();
        let is_first = |choice: &&Value| choice["index"].as_u64().unwrap_or_default() == 0;
        for choice in choices.into_iter().flatten().filter(is_first) {
            if choice.get("error").is_some_and(|error| !error.is_null()) {
                return Err(Failure::of_body(None, choice));
            }
            if choice["delta"].is_object() {
                self.has_deltas |= self.read_message(&choice["delta"], output)?;
            }
            if choice["message"].is_object() && !self.has_deltas {
                self.has_deltas = self.read_message(&choice["message"], output)?;
            }
            if let Some(reason) = choice["finish_reason"].as_str().filter(|it| !it.is_empty()) {
                self.reason = Some(finish_reason(reason)?);
            }
        }
        Ok(())
    }

    /// Reads a delta or a whole message, and returns whether it has content.
    fn read_message(&mut self, message: &Value, output: &mut Output) -> Result<bool, Failure> {
        let mut has_content = false;
        let reasoning = [&message["reasoning_content"], &message["reasoning"]];
        let mut reasoning = reasoning.into_iter().filter_map(Value::as_str);
        if let Some(text) = reasoning.find(|text| !text.is_empty()) {
            has_content = true;
            self.add(Kind::Reasoning, text, output)?;
        }
        match &message["content"] {
            Value::String(text) => has_content |= self.add(Kind::Text, text, output)?,
            Value::Array(parts) => {
                for part in parts {
                    has_content |= self.read_part(part, output)?;
                }
            }
            _ => {}
        }
        if let Some(text) = message["refusal"].as_str().filter(|it| !it.is_empty()) {
            self.has_refusal = true;
            has_content |= self.add(Kind::Text, text, output)?;
        }
        let calls = &message["tool_calls"];
        if calls.as_array().is_some_and(|calls| !calls.is_empty()) {
            has_content = true;
            self.close(output);
            self.calls.read(calls, output)?;
        }
        Ok(has_content)
    }

    /// Reads a part of content. Mistral's part of reasoning contains parts of text.
    fn read_part(&mut self, part: &Value, output: &mut Output) -> Result<bool, Failure> {
        if let Some(text) = part["text"].as_str() {
            return self.add(Kind::Text, text, output);
        }
        let mut has_content = false;
        match &part["thinking"] {
            Value::String(text) => has_content = self.add(Kind::Reasoning, text, output)?,
            Value::Array(parts) => {
                for text in parts.iter().filter_map(|part| part["text"].as_str()) {
                    has_content |= self.add(Kind::Reasoning, text, output)?;
                }
            }
            _ => {}
        }
        Ok(has_content)
    }

    /// Adds text to the open block, or to a new one if the kind changes.
    fn add(&mut self, kind: Kind, text: &str, output: &mut Output) -> Result<bool, Failure> {
        if text.is_empty() {
            return Ok(false);
        }
        let block = match self.open {
            Some((open, block)) if open == kind => block,
            _ => {
                self.close(output);
                let block = output.begin()?;
                self.open = Some((kind, block));
                block
            }
        };
        match kind {
            Kind::Text => output.text(block, text)?,
            Kind::Reasoning => output.reasoning(block, text)?,
        }
        Ok(true)
    }

    fn close(&mut self, output: &mut Output) {
        if let Some((_, block)) = self.open.take() {
            output.end(block);
        }
    }
}

fn finish_reason(reason: &str) -> Result<FinishReason, Failure> {
    Ok(match reason {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        "error" => return Err(Failure::of_body(None, &Value::Null)),
        _ => FinishReason::Other,
    })
}
