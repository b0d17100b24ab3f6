//! Messages of a session as a prompt needs them.

use serde_json::value::RawValue;

use crate::domain::message::{Members, Message};
use crate::util::json;

/// A message of a session.
#[derive(Clone, Debug)]
pub struct HistoryMessage {
    /// The role as it is stored: `user`, `assistant`, `system`, `developer` or `tool`.
    pub role: String,
    /// The text, for a message without parts.
    pub content: String,
    /// The parts, a JSON array; `null` for none. For a message that goes on, those with the outputs of the client.
    pub parts: Box<RawValue>,
}

impl HistoryMessage {
    /// Reads a stored message; `None` for a deleted or malformed one.
    pub fn of(message: &Message) -> Option<Self> {
        let members = Members::parse_owned(message.text())?;
        let role = json::string(members.role.as_deref()?)?.into_owned();
        let content = members.content.as_deref().and_then(json::string);
        (!members.deleted).then(|| Self {
            role,
            content: content.unwrap_or_default().into_owned(),
            parts: members
                .parts
                .as_deref()
                .unwrap_or(RawValue::NULL)
                .to_owned(),
        })
    }
}
