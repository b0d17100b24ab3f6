//! Messages: what a session is made of, and the limits of one. No I/O.

mod stored;

use std::borrow::Cow;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

pub use self::stored::Message;
use crate::util::json::{self, Text};

/// The largest content, in bytes of UTF-8.
pub const MAX_CONTENT_BYTES: usize = 256 * 1024;
/// How many messages one request appends at most.
pub const MAX_BATCH: usize = 100;
/// How many messages one page holds at most.
pub const MAX_MESSAGES_PER_PAGE: usize = 200;
/// How many bytes of messages one page holds at most, except that it always holds one message.
///
/// A function may not answer more than 4.5 MB (vercel.com/docs/functions/limitations).
pub const MAX_PAGE_BYTES: usize = 4_000_000;

/// Who wrote a message.
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

/// What a message says: a JSON string of 1 byte to 256 KB, kept as it was sent.
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
            return Err(D::Error::custom("must not hold the character NUL"));
        }
        Ok(Self(value))
    }
}

/// Any JSON that a caller attaches to a message, kept to the letter.
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
            return Err(serde::de::Error::custom("must not hold the character NUL"));
        }
        Ok(Self(Cow::Owned(value)))
    }
}

/// A moment that a caller names: RFC 3339 with any offset, kept and written in UTC.
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
            // In UTC, a time with an offset may fall out of the years that have four digits.
            .filter(|time| (0..=9999).contains(&time.0.year()))
            .ok_or_else(|| serde::de::Error::custom("must be a time as in RFC 3339"))
    }
}

/// A message, as a caller gives it.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
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
    /// A message that a user wrote, with nothing attached.
    pub fn from_user(content: Content) -> Self {
        Self {
            role: Role::User,
            content,
            timestamp: None,
            traces: Attachment::default(),
            artifacts: Attachment::default(),
        }
    }

    /// The JSON text under which the message is stored; `now` stands in for a missing timestamp.
    ///
    /// It is the Python version's, and an `id` that is never used again.
    pub fn into_stored(self, now: DateTime<Utc>) -> String {
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
        json::text(&stored)
    }
}

/// Which messages of a session are asked for.
#[derive(Clone, Copy, Debug)]
pub enum MessageRange {
    /// The latest ones.
    Latest,
    /// Those after a `seq`, from there on.
    After(u64),
    /// Those before a `seq`, the nearest.
    Before(u64),
    /// Those between two `seq`s, from the first on.
    Between(u64, u64),
}
