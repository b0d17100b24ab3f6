//! Calls of tools and their results in stored messages.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::history::HistoryMessage;
use crate::domain::message::Part;
use crate::provider::request::ModelPart;
use crate::util::json::{self, Object};

/// The result of a call that has none: a provider rejects a call without a result.
const NOT_RUN: &str = "The call was not run.";
/// The result of a call that a person denied without a reason.
const DENIED: &str = "The person denied the call.";

/// The results in messages of role `tool`, by the ids of their calls.
#[derive(Debug, Default)]
pub(super) struct Results(HashMap<String, String>);

impl Results {
    /// Collects the results.
    pub(super) fn of(history: &[HistoryMessage]) -> Self {
        let mut results = HashMap::new();
        for message in history.iter().filter(|message| message.role == "tool") {
            for part in Part::list(&message.parts) {
                if let (Some(id), Some(output)) = (part.text("toolCallId"), part.get("output")) {
                    results.insert(id, given_text(output));
                }
            }
        }
        Self(results)
    }

    /// Returns the call and the result of the part of a tool; `None` for another part, or for arguments that did not end.
    pub(super) fn take(&mut self, part: &Part<'_>) -> Option<(ModelPart, ModelPart)> {
        let (name, id) = part.call()?;
        let state = part.state();
        if state == "input-streaming" {
            return None;
        }
        let input = ["input", "rawInput"].into_iter().find_map(|name| {
            let input = part.get(name).filter(|input| input.get().starts_with('{'));
            input.map(ToOwned::to_owned)
        });
        let given = self.0.remove(&id);
        let error = |text: Option<String>, default: &str| {
            let text = text.filter(|text| !text.is_empty());
            (text.unwrap_or_else(|| default.to_owned()), true)
        };
        let (output, is_error) = match &*state {
            "output-available" => (
                output_text(part.get("output").unwrap_or(RawValue::NULL)),
                false,
            ),
            "output-error" => error(part.text("errorText"), "The call failed."),
            "output-denied" => error(reason(part), DENIED),
            "approval-responded" if !is_approved(part) => error(reason(part), DENIED),
            _ => match given {
                Some(output) => (output, false),
                None => error(None, NOT_RUN),
            },
        };
        let call = ModelPart::ToolCall {
            id: id.clone(),
            name: name.clone(),
            input: input.unwrap_or_else(json::empty_object),
        };
        let result = ModelPart::ToolResult {
            id,
            name,
            output,
            is_error,
        };
        Some((call, result))
    }

    /// Returns the text of a `tool` message whose results no call asked for.
    pub(super) fn unasked(&mut self, message: &HistoryMessage) -> Option<String> {
        let parts = Part::list(&message.parts);
        let ids: Vec<String> = parts
            .iter()
            .filter_map(|part| part.text("toolCallId"))
            .collect();
        let mut texts: Vec<String> = ids.iter().filter_map(|id| self.0.remove(id)).collect();
        if ids.is_empty() {
            texts.push(message.content.clone());
        }
        let text = texts.join("\n");
        (!text.trim().is_empty()).then(|| format!("[Result of a tool]\n{text}"))
    }
}

fn approval<'a>(part: &'a Part<'_>) -> Object<'a> {
    let approval = part.get("approval").and_then(|it| Object::parse(it.get()));
    approval.unwrap_or_default()
}

fn is_approved(part: &Part<'_>) -> bool {
    approval(part).get("approved").map(RawValue::get) == Some("true")
}

fn reason(part: &Part<'_>) -> Option<String> {
    json::string(approval(part).get("reason")?).map(std::borrow::Cow::into_owned)
}

/// Returns an output as text: that of a string, otherwise the JSON.
fn output_text(output: &RawValue) -> String {
    let text = json::string(output).map(std::borrow::Cow::into_owned);
    text.unwrap_or_else(|| output.get().to_owned())
}

/// Returns the output in a `tool` message as text: of OpenAI's content parts, and of the AI SDK's ModelMessages.
fn given_text(output: &RawValue) -> String {
    let list: Option<Vec<&RawValue>> = serde_json::from_str(output.get()).ok();
    let texts = list.and_then(|list| {
        let text = |item: &RawValue| {
            json::string(Object::parse(item.get())?.get("text")?).map(std::borrow::Cow::into_owned)
        };
        list.into_iter().map(text).collect::<Option<Vec<_>>>()
    });
    if let Some(texts) = texts.filter(|texts| !texts.is_empty()) {
        return texts.join("\n");
    }
    let object = Object::parse(output.get()).unwrap_or_default();
    match (object.get("type"), object.get("value")) {
        (Some(_), Some(value)) => output_text(value),
        _ => output_text(output),
    }
}
