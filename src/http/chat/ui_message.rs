//! Messages in the body of a chat request.

use serde_json::value::RawValue;

use crate::domain::message::{MESSAGE_ID_RULE, MessageId, NewMessage};
use crate::http::error::{Error, Result};
use crate::http::extract::body::{member_at, parse_at};
use crate::util::json::{self, Object, string};

/// The members of a UIMessage that are stored. Others belong to the application.
const MEMBERS: [&str; 4] = ["id", "role", "parts", "metadata"];

/// A UIMessage of the AI SDK.
pub(super) struct UiMessage<'a> {
    object: Object<'a>,
    pub(super) id: Option<MessageId>,
    pub(super) role: String,
}

impl<'a> UiMessage<'a> {
    /// Reads a message; `path` is its place in the body.
    pub(super) fn read(path: &str, message: &'a RawValue) -> Result<Self> {
        let object = Object::parse(message.get());
        let object = object.ok_or_else(|| Error::field(path, "must be an object"))?;
        let text = |name| object.get(name).and_then(string);
        let id = match text("id") {
            None => None,
            Some(id) if id.is_empty() => None,
            Some(id) => Some(message_id(&format!("{path}.id"), &id)?),
        };
        let role = text("role").unwrap_or_default().into_owned();
        Ok(Self { id, role, object })
    }

    /// Returns the parts.
    pub(super) fn parts(&self) -> Option<&RawValue> {
        self.object.get("parts")
    }

    /// Returns the message as one to store.
    pub(super) fn to_new_message(&self, path: &str) -> Result<NewMessage> {
        let mut selected = Object::default();
        // It may be missing in a body of this API.
        selected.set("role", json::raw(&"user"));
        for name in MEMBERS {
            let value = self.object.get(name);
            let is_given = value.is_some_and(|value| !["null", "\"\""].contains(&value.get()));
            if let Some(value) = value.filter(|_| is_given) {
                selected.set(name, value.to_owned());
            }
        }
        // Messages of older clients, and of hand-written ones, have a text instead of parts.
        if let (None, Some(content)) = (selected.get("parts"), self.object.get("content")) {
            selected.set("content", content.to_owned());
        }
        new_message(path, &json::text(&selected))
    }
}

/// Parses the id of a message in a field of the body.
pub(super) fn message_id(field: &str, id: &str) -> Result<MessageId> {
    MessageId::parse(id).ok_or_else(|| Error::field(field, MESSAGE_ID_RULE))
}

/// Parses a message to store; `path` is its place in the body, empty if its members stand in the body itself.
pub(super) fn new_message(path: &str, text: &str) -> Result<NewMessage> {
    let message: NewMessage = parse_at(path, text.as_bytes())?;
    let checked = message.check();
    checked.map_err(|(member, rule)| Error::field(member_at(path, member), rule))?;
    Ok(message)
}
