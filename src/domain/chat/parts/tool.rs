//! Chunks of calls of tools.

use serde_json::value::RawValue;

use super::super::part::{Part, ToolPart};
use super::super::read::ReadChunk;
use super::{Full, PartsBuilder};
use crate::util::json::{self, Text};

impl PartsBuilder {
    /// Applies a chunk of a call.
    pub(super) fn tool(&mut self, chunk: &ReadChunk<'_>) -> Option<Result<(), Full>> {
        let Text(call_id) = chunk.tool_call_id.as_ref()?;
        let value = chunk
            .input
            .or(chunk.output)
            .map_or(0, |value| value.get().len());
        let error = chunk.error_text.as_ref().map(|Text(text)| json::raw(text));
        let more = chunk
            .input_text_delta
            .as_ref()
            .map_or(0, |Text(delta)| delta.len());
        let mut size = value + error.as_ref().map_or(0, |text| text.get().len()) + more;
        let is_input = chunk.kind.0.starts_with("tool-input-");
        let mut place = self.tool_place(call_id);
        let is_new = place.is_none() && is_input && chunk.tool_name.is_some();
        if let Some(Part::Tool(tool)) = place.and_then(|place| self.parts.get(place))
            && value > 0
        {
            size = size.saturating_sub(tool.partial.len());
        }
        if is_new {
            if let Err(full) = self.add(Part::Tool(ToolPart::new(call_id)), size) {
                return Some(Err(full));
            }
            place = Some(self.parts.len() - 1);
        } else if let Err(full) = self.reserve(size) {
            return Some(Err(full));
        }
        let Part::Tool(tool) = &mut self.parts[place?] else {
            return None;
        };
        if let Some(Text(name)) = chunk.tool_name.as_ref().filter(|_| is_input) {
            tool.set_tool(chunk, name);
        }
        match &*chunk.kind.0 {
            "tool-input-start" => tool.set_state(chunk, "input-streaming", None),
            "tool-input-delta" => tool.partial.push_str(&chunk.input_text_delta.as_ref()?.0),
            "tool-input-available" => {
                tool.set_input(chunk.input?);
                tool.set_state(chunk, "input-available", None);
            }
            "tool-input-error" => {
                tool.set_input(chunk.input.unwrap_or(RawValue::NULL));
                tool.set_state(chunk, "output-error", Some(("errorText", error?)));
            }
            "tool-output-available" => {
                let output = Some(("output", chunk.output?.to_owned()));
                tool.set_state(chunk, "output-available", output);
            }
            "tool-output-error" => {
                tool.set_state(chunk, "output-error", Some(("errorText", error?)));
            }
            "tool-output-denied" => tool.set_state(chunk, "output-denied", None),
            "tool-approval-request" => tool.set_approval(chunk.approval_id.as_ref()?),
            _ => return None,
        }
        Some(Ok(()))
    }

    /// Returns the place of the newest call with this id.
    fn tool_place(&self, call_id: &str) -> Option<usize> {
        self.parts
            .iter()
            .rposition(|part| matches!(part, Part::Tool(tool) if tool.call_id == call_id))
    }
}
