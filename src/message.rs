//! Messages: what a session is made of, and the limits of one. No I/O.

use std::borrow::Cow;
use std::io::Write;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::json::{self, Text};
use crate::python_json;

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

/// A message, as it is stored and answered. What it says passes through as text.
///
/// Messages of the Python version have no id; theirs is `msg_` and their place, which never changes.
/// What is no message keeps its place, with `null` for all it says and `unreadable` set.
#[derive(Clone, Debug)]
pub struct Message {
    seq: u64,
    text: Vec<u8>,
}

impl Message {
    /// The message at place `seq` (1, 2, …), of which `text` is stored.
    pub fn from_stored(text: Vec<u8>, seq: u64) -> Self {
        Self { seq, text }
    }

    /// Its place in the session: 1, 2, …
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How many bytes it takes to answer it, about.
    pub fn size(&self) -> usize {
        self.text.len() + 32
    }

    /// Writes it as it is answered, as JSON.
    pub fn write_answer(&self, answer: &mut Vec<u8>) {
        let text = str::from_utf8(&self.text).unwrap_or_default();
        if let Some(place) = place_of_seq(text) {
            let (before, after) = text.split_at(place);
            answer.extend_from_slice(before.as_bytes());
            let _ = write!(answer, "\"seq\":{},", self.seq);
            answer.extend_from_slice(after.as_bytes());
            return;
        }
        let repaired;
        let (stored, unreadable) = match serde_json::from_str::<Stored<'_>>(text) {
            Ok(stored) => (stored, false),
            Err(_) => {
                repaired = python_json::without_nan(text);
                let stored = serde_json::from_str::<Stored<'_>>(&repaired);
                stored.map_or((Stored::default(), true), |stored| (stored, false))
            }
        };
        serde_json::to_writer(answer, &stored.answer(self.seq, unreadable))
            .expect("a struct with string keys is always JSON");
    }
}

/// Where the `seq` goes into a text that has the form in which [`NewMessage::into_stored`] writes messages; nothing
/// for every other text.
fn place_of_seq(text: &str) -> Option<usize> {
    let (id, rest) = text.strip_prefix("{\"id\":\"msg_")?.split_at_checked(32)?;
    let mut rest = rest.strip_prefix("\",")?;
    let place = text.len() - rest.len();
    let members = [
        "\"role\":",
        ",\"content\":",
        ",\"timestamp\":",
        ",\"traces\":",
        ",\"artifacts\":",
    ];
    for member in members {
        let value = rest.strip_prefix(member)?;
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        rest = &value[values.byte_offset()..];
    }
    let is_so = rest == "}" && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_so.then_some(place)
}

/// What is stored of a message, as far as it is answered.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    role: &'a RawValue,
    #[serde(borrow)]
    content: &'a RawValue,
    #[serde(borrow, default = "null")]
    timestamp: &'a RawValue,
    #[serde(borrow, default = "null")]
    traces: &'a RawValue,
    #[serde(borrow, default = "null")]
    artifacts: &'a RawValue,
}

fn null<'a>() -> &'a RawValue {
    RawValue::NULL
}

/// What says nothing.
impl Default for Stored<'_> {
    fn default() -> Self {
        Self {
            id: None,
            role: null(),
            content: null(),
            timestamp: null(),
            traces: null(),
            artifacts: null(),
        }
    }
}

impl<'a> Stored<'a> {
    fn answer(self, seq: u64, unreadable: bool) -> Answer<'a> {
        Answer {
            id: self
                .id
                .map_or_else(|| Cow::Owned(format!("msg_{seq}")), |Text(id)| id),
            seq,
            role: self.role,
            content: self.content,
            timestamp: self.timestamp,
            traces: self.traces,
            artifacts: self.artifacts,
            unreadable,
        }
    }
}

/// A message in an answer.
#[derive(Serialize)]
struct Answer<'a> {
    id: Cow<'a, str>,
    seq: u64,
    role: &'a RawValue,
    content: &'a RawValue,
    timestamp: &'a RawValue,
    traces: &'a RawValue,
    artifacts: &'a RawValue,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unreadable: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stored: &str, answered: &str) {
        let mut answer = Vec::new();
        Message::from_stored(stored.as_bytes().to_vec(), 7).write_answer(&mut answer);
        assert_eq!(str::from_utf8(&answer).unwrap(), answered);
    }

    #[test]
    fn what_is_stored_passes_through_and_its_place_is_added() {
        let id = "msg_01a2065254e075efb843a48e8c2f92c6";
        let said = r#""role":"user","content":"a \"b\" ü \u00fc","timestamp":"2025-12-14T10:00:00Z","traces":[1.0,{"a":2e5}],"artifacts":null"#;
        check(
            &format!(r#"{{"id":"{id}",{said}}}"#),
            &format!(r#"{{"id":"{id}","seq":7,{said}}}"#),
        );
        // Another order, blanks, and members that nobody knows: taken apart, and put together.
        check(
            &format!(r#"{{"x":1, {said}, "id":"{id}"}}"#),
            &format!(r#"{{"id":"{id}","seq":7,{said}}}"#),
        );
        check(
            &format!(r#"{{"id":"{id}",{said},"x":1}}"#),
            &format!(r#"{{"id":"{id}","seq":7,{said}}}"#),
        );
    }

    #[test]
    fn what_only_begins_as_a_message_is_unreadable() {
        let unreadable = r#"{"id":"msg_7","seq":7,"role":null,"content":null,"timestamp":null,"traces":null,"artifacts":null,"unreadable":true}"#;
        let id = "msg_01a2065254e075efb843a48e8c2f92c6";
        check(&format!(r#"{{"id":"{id}","role":"user"}}"#), unreadable);
        check(
            &format!(
                r#"{{"id":"{id}","role":"user","content":"a,"timestamp":null,"traces":null,"artifacts":null}}"#
            ),
            unreadable,
        );
        check(
            &format!(
                r#"{{"id":"{id}","role":"user","content":"a","timestamp":null,"traces":[null,"artifacts":null}}"#
            ),
            unreadable,
        );
    }
}
