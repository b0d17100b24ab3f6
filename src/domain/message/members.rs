//! The members of a stored message, and its stored text.
//!
//! The text begins with the members of the Python version, behind the id; members without a value are left out:
//! `{"id", "parent_id"?, "role", "content", "timestamp", "traces", "artifacts", "parts"?, "metadata"?, "status"?,
//! "model"?, "usage"?, "feedback"?, "updated_at"?, "deleted"?}`. `parent_id` is stored only where the parent is not the
//! message before.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::util::json::{self, Text};
use crate::util::python_json;

/// The members that the stored text of every message has, in order.
pub(super) const CORE: [&str; 5] = ["role", "content", "timestamp", "traces", "artifacts"];
/// The members that it may have, in order.
pub(super) const OPTIONAL: [&str; 8] = [
    "parts",
    "metadata",
    "status",
    "model",
    "usage",
    "feedback",
    "updated_at",
    "deleted",
];

/// A member: its JSON.
type Member<'a> = Cow<'a, RawValue>;

/// The members of a message, as JSON. Members without a value are `None`.
#[derive(Clone, Debug, Default)]
pub struct Members<'a> {
    /// The id; a message of the Python version has none.
    pub id: Option<Cow<'a, str>>,
    /// The id of the parent, or `null`, where it is not the message before.
    pub parent_id: Option<Member<'a>>,
    /// The author.
    pub role: Option<Member<'a>>,
    /// The text.
    pub content: Option<Member<'a>>,
    /// The time of creation.
    pub timestamp: Option<Member<'a>>,
    /// Traces of the application.
    pub traces: Option<Member<'a>>,
    /// Artifacts of the application.
    pub artifacts: Option<Member<'a>>,
    /// The parts.
    pub parts: Option<Member<'a>>,
    /// Metadata of the application.
    pub metadata: Option<Member<'a>>,
    /// How far the generation got.
    pub status: Option<Member<'a>>,
    /// The model that wrote the message.
    pub model: Option<Member<'a>>,
    /// What the message cost.
    pub usage: Option<Member<'a>>,
    /// What a person thinks of the message.
    pub feedback: Option<Member<'a>>,
    /// The time of the last change.
    pub updated_at: Option<Member<'a>>,
    /// Whether the message was deleted: only its place is left.
    pub deleted: bool,
}

impl<'a> Members<'a> {
    /// Parses a stored text; `None` if it is not a message.
    pub fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str::<Stored<'_>>(text)
            .ok()
            .map(Self::from)
    }

    /// Parses a stored text, also with the `NaN` and `Infinity` that Python writes.
    pub fn parse_owned(text: &str) -> Option<Members<'static>> {
        if let Some(members) = Members::parse(text) {
            return Some(members.into_owned());
        }
        Members::parse(&python_json::without_nan(text)).map(Members::into_owned)
    }

    /// Returns the members without borrowed text.
    pub fn into_owned(self) -> Members<'static> {
        let owned = |member: Option<Member<'a>>| member.map(|value| Cow::Owned(value.into_owned()));
        Members {
            id: self.id.map(|id| Cow::Owned(id.into_owned())),
            parent_id: owned(self.parent_id),
            role: owned(self.role),
            content: owned(self.content),
            timestamp: owned(self.timestamp),
            traces: owned(self.traces),
            artifacts: owned(self.artifacts),
            parts: owned(self.parts),
            metadata: owned(self.metadata),
            status: owned(self.status),
            model: owned(self.model),
            usage: owned(self.usage),
            feedback: owned(self.feedback),
            updated_at: owned(self.updated_at),
            deleted: self.deleted,
        }
    }

    /// Returns whether the content is this text. A new text without parts removes the parts, which have the old text.
    pub(super) fn has_content(&self, content: &RawValue) -> bool {
        let own = self.content.as_deref().unwrap_or(RawValue::NULL);
        json::is_same_value(own.get(), content.get())
    }

    /// Returns the values of [`CORE`].
    pub(super) fn core(&self) -> [Option<&RawValue>; CORE.len()] {
        [
            &self.role,
            &self.content,
            &self.timestamp,
            &self.traces,
            &self.artifacts,
        ]
        .map(Option::as_deref)
    }

    /// Returns the values of [`OPTIONAL`] but for `deleted`.
    pub(super) fn optional(&self) -> [Option<&RawValue>; OPTIONAL.len() - 1] {
        [
            &self.parts,
            &self.metadata,
            &self.status,
            &self.model,
            &self.usage,
            &self.feedback,
            &self.updated_at,
        ]
        .map(Option::as_deref)
    }

    /// Returns the stored text of a message with this id.
    pub fn to_text(&self, id: &str) -> String {
        let rest = self.rest();
        let mut text = String::with_capacity(id.len() + rest.len() + 160);
        text.push_str("{\"id\":\"");
        text.push_str(id);
        text.push('"');
        if let Some(parent) = &self.parent_id {
            text.push_str(",\"parent_id\":");
            text.push_str(parent.get());
        }
        text + &rest
    }

    /// Returns the stored text behind `id` and `parent_id`.
    pub(super) fn rest(&self) -> String {
        let core = CORE.into_iter().zip(self.core());
        let core = core.map(|(name, value)| (name, value.unwrap_or(RawValue::NULL)));
        let optional = OPTIONAL.into_iter().zip(self.optional());
        let optional = optional.filter_map(|(name, value)| Some((name, value?)));
        let size: usize = self
            .core()
            .iter()
            .chain(&self.optional())
            .map(|value| value.map_or(4, |value| value.get().len()) + 16)
            .sum();
        let mut text = String::with_capacity(size + 20);
        for (name, value) in core.chain(optional) {
            text.push_str(",\"");
            text.push_str(name);
            text.push_str("\":");
            text.push_str(value.get());
        }
        text.push_str(if self.deleted {
            ",\"deleted\":true}"
        } else {
            "}"
        });
        text
    }
}

