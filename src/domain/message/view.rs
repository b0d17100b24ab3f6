//! Stored messages as other shapes need them: role, text, parts, and results of tools.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::members::Members;
use super::response::Message;
use crate::util::json::{self, Object};

/// The type of the part of a `tool` message that has the result of a call.
pub(super) const TOOL_RESULT: &str = "tool-result";

/// A message that can be rendered: neither deleted nor unreadable.
pub(super) struct View<'a> {
    message: &'a Message,
    members: Members<'a>,
    role: String,
}

impl<'a> View<'a> {
    /// Reads a stored message; `Some(None)` for a deleted one.
    #[expect(clippy::option_option, reason = "a deleted message is readable")]
    pub(super) fn of(message: &'a Message) -> Option<Option<Self>> {
        let members = Members::parse(message.text());
        let members = members.or_else(|| Members::parse_owned(message.text()))?;
        let role = json::string(members.role.as_deref()?)?.into_owned();
        Some((!members.deleted).then_some(Self {
            message,
            members,
            role,
        }))
    }

    /// Returns the id.
    pub(super) fn id(&self) -> Cow<'_, str> {
        self.message.id()
    }

    /// Returns the role as it is stored.
    pub(super) fn role(&self) -> &str {
        &self.role
    }

    /// Returns the content as a JSON string. Other programs may have stored another value.
    pub(super) fn content(&self) -> Cow<'_, str> {
        match self.members.content.as_deref().map(RawValue::get) {
            Some(text) if text.starts_with('"') => Cow::Borrowed(text),
            None | Some("null") => Cow::Borrowed("\"\""),
            Some(other) => Cow::Owned(json::text(&other)),
        }
    }

    /// Returns the metadata.
    pub(super) fn metadata(&self) -> Option<&RawValue> {
        let metadata = self.members.metadata.as_deref();
        metadata.filter(|metadata| metadata.get() != "null")
    }

    /// Returns the list of parts as it is stored.
    pub(super) fn list(&self) -> &RawValue {
        self.members.parts.as_deref().unwrap_or(RawValue::NULL)
    }

    /// Returns the parts.
    pub(super) fn parts(&self) -> Vec<Part<'_>> {
        Part::list(self.list())
    }

    /// Returns the results of tools in the parts of a `tool` message.
    pub(super) fn results(&self) -> Vec<ToolResult> {
        self.parts().iter().filter_map(ToolResult::of).collect()
    }
}

/// The result of a tool, in a `tool` message.
pub(super) struct ToolResult {
    pub(super) call_id: String,
    /// The name of the tool, if the message names it.
    pub(super) name: Option<String>,
    pub(super) output: Box<RawValue>,
}

impl ToolResult {
    fn of(part: &Part<'_>) -> Option<Self> {
        let openai = part.openai();
        let message = openai
            .get("message")
            .and_then(|value| Object::parse(value.get()));
        let name = message.and_then(|message| text(message.get("name")));
        Some(Self {
            call_id: part.text("toolCallId")?,
            name: part.text("toolName").or(name),
            output: part.get("output")?.to_owned(),
        })
    }
}

/// A part of a stored message.
pub(crate) struct Part<'a> {
    /// The part as it is stored.
    pub(crate) raw: &'a RawValue,
    object: Object<'a>,
    kind: String,
}

impl<'a> Part<'a> {
    /// Reads a list of parts; items that are not objects with a type are left out.
    pub(crate) fn list(list: &'a RawValue) -> Vec<Self> {
        let items: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
        let part = |raw: &'a RawValue| {
            let object = Object::parse(raw.get())?;
            let kind = text(object.get("type"))?;
            Some(Self { raw, object, kind })
        };
        items.into_iter().filter_map(part).collect()
    }

    /// Returns the type.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns a member.
    pub(crate) fn get(&self, name: &str) -> Option<&RawValue> {
        self.object.get(name)
    }

    /// Returns a member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        text(self.get(name))
    }

    /// Returns the name and the id of the call in the part of a tool; `None` for another part.
    pub(crate) fn call(&self) -> Option<(String, String)> {
        let name = match self.kind.strip_prefix("tool-") {
            Some(name) => name.to_owned(),
            None if self.kind == "dynamic-tool" => self.text("toolName")?,
            None => return None,
        };
        Some((name, self.text("toolCallId")?))
    }

    /// Returns the state of the part of a tool.
    pub(crate) fn state(&self) -> String {
        self.text("state").unwrap_or_default()
    }

    /// Returns the members of a message in OpenAI's shape that have no place in the part.
    pub(super) fn openai(&self) -> Object<'_> {
        let metadata = ["providerMetadata", "callProviderMetadata"].map(|name| self.get(name));
        let metadata = metadata.into_iter().flatten().find_map(|metadata| {
            let metadata: ProviderMetadata<'_> = serde_json::from_str(metadata.get()).ok()?;
            Object::parse(metadata.openai?.get())
        });
        metadata.unwrap_or_default()
    }
}

/// The member `openai` of the metadata of providers.
#[derive(serde::Deserialize)]
struct ProviderMetadata<'a> {
    #[serde(borrow)]
    openai: Option<&'a RawValue>,
}

/// Returns the text of a member that is a string.
pub(super) fn text(value: Option<&RawValue>) -> Option<String> {
    json::string(value?).map(Cow::into_owned)
}
