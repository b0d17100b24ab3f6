//! New messages: what a client sends, and the text that is stored.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::id::{MessageId, Parent};
use super::members::Members;
use super::parts::Parts;
use super::response::Message;
use super::values::{Attachment, Feedback, MessageStatus, Model, Role, Timestamp, Usage};
use crate::domain::metadata::Metadata;
use crate::util::json::{self, Text};

/// The maximum size of a message's content, in bytes of UTF-8. Content that is made of parts may have 1 MB.
pub const MAX_CONTENT_BYTES: usize = 256 * 1024;

/// The content of a message: a JSON string of at most 256 KB, stored byte for byte.
#[derive(Clone, Debug, Serialize)]
pub struct Content(Box<RawValue>);

impl Content {
    /// Returns the content as JSON.
    pub(super) fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// Returns whether the text is empty, which only a message with parts may have.
    pub fn is_empty(&self) -> bool {
        self.0.get() == "\"\""
    }

    /// Returns the empty content.
    pub(super) fn empty() -> Self {
        Self(json::raw(&""))
    }

    /// Returns the content that is made of parts.
    pub(super) fn of_parts(parts: &Parts) -> Self {
        Self(json::raw(&parts.text()))
    }
}

impl TryFrom<Box<RawValue>> for Content {
    type Error = &'static str;

    fn try_from(value: Box<RawValue>) -> Result<Self, Self::Error> {
        let Text(text) = serde_json::from_str(value.get()).map_err(|_| "must be a string")?;
        if text.len() > MAX_CONTENT_BYTES {
            return Err("must be at most 256 KB");
        }
        if text.contains('\0') {
            return Err("must not contain the NUL character");
        }
        Ok(Self(value))
    }
}

// Not `try_from`: serde would buffer the value, and a `RawValue` cannot be read from that buffer.
impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        value.try_into().map_err(serde::de::Error::custom)
    }
}

/// A message to append.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The id; generated if it is missing.
    pub id: Option<MessageId>,
    /// The parent; the newest message of the active branch if it is missing.
    pub parent_id: Parent,
    /// Whether the branch of the message becomes the active one; only together with `parent_id`.
    pub activate: Option<bool>,
    pub(super) role: Role,
    pub(super) content: Option<Content>,
    pub(super) parts: Option<Parts>,
    pub(super) metadata: Option<Metadata>,
    pub(super) status: Option<MessageStatus>,
    pub(super) model: Option<Model>,
    pub(super) usage: Option<Usage>,
    pub(super) feedback: Option<Feedback>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) traces: Attachment,
    pub(super) artifacts: Attachment,
    /// The `updated_at` of the stored message that the client has seen; only in a history.
    pub updated_at: Option<String>,
    /// A member that contradicts another one.
    pub(super) contradiction: Option<InvalidMember>,
}

/// A member of a message that is not acceptable: its name, and the rule.
pub type InvalidMember = (&'static str, &'static str);

impl NewMessage {
    /// Returns a message of role `user` with this content alone.
    pub fn from_user(content: Content) -> Self {
        Self {
            id: None,
            parent_id: Parent::Newest,
            activate: None,
            role: Role::User,
            content: Some(content),
            parts: None,
            metadata: None,
            status: None,
            model: None,
            usage: None,
            feedback: None,
            timestamp: None,
            traces: Attachment::default(),
            artifacts: Attachment::default(),
            updated_at: None,
            contradiction: None,
        }
    }

    /// Checks that no member contradicts another one, as `parts` and `tool_calls` do.
    ///
    /// # Errors
    /// If one does.
    pub fn check_shape(&self) -> Result<(), InvalidMember> {
        self.contradiction.map_or(Ok(()), Err)
    }

    /// Checks the rules on several members of a message that is appended or put.
    ///
    /// # Errors
    /// If members contradict each other, or the message has neither content nor parts, `activate` without `parent_id`, or the `updated_at` of a history.
    pub fn check(&self) -> Result<(), InvalidMember> {
        self.check_shape()?;
        let is_empty = self.content.as_ref().is_none_or(Content::is_empty);
        if is_empty && self.parts.is_none() {
            return Err((
                "content",
                "must be 1 byte to 256 KB where there are no parts",
            ));
        }
        if self.activate.is_some() && self.parent_id == Parent::Newest {
            return Err(("activate", "must stand beside `parent_id`"));
        }
        if self.updated_at.is_some() {
            let rule = "must be left out; it is for the messages of a history, which `PUT` of all messages compares";
            return Err(("updated_at", rule));
        }
        Ok(())
    }

