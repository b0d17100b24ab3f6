//! The stored form of messages, and their form in responses.

use std::borrow::Cow;
use std::io::Write;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::util::json::Text;
use crate::util::python_json;

/// A new message in its stored form.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    text: String,
    /// The byte at which a response inserts `seq`.
    seq_position: usize,
}

impl StoredMessage {
    pub(super) fn new(text: String, seq_position: usize) -> Self {
        Self { text, seq_position }
    }

    /// Returns the JSON text to store.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the message with the `seq` that it was stored under.
    pub fn with_seq(self, seq: u64) -> Message {
        Message {
            seq,
            text: self.text.into_bytes(),
            seq_position: Some(self.seq_position),
        }
    }
}

/// A message of a session. Its members are sent as the stored text.
///
/// A message of the Python version has no id; its id is `msg_` and its `seq`, which never changes. A malformed
/// message keeps its `seq`; it is sent with `unreadable: true`, and its other members are `null`.
#[derive(Clone, Debug)]
pub struct Message {
    seq: u64,
    text: Vec<u8>,
    /// The byte at which a response inserts `seq`, if known: then the text is not parsed again.
    seq_position: Option<usize>,
}

impl Message {
    /// Returns the message with this stored text and this `seq` (1, 2, …).
    pub fn from_stored(text: Vec<u8>, seq: u64) -> Self {
        Self {
            seq,
            text,
            seq_position: None,
        }
    }

    /// Returns the position in the session: 1, 2, …
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the approximate number of bytes in a response.
    pub fn size(&self) -> usize {
        self.text.len() + 32
    }

    /// Appends the message as JSON to a response.
    pub fn write_response(&self, response: &mut Vec<u8>) {
        let text = str::from_utf8(&self.text).unwrap_or_default();
        if let Some(position) = self.seq_position.or_else(|| find_seq_position(text)) {
            let (before, after) = text.split_at(position);
            response.extend_from_slice(before.as_bytes());
            let _ = write!(response, "\"seq\":{},", self.seq);
            response.extend_from_slice(after.as_bytes());
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
        serde_json::to_writer(response, &stored.into_response(self.seq, unreadable))
            .expect("a struct with string keys is always JSON");
    }
}

/// Returns the byte at which `seq` is inserted into a text in the form of [`NewMessage::into_stored`]; `None` for
/// every other text.
///
/// [`NewMessage::into_stored`]: super::NewMessage::into_stored
fn find_seq_position(text: &str) -> Option<usize> {
    let (id, rest) = text.strip_prefix("{\"id\":\"msg_")?.split_at_checked(32)?;
    let mut rest = rest.strip_prefix("\",")?;
    let position = text.len() - rest.len();
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
    let is_complete = rest == "}" && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_complete.then_some(position)
}

/// The members of a stored message that responses contain.
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

/// A malformed message.
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
    fn into_response(self, seq: u64, unreadable: bool) -> MessageResponse<'a> {
        MessageResponse {
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

/// A message in a response.
#[derive(Serialize)]
struct MessageResponse<'a> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::NewMessage;

    #[track_caller]
    fn check(stored: &str, expected: &str) {
        let mut response = Vec::new();
        Message::from_stored(stored.as_bytes().to_vec(), 7).write_response(&mut response);
        assert_eq!(str::from_utf8(&response).unwrap(), expected);
    }

    #[test]
    fn stored_members_are_returned_unchanged_with_seq() {
        let id = "msg_01a2065254e075efb843a48e8c2f92c6";
        let members = r#""role":"user","content":"a \"b\" ü \u00fc","timestamp":"2025-12-14T10:00:00Z","traces":[1.0,{"a":2e5}],"artifacts":null"#;
        check(
            &format!(r#"{{"id":"{id}",{members}}}"#),
            &format!(r#"{{"id":"{id}","seq":7,{members}}}"#),
        );
        // Another order, spaces, and unknown members: parsed and serialized again.
        check(
            &format!(r#"{{"x":1, {members}, "id":"{id}"}}"#),
            &format!(r#"{{"id":"{id}","seq":7,{members}}}"#),
        );
        check(
            &format!(r#"{{"id":"{id}",{members},"x":1}}"#),
            &format!(r#"{{"id":"{id}","seq":7,{members}}}"#),
        );
    }

    #[test]
    fn new_message_and_its_stored_text_give_the_same_response() {
        let new: NewMessage = serde_json::from_str(
            r#"{"role":"tool","content":"a \"b\" \u00fc","traces":[1.0],"artifacts":{"a":2e5}}"#,
        )
        .unwrap();
        let stored = new.into_stored(crate::util::time::now());
        let text = stored.as_str().to_owned();
        let mut fresh = Vec::new();
        stored.with_seq(7).write_response(&mut fresh);
        check(&text, str::from_utf8(&fresh).unwrap());
        assert!(fresh.len() > text.len());
    }

    #[test]
    fn incomplete_message_is_unreadable() {
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
