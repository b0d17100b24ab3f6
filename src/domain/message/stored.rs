//! Messages as they are stored, and as they are answered.

use std::borrow::Cow;
use std::io::Write;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::util::json::Text;
use crate::util::python_json;

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
///
/// [`NewMessage::into_stored`]: super::NewMessage::into_stored
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