    /// Returns the members to store, at the time `now`. A timestamp that the client did not give is `now`.
    pub fn members(&self, now: DateTime<Utc>) -> Members<'_> {
        let content = match (&self.content, &self.parts) {
            (Some(content), _) => Cow::Borrowed(content.as_raw()),
            (None, Some(parts)) => Cow::Owned(Content::of_parts(parts).0),
            (None, None) => Cow::Borrowed(RawValue::NULL),
        };
        let timestamp = self.timestamp.unwrap_or(Timestamp::from(now));
        let status = self
            .status
            .filter(|status| *status != MessageStatus::Completed);
        Members {
            id: self.id.as_ref().map(|id| Cow::Borrowed(id.as_str())),
            parent_id: None,
            role: Some(Cow::Borrowed(self.role.as_raw())),
            content: Some(content),
            timestamp: Some(Cow::Owned(json::raw(&timestamp))),
            traces: Some(Cow::Borrowed(self.traces.as_raw())),
            artifacts: Some(Cow::Borrowed(self.artifacts.as_raw())),
            parts: self
                .parts
                .as_ref()
                .map(|parts| Cow::Borrowed(parts.as_raw())),
            metadata: self
                .metadata
                .as_ref()
                .map(|value| Cow::Borrowed(value.as_raw())),
            status: status.map(|status| Cow::Borrowed(status.as_raw())),
            model: self
                .model
                .as_ref()
                .map(|value| Cow::Borrowed(value.as_raw())),
            usage: self
                .usage
                .as_ref()
                .map(|value| Cow::Borrowed(value.as_raw())),
            feedback: self
                .feedback
                .as_ref()
                .map(|value| Cow::Borrowed(value.as_raw())),
            updated_at: None,
            deleted: false,
        }
    }

    /// Returns the members of a stored message that is replaced by this one where this one has members; others stay. New
    /// content without parts removes the parts.
    pub fn merged_over(&self, stored: &Members<'_>) -> Members<'static> {
        let new = self.members(DateTime::UNIX_EPOCH).into_owned();
        let mut merged = stored.clone().into_owned();
        merged.role = new.role;
        if self.content.is_some() || self.parts.is_some() {
            merged.content = new.content;
        }
        if self.timestamp.is_some() {
            merged.timestamp = new.timestamp;
        }
        if self.status.is_some() {
            merged.status = new.status;
        }
        let has_new_content = self
            .content
            .as_ref()
            .is_some_and(|content| !stored.has_content(content.as_raw()));
        if self.parts.is_some() || has_new_content {
            merged.parts = new.parts;
        }
        merged.metadata = new.metadata.or(merged.metadata);
        merged.model = new.model.or(merged.model);
        merged.usage = new.usage.or(merged.usage);
        merged.feedback = new.feedback.or(merged.feedback);
        if !self.traces.is_null() {
            merged.traces = new.traces;
        }
        if !self.artifacts.is_null() {
            merged.artifacts = new.artifacts;
        }
        merged
    }

    /// Returns whether the client gave a timestamp.
    pub fn has_timestamp(&self) -> bool {
        self.timestamp.is_some()
    }

    /// Returns the message in the form in which `scripts/append.lua` stores it.
    pub fn to_stored(&self, now: DateTime<Utc>) -> StoredMessage {
        StoredMessage::new(self.id.as_ref(), self.members(now).rest())
    }
}

/// A new message in its stored form, apart from what is known only when it is stored: its `seq`, which a generated id
/// contains, and its parent.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    head: String,
    has_own_id: bool,
    rest: String,
}

/// The beginning of a stored message, before its id.
const HEAD: &str = "{\"id\":\"";

impl StoredMessage {
    fn new(id: Option<&MessageId>, rest: String) -> Self {
        let head = match id {
            Some(id) => format!("{HEAD}{id}"),
            None => format!("{HEAD}msg_{}-", Uuid::now_v7().simple()),
        };
        Self {
            head,
            has_own_id: id.is_some(),
            rest,
        }
    }

    /// Returns the text up to the id; a generated id ends with the `seq`, which is missing.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Returns the id that the client gave; an empty text for a generated one.
    pub fn own_id(&self) -> &str {
        if self.has_own_id {
            &self.head[HEAD.len()..]
        } else {
            ""
        }
    }

    /// Returns the text behind the id and the parent.
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// Returns the message as it is stored under a `seq`.
    pub fn with_seq(self, seq: u64) -> Message {
        let mut text = self.head;
        if !self.has_own_id {
            text.push_str(&seq.to_string());
        }
        text.push('"');
        text.push_str(&self.rest);
        Message::from_stored(text.into_bytes(), seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> NewMessage {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn content_is_made_of_text_parts_where_it_is_not_given() {
        let now = crate::util::time::now();
        let parts = r#""parts":[{"type":"text","text":"a"},{"type":"text","text":"ü\""}]"#;
        let content = |message: &NewMessage| message.members(now).content.unwrap().get().to_owned();
        let derived = parse(&format!(r#"{{"role":"user",{parts}}}"#));
        assert_eq!(content(&derived), r#""a\n\nü\"""#);
        let given = parse(&format!(r#"{{"role":"user","content":"",{parts}}}"#));
        assert_eq!(content(&given), r#""""#);
        assert!(given.check().is_ok());
    }

    #[test]
    fn rules_on_several_members_are_checked() {
        let check = |text| parse(text).check().map_err(|(name, _)| name);
        assert_eq!(check(r#"{"role":"user"}"#), Err("content"));
        assert_eq!(check(r#"{"role":"user","content":""}"#), Err("content"));
        assert_eq!(check(r#"{"role":"user","parts":[]}"#), Ok(()));
        let activate = r#"{"role":"user","content":"a","activate":false}"#;
        assert_eq!(check(activate), Err("activate"));
        let root = r#"{"role":"user","content":"a","activate":false,"parent_id":null}"#;
        assert_eq!(check(root), Ok(()));
    }

    #[test]
    fn generated_id_ends_with_the_seq_and_an_own_one_stays() {
        let now = crate::util::time::now();
        let generated = parse(r#"{"role":"user","content":"a"}"#).to_stored(now);
        assert_eq!(generated.own_id(), "");
        let mut response = Vec::new();
        generated.with_seq(12).write_response(&mut response);
        let response: serde_json::Value = serde_json::from_slice(&response).unwrap();
        let id = response["id"].as_str().unwrap();
        assert!(
            id.starts_with("msg_") && id.ends_with("-12") && id.len() == 39,
            "{id}"
        );
        let own = parse(r#"{"id":"x:1","role":"user","content":"a"}"#).to_stored(now);
        assert_eq!(own.own_id(), "x:1");
        assert!(own.head().ends_with("\"x:1"));
    }
}
