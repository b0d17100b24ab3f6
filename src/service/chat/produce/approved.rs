//! Runs the calls that a person approved, before the model is asked again.

use serde_json::value::RawValue;

use super::{End, Producer};
use crate::domain::chat::chunk::Chunk;
use crate::service::chat::encode::ToolOutput;
use crate::util::json::{self, Object, string};

impl Producer {
    /// Runs the calls of the continued message that a person answered: approved ones are run, others are denied.
    pub(super) async fn run_approved(&mut self) -> Result<(), End> {
        let Some(mut message) = self.turn.answered.clone() else {
            return Ok(());
        };
        let parts: Vec<Box<RawValue>> =
            serde_json::from_str(message.parts.get()).unwrap_or_default();
        let mut changed = Vec::with_capacity(parts.len());
        for part in parts {
            let call = Object::parse(part.get());
            let call = call.as_ref().and_then(Answered::of);
            let output = match call {
                Some(call) => Some(self.run_answered(&call).await?),
                None => None,
            };
            changed.push(match output {
                Some(Some(output)) => with_output(&part, output).unwrap_or(part),
                _ => part,
            });
        }
        message.parts = json::raw(&changed);
        self.turn.answered = Some(message);
        Ok(())
    }

    /// Runs one call; returns its output, `None` for a denied one.
    async fn run_answered(&mut self, call: &Answered) -> Result<Option<ToolOutput>, End> {
        let tool_call_id = call.id.clone();
        if !call.is_approved {
            let denied = Chunk::ToolOutputDenied { tool_call_id };
            self.send(vec![denied]).ok_or(End::Limit)?;
            return Ok(None);
        }
        let interrupted = self.interrupted();
        let (output, _) = tokio::select! {
            biased;
            end = interrupted => return Err(end),
            ran = self.turn.run_tool(&call.tool, &call.input) => ran,
        };
        let chunk = output.to_chunk_of(&call.id);
        self.send(vec![chunk]).ok_or(End::Limit)?;
        Ok(Some(output))
    }
}

/// A call of a tool of the server that a person answered.
struct Answered {
    id: String,
    tool: String,
    input: Box<RawValue>,
    is_approved: bool,
}

impl Answered {
    fn of(part: &Object<'_>) -> Option<Self> {
        let text = |name: &str| string(part.get(name)?).map(std::borrow::Cow::into_owned);
        if text("state")? != "approval-responded" {
            return None;
        }
        let approval = Object::parse(part.get("approval")?.get())?;
        Some(Self {
            id: text("toolCallId")?,
            tool: text("type")?.strip_prefix("tool-")?.to_owned(),
            input: part.get("input")?.to_owned(),
            is_approved: approval.get("approved")?.get() == "true",
        })
    }
}

/// Returns the part with an output, for the prompt.
fn with_output(part: &RawValue, output: ToolOutput) -> Option<Box<RawValue>> {
    let mut part = Object::parse(part.get())?;
    let (state, name, value) = match output {
        ToolOutput::Text(text) => ("output-available", "output", json::raw(&text)),
        ToolOutput::Json(value) => ("output-available", "output", value),
        ToolOutput::Error(text) => ("output-error", "errorText", json::raw(&text)),
    };
    part.set("state", json::raw(&state));
    part.set(name, value);
    Some(json::raw(&part))
}
