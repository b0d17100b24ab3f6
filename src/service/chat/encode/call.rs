//! Calls of tools: their ids, names, arguments and results.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::domain::chat::chunk::Chunk;
use crate::provider::request::ModelPart;
use crate::util::json;

/// The maximum length of the name of a tool, in characters: the type of its part, `tool-{name}`, has at most 64.
pub const MAX_TOOL_NAME_CHARS: usize = 59;
/// The maximum length of the id of a call, in characters; longer ones are cut.
const MAX_ID_CHARS: usize = 120;
/// The maximum nesting depth of arguments and outputs; the message around them adds two levels.
const MAX_DEPTH: usize = 24;

/// The names of the tools that the model may call.
#[derive(Clone, Debug, Default)]
pub struct ToolNames {
    /// Those that the server runs.
    pub server: BTreeSet<String>,
    /// Those that the client runs.
    pub client: BTreeSet<String>,
}

/// A call of a tool.
#[derive(Clone, Debug)]
pub struct Call {
    /// The id, unique in the message.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments: an object; the text of the model as a JSON string if it is not usable.
    pub input: Box<RawValue>,
    /// Whether the server runs the tool. Calls of unknown tools are the server's too, and have an error.
    pub is_server: bool,
    /// Why the call cannot be run. The client has this error already.
    pub error: Option<String>,
}

impl Call {
    /// Returns whether the call waits for the client.
    pub fn waits_for_client(&self) -> bool {
        !self.is_server && self.error.is_none()
    }

    /// Returns the call for the next request. Providers accept objects only.
    pub fn to_model_part(&self) -> ModelPart {
        let input = if self.input.get().starts_with('{') {
            self.input.clone()
        } else {
            json::empty_object()
        };
        ModelPart::ToolCall {
            id: self.id.clone(),
            name: self.name.clone(),
            input,
        }
    }
}

/// Returns the id of a call; another one if the message has a call with this id, as where a provider counts from 0 in each
/// answer.
pub(super) fn unique_id(wanted: &str, ids: &mut BTreeSet<String>) -> String {
    let wanted: String = wanted.chars().filter(|it| !it.is_control()).collect();
    let wanted: String = wanted.chars().take(MAX_ID_CHARS).collect();
    let others = (2..).map(|number| format!("{wanted}_{number}"));
    let mut candidates = std::iter::once(wanted.clone()).chain(others);
    let id = candidates.find(|id| !id.is_empty() && !ids.contains(id));
    let id = id.unwrap_or(wanted);
    ids.insert(id.clone());
    id
}

/// A call whose arguments are being written.
#[derive(Debug)]
pub(super) struct StreamedCall {
    call: Call,
    text: String,
    is_available: bool,
}

impl StreamedCall {
    pub(super) fn new(id: String, name: &str, tools: &ToolNames) -> Self {
        let is_client = tools.client.contains(name);
        let is_known = is_client || tools.server.contains(name);
        let call = Call {
            id,
            name: if is_known {
                name.to_owned()
            } else {
                clean_name(name)
            },
            input: json::empty_object(),
            is_server: !is_client,
            error: (!is_known).then(|| "This tool does not exist.".to_owned()),
        };
        Self {
            call,
            text: String::new(),
            is_available: false,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.call.id
    }

    pub(super) fn push(&mut self, delta: &str) {
        self.text.push_str(delta);
    }

    pub(super) fn chars(&self) -> usize {
        self.text.chars().count()
    }

    pub(super) fn start(&self) -> Chunk {
        Chunk::ToolInputStart {
            tool_call_id: self.call.id.clone(),
            tool_name: self.call.name.clone(),
            provider_executed: self.call.is_server.then_some(true),
        }
    }

    /// Returns whether the arguments are not usable.
    pub(super) fn is_invalid(&self) -> bool {
        !self.is_available && arguments(&self.text).is_none()
    }

    /// Returns the chunk of the whole arguments; `None` if they are not usable.
    pub(super) fn available(&mut self) -> Option<Chunk> {
        if self.call.error.is_some() || self.is_available {
            return None;
        }
        self.call.input = arguments(&self.text)?;
        self.is_available = true;
        Some(Chunk::ToolInputAvailable {
            tool_call_id: self.call.id.clone(),
            tool_name: self.call.name.clone(),
            input: self.call.input.clone(),
            provider_executed: self.call.is_server.then_some(true),
        })
    }

    /// Returns the call, and the chunk of its error if it has one.
    pub(super) fn finish(mut self) -> (Option<Chunk>, Call) {
        if self.is_available {
            return (None, self.call);
        }
        let input = arguments(&self.text);
        self.call.input = input.unwrap_or_else(|| json::raw(&self.text));
        let error = "The arguments are not a JSON object that can be used.";
        let error_text = self.call.error.get_or_insert_with(|| error.to_owned());
        let chunk = Chunk::ToolInputError {
            tool_call_id: self.call.id.clone(),
            tool_name: self.call.name.clone(),
            input: self.call.input.clone(),
            error_text: error_text.clone(),
            provider_executed: self.call.is_server.then_some(true),
        };
        (Some(chunk), self.call)
    }
}

/// Returns the arguments of a call: an object; `{}` for none.
fn arguments(text: &str) -> Option<Box<RawValue>> {
    let text = text.trim();
    if text.is_empty() || text == "null" {
        return Some(json::empty_object());
    }
    let value = RawValue::from_string(text.to_owned()).ok()?;
    (text.starts_with('{') && is_usable(&value)).then_some(value)
}

/// Returns whether clients and the store accept a value: no deep nesting, no duplicate keys, no NUL, and none of the keys
/// that the AI SDK rejects (`secure-json-parse`).
pub(super) fn is_usable(value: &RawValue) -> bool {
    let text = value.get();
    let may_have_keys = ["__proto__", "\\u", "prototype"]
        .iter()
        .any(|it| text.contains(it));
    json::is_at_most_deep(value, MAX_DEPTH)
        && !json::has_nul(value)
        && !(may_have_keys
            && serde_json::from_str(text).is_ok_and(|value: serde_json::Value| has_bad_key(&value)))
}

fn has_bad_key(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(members) => members.iter().any(|(key, value)| {
            key == "__proto__"
                || key == "constructor" && value.get("prototype").is_some()
                || has_bad_key(value)
        }),
        serde_json::Value::Array(items) => items.iter().any(has_bad_key),
        _ => false,
    }
}

/// Returns the name of an unknown tool as every provider takes it back.
fn clean_name(name: &str) -> String {
    let chars = name.chars().take(MAX_TOOL_NAME_CHARS);
    chars
        .map(|it| {
            if it.is_ascii_alphanumeric() || it == '-' {
                it
            } else {
                '_'
            }
        })
        .collect()
}