/// The form of a stored message.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    // Not an option of a value: a parent that is `null` differs from none.
    #[serde(borrow, default, deserialize_with = "present")]
    parent_id: Option<&'a RawValue>,
    #[serde(borrow)]
    role: &'a RawValue,
    #[serde(borrow)]
    content: &'a RawValue,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    traces: Option<&'a RawValue>,
    #[serde(borrow, default)]
    artifacts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    feedback: Option<&'a RawValue>,
    #[serde(borrow, default)]
    updated_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    deleted: Option<&'a RawValue>,
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> From<Stored<'a>> for Members<'a> {
    fn from(stored: Stored<'a>) -> Self {
        let borrowed = |value: Option<&'a RawValue>| value.map(Cow::Borrowed);
        Self {
            id: stored.id.map(|Text(id)| id),
            parent_id: borrowed(stored.parent_id),
            role: Some(Cow::Borrowed(stored.role)),
            content: Some(Cow::Borrowed(stored.content)),
            timestamp: borrowed(stored.timestamp),
            traces: borrowed(stored.traces),
            artifacts: borrowed(stored.artifacts),
            parts: borrowed(stored.parts),
            metadata: borrowed(stored.metadata),
            status: borrowed(stored.status),
            model: borrowed(stored.model),
            usage: borrowed(stored.usage),
            feedback: borrowed(stored.feedback),
            updated_at: borrowed(stored.updated_at),
            deleted: stored.deleted.is_some_and(|value| value.get() == "true"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_all_members_to_the_letter() {
        let text = concat!(
            r#"{"id":"a","parent_id":null,"role":"user","content":"\u00fc","timestamp":"t","traces":[1.0],"artifacts":null,"#,
            r#""parts":[{"type":"x", "a":1.50}],"metadata":{},"status":"failed","model":"m","usage":{"cost":"1"},"#,
            r#""feedback":{"type":"positive"},"updated_at":"u","deleted":true}"#
        );
        let members = Members::parse(text).unwrap();
        assert_eq!(members.to_text("a"), text);
        let python = r#"{"role": "user", "content": NaN}"#;
        let members = Members::parse_owned(python).unwrap();
        assert_eq!(
            members.to_text("msg_1"),
            r#"{"id":"msg_1","role":"user","content":null,"timestamp":null,"traces":null,"artifacts":null}"#
        );
        assert!(Members::parse(r#"{"role":"user"}"#).is_none());
    }
}
