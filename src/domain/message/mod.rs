//! Messages of a session, and their limits. No I/O.

mod stored;

use std::borrow::Cow;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

pub use self::stored::{Message, StoredMessage};
use crate::util::json::{self, Text};

/// The maximum size of a message's content, in bytes of UTF-8.
pub const MAX_CONTENT_BYTES: usize = 256 * 1024;
/// The maximum number of messages of one append request.
pub const MAX_BATCH: usize = 100;
/// The maximum number of messages on a page.
pub const MAX_MESSAGES_PER_PAGE: usize = 200;
/// The maximum size of a page, in bytes; a page always contains at least one item.
///
/// The response of a Vercel function is limited to 4.5 MB (vercel.com/docs/functions/limitations).
pub const MAX_PAGE_BYTES: usize = 4_000_000;

/// The author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Role {
    /// A person.
    User,
    /// The model.
    Assistant,
    /// The application.
    System,
    /// A tool that the model called.
    Tool,
}

// Not derived: a derived implementation also accepts `{"user":null}`.
impl TryFrom<String> for Role {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            "system" => Ok(Self::System),
            "tool" => Ok(Self::Tool),
            _ => Err("must be user, assistant, system or tool"),
        }
    }
}

/// The content of a message: a JSON string of 1 byte to 256 KB, stored byte for byte.
#[derive(Clone, Debug, Serialize)]
pub struct Content(Box<RawValue>);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = Box::<RawValue>::deserialize(deserializer)?;
        let Text(text) =
            serde_json::from_str(value.get()).map_err(|_| D::Error::custom("must be a string"))?;
        if !(1..=MAX_CONTENT_BYTES).contains(&text.len()) {
            return Err(D::Error::custom("must be 1 byte to 256 KB"));
        }
        if text.contains('\0') {
            return Err(D::Error::custom("must not contain the NUL character"));
        }
        Ok(Self(value))
    }
}

/// Application data of a message: any JSON, stored byte for byte.
#[derive(Clone, Debug, Serialize)]
pub struct Attachment(Cow<'static, RawValue>);

impl Default for Attachment {
    fn default() -> Self {
        Self(Cow::Borrowed(RawValue::NULL))
    }
}

impl<'de> Deserialize<'de> for Attachment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        if json::has_nul(&value) {
            return Err(serde::de::Error::custom(
                "must not contain the NUL character",
            ));
        }
        Ok(Self(Cow::Owned(value)))
    }
}

/// The time of a message: RFC 3339 with any offset, stored in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp(DateTime<Utc>);

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|time| Self(time.to_utc()))
            .ok()
            // RFC 3339 has years of four digits; the conversion to UTC can leave that range.
            .filter(|time| (0..=9999).contains(&time.0.year()))
            .ok_or_else(|| serde::de::Error::custom("must be an RFC 3339 time"))
    }
}

/// A message to append.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    role: Role,
    content: Content,
    timestamp: Option<Timestamp>,
    #[serde(default)]
    traces: Attachment,
    #[serde(default)]
    artifacts: Attachment,
}

impl NewMessage {
    /// Returns a message of role `user` without attachments.
    pub fn from_user(content: Content) -> Self {
        Self {
            role: Role::User,
            content,
            timestamp: None,
            traces: Attachment::default(),
            artifacts: Attachment::default(),
        }
    }

    /// Returns the message in its stored form, with a new unique id; `now` is the default of a missing timestamp.
    ///
    /// The form is the Python version's JSON with an `id`.
    pub fn into_stored(self, now: DateTime<Utc>) -> StoredMessage {
        #[derive(Serialize)]
        struct Stored {
            id: String,
            role: Role,
            content: Content,
            timestamp: Timestamp,
            traces: Attachment,
            artifacts: Attachment,
        }
        let stored = Stored {
            id: format!("msg_{}", Uuid::now_v7().simple()),
            role: self.role,
            content: self.content,
            timestamp: self.timestamp.unwrap_or(Timestamp(now)),
            traces: self.traces,
            artifacts: self.artifacts,
        };
        let seq_position = "{\"id\":\"".len() + stored.id.len() + "\",".len();
        StoredMessage::new(json::text(&stored), seq_position)
    }
}

/// A range of messages of a session.
#[derive(Clone, Copy, Debug)]
pub enum MessageRange {
    /// The latest messages.
    Latest,
    /// The messages after a `seq`, in ascending order.
    After(u64),
    /// The latest messages before a `seq`.
    Before(u64),
    /// The messages between two `seq`s, in ascending order.
    Between(u64, u64),
}
