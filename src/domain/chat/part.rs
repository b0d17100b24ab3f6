//! A part of a message that is being built.

use serde_json::value::RawValue;

use super::read::ReadChunk;
use crate::util::json::{self, Object, Text};

/// A part.
#[derive(Debug)]
pub(super) enum Part {
    /// A text or reasoning of this stream.
    Text(TextPart),
    /// A call of a tool.
    Tool(ToolPart),
    /// Another part, as JSON.
    Other {
        /// The type.
        kind: String,
        /// The id, if the part has one.
        id: Option<String>,
        /// The part.
        json: Box<RawValue>,
    },
}

/// A text or reasoning.
#[derive(Debug)]
pub(super) struct TextPart {
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) metadata: Option<Box<RawValue>>,
}

/// A call of a tool.
#[derive(Debug)]
pub(super) struct ToolPart {
    pub(super) call_id: String,
    pub(super) object: Object<'static>,
    /// The text of the arguments so far, while they stream.
    pub(super) partial: String,
}

impl Part {
    /// Reads a stored part; `None` if it is not an object with a type.
    pub(super) fn stored(raw: &RawValue) -> Option<Self> {
        let object = Object::parse(raw.get())?;
        let member = |name| json::string(object.get(name)?).map(std::borrow::Cow::into_owned);
        let kind = member("type")?;
        let is_tool = kind.starts_with("tool-") || kind == "dynamic-tool";
        if let Some(call_id) = member("toolCallId").filter(|_| is_tool) {
            return Some(Self::Tool(ToolPart {
                call_id,
                object: object.into_owned(),
                partial: String::new(),
            }));
        }
        Some(Self::Other {
            kind,
            id: member("id"),
            json: raw.to_owned(),
        })
    }

    /// Returns the part without content that a step begins with.
    pub(super) fn step_start() -> Self {
        let mut object = Object::default();
        object.set("type", json::raw(&"step-start"));
        Self::other("step-start", &object)
    }

    /// Returns a part that is copied from a chunk.
    pub(super) fn other(kind: &str, object: &Object<'_>) -> Self {
        let id = object.get("id").and_then(json::string);
        Self::Other {
            kind: kind.to_owned(),
            id: id.map(std::borrow::Cow::into_owned),
            json: json::raw(object),
        }
    }

    /// Returns whether the part begins a step.
    pub(super) fn is_step_start(&self) -> bool {
        matches!(self, Self::Other { kind, .. } if kind == "step-start")
    }

    /// Returns the part as JSON; texts are whole.
    pub(super) fn to_raw(&self) -> Box<RawValue> {
        match self {
            Self::Other { json, .. } => json.clone(),
            Self::Tool(tool) => json::raw(&tool.object),
            Self::Text(text) => {
                let mut object = Object::default();
                object.set("type", json::raw(&text.kind));
                object.set("text", json::raw(&text.text));
                object.set("state", json::raw(&"done"));
                if let Some(metadata) = &text.metadata {
                    object.set("providerMetadata", metadata.clone());
                }
                json::raw(&object)
            }
        }
    }
}

impl ToolPart {
    /// Returns the part of a call that begins.
    pub(super) fn new(call_id: &str) -> Self {
        let mut object = Object::default();
        object.set("type", json::null());
        object.set("toolCallId", json::raw(&call_id));
        Self {
            call_id: call_id.to_owned(),
            object,
            partial: String::new(),
        }
    }

    /// Sets the name of the tool, and whether the provider runs it.
    pub(super) fn set_tool(&mut self, chunk: &ReadChunk<'_>, name: &str) {
        if chunk.dynamic == Some(true) {
            self.object.set("type", json::raw(&"dynamic-tool"));
            self.object.set("toolName", json::raw(&name));
        } else {
            let kind = format!("tool-{name}");
            self.object.set("type", json::raw(&kind));
        }
        if let Some(metadata) = chunk.provider_metadata {
            self.object.set("callProviderMetadata", metadata.to_owned());
        }
    }

    /// Sets the state and the member that comes with it.
    pub(super) fn set_state(
        &mut self,
        chunk: &ReadChunk<'_>,
        state: &str,
        member: Option<(&'static str, Box<RawValue>)>,
    ) {
        self.object.set("state", json::raw(&state));
        for name in ["output", "errorText", "rawInput", "preliminary"] {
            self.object.remove(name);
        }
        if let Some((name, value)) = member {
            self.set_streamed_input();
            self.object.set(name, value);
        }
        if let Some(is_executed) = chunk.provider_executed {
            self.object.set("providerExecuted", json::raw(&is_executed));
        }
    }

    /// Sets the arguments.
    pub(super) fn set_input(&mut self, input: &RawValue) {
        self.object.set("input", input.to_owned());
    }

    /// Sets the arguments of a call that has a result before its arguments ended, as in a replay.
    fn set_streamed_input(&mut self) {
        let partial = std::mem::take(&mut self.partial);
        if self.object.get("input").is_none()
            && let Ok(input) = RawValue::from_string(partial)
        {
            self.object.set("input", input);
        }
    }

    /// Sets an approval that the server asks for.
    pub(super) fn set_approval(&mut self, id: &Text<'_>) {
        let mut approval = Object::default();
        approval.set("id", json::raw(&id.0));
        self.object.set("state", json::raw(&"approval-requested"));
        self.object.set("approval", json::raw(&approval));
    }
}
