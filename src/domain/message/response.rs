//! Messages in responses: the stored text is copied, and `seq`, the parent and missing members are added.

use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;

use serde::de::IgnoredAny;

use super::id::is_message_id;
use super::members::{CORE, Members, OPTIONAL};
use crate::util::hash::sha1;
use crate::util::json;

/// A message of a session. Its members are sent as the stored text.
///
/// A malformed message keeps its `seq`; it is sent with `unreadable: true`, and its other members are `null`.
#[derive(Clone, Debug)]
pub struct Message {
    seq: u64,
    text: Vec<u8>,
    /// The id of the message before, which is the parent unless the text names another one.
    parent: Option<String>,
    siblings: Vec<String>,
}

impl Message {
    /// Returns the message with this stored text and this `seq` (1, 2, …), whose parent is unknown.
    pub fn from_stored(text: Vec<u8>, seq: u64) -> Self {
        Self {
            seq,
            text,
            parent: None,
            siblings: Vec::new(),
        }
    }

    /// Sets the parent of a message whose text names none.
    #[must_use]
    pub fn with_parent(mut self, parent: Option<String>) -> Self {
        self.parent = parent;
        self
    }

    /// Sets the ids of all versions of the message, in order.
    #[must_use]
    pub fn with_siblings(mut self, siblings: Vec<String>) -> Self {
        self.siblings = siblings;
        self
    }

    /// Returns the message with another stored text.
    #[must_use]
    pub fn with_text(&self, text: Vec<u8>) -> Self {
        Self {
            text,
            ..self.clone()
        }
    }

    /// Returns the position in the session: 1, 2, …
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the stored text; an empty one if it is not UTF-8.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Returns the version of the message's state: it differs between any two states.
    pub fn version(&self) -> String {
        sha1(self.text())[..16].to_owned()
    }

    /// Returns the id: that of the text, or `msg_` and the `seq`.
    pub fn id(&self) -> Cow<'_, str> {
        id_in(self.text(), self.seq)
    }

    /// Returns the id of the parent; `None` for a beginning.
    pub fn parent_id(&self) -> Option<String> {
        match Members::parse(self.text()).and_then(|members| members.parent_id) {
            Some(parent) => serde_json::from_str(parent.get()).ok().flatten(),
            None => self.parent.clone(),
        }
    }

    /// Returns the approximate number of bytes in a response.
    pub fn size(&self) -> usize {
        self.text.len() + 256
    }

    /// Appends the message as JSON to a response.
    pub fn write_response(&self, response: &mut Vec<u8>) {
        let text = self.text();
        if let Some(layout) = Layout::of(text) {
            return self.write_canonical(text, &layout, response);
        }
        // Another form: of the Python version, or of a message that is not readable.
        let members = Members::parse_owned(text);
        let is_readable = members.is_some();
        let members = members.unwrap_or_default();
        let id = match &members.id {
            Some(id) => Cow::Borrowed(&**id),
            None => Cow::Owned(format!("msg_{}", self.seq)),
        };
        let canonical = members.to_text("");
        let layout = Layout::of_parts(&canonical);
        self.write_members(&json::text(&id), &canonical, &layout, response);
        if !is_readable {
            response.pop();
            response.extend_from_slice(b",\"unreadable\":true}");
        }
    }

    fn write_canonical(&self, text: &str, layout: &Layout, response: &mut Vec<u8>) {
        let id = &text[layout.id.start - 1..layout.id.end + 1];
        self.write_members(id, text, layout, response);
    }

    /// Appends the members; `id` is JSON.
    fn write_members(&self, id: &str, text: &str, layout: &Layout, response: &mut Vec<u8>) {
        let _ = write!(
            response,
            "{{\"id\":{id},\"seq\":{},\"parent_id\":",
            self.seq
        );
        match (&layout.parent, &self.parent) {
            (Some(parent), _) => response.extend_from_slice(&text.as_bytes()[parent.clone()]),
            (None, Some(parent)) => response.extend_from_slice(json::text(parent).as_bytes()),
            (None, None) => response.extend_from_slice(b"null"),
        }
        response.extend_from_slice(&text.as_bytes()[layout.members.clone()]);
        for (name, is_present) in OPTIONAL.into_iter().zip(layout.present) {
            let default = match name {
                _ if is_present => continue,
                "status" => "\"completed\"",
                "updated_at" => &text[layout.timestamp.clone()],
                "feedback" | "deleted" => continue,
                _ => "null",
            };
            let _ = write!(response, ",\"{name}\":{default}");
        }
        if self.siblings.len() > 1 {
            let _ = write!(response, ",\"siblings\":{}", json::text(&self.siblings));
        }
        response.push(b'}');
    }
}

/// Returns the id in a stored text, or the id of a message without one.
pub(crate) fn id_in(text: &str, seq: u64) -> Cow<'_, str> {
    if let Some((id, _)) = text
        .strip_prefix("{\"id\":\"")
        .and_then(|rest| rest.split_once('"'))
        && is_message_id(id)
    {
        return Cow::Borrowed(id);
    }
    match Members::parse_owned(text).and_then(|members| members.id) {
        Some(id) => id,
        None => Cow::Owned(format!("msg_{seq}")),
    }
}

/// Where the members are in a text of the form of [`Members::to_text`].
struct Layout {
    id: Range<usize>,
    /// The value of `parent_id`.
    parent: Option<Range<usize>>,
    /// All members behind it, without the closing brace.
    members: Range<usize>,
    /// The value of `timestamp`.
    timestamp: Range<usize>,
    /// Which of [`OPTIONAL`] are present.
    present: [bool; OPTIONAL.len()],
}

impl Layout {
    /// Finds the members; `None` for a text of another form.
    fn of(text: &str) -> Option<Self> {
        let start = "{\"id\":\"".len();
        let id_length = text.strip_prefix("{\"id\":\"")?.find('"')?;
        let id = start..start + id_length;
        if !is_message_id(&text[id.clone()]) {
            return None;
        }
        Self::behind_id(text, id)
    }

    /// Finds the members of a text that [`Members::to_text`] made.
    fn of_parts(text: &str) -> Self {
        let start = "{\"id\":\"".len();
        Self::behind_id(text, start..start).expect("the text has the form of stored messages")
    }

    fn behind_id(text: &str, id: Range<usize>) -> Option<Self> {
        let mut at = id.end + 1;
        let parent = next_member(text, &mut at, "parent_id")?;
        let begin = at;
        let mut timestamp = 0..0;
        for name in CORE {
            let value = next_member(text, &mut at, name)??;
            if name == "timestamp" {
                timestamp = value;
            }
        }
        let mut present = [false; OPTIONAL.len()];
        for (name, is_present) in OPTIONAL.into_iter().zip(&mut present) {
            *is_present = next_member(text, &mut at, name)?.is_some();
        }
        (&text[at..] == "}").then_some(Self {
            id,
            parent,
            members: begin..at,
            timestamp,
            present,
        })
    }
}

/// Returns the range of a member's value and moves behind it; `Some(None)` if another member follows.
#[expect(
    clippy::option_option,
    reason = "a missing member is not a malformed one"
)]
fn next_member(text: &str, at: &mut usize, name: &str) -> Option<Option<Range<usize>>> {
    let rest = text.get(*at..)?;
    let Some(value) = rest
        .strip_prefix(",\"")
        .and_then(|rest| rest.strip_prefix(name))
        .and_then(|rest| rest.strip_prefix("\":"))
    else {
        return Some(None);
    };
    let start = text.len() - value.len();
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    *at = start + values.byte_offset();
    Some(Some(start..*at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::NewMessage;

    /// Missing members, as a response has them.
    const UNSET: &str = r#","parts":null,"metadata":null,"status":"completed","model":null,"usage":null,"updated_at":"2025-12-14T10:00:00Z""#;

    fn response(stored: &str) -> String {
        let message = Message::from_stored(stored.as_bytes().to_vec(), 7);
        let mut response = Vec::new();
        message
            .with_parent(Some("p".to_owned()))
            .write_response(&mut response);
        String::from_utf8(response).unwrap()
    }

    #[track_caller]
    fn check(stored: &str, expected: &str) {
        assert_eq!(response(stored), expected);
    }

    #[test]
    fn stored_members_are_returned_unchanged_with_seq_and_parent() {
        let id = "msg_01a2065254e075efb843a48e8c2f92c6";
        let members = r#""role":"user","content":"a \"b\" ü \u00fc","timestamp":"2025-12-14T10:00:00Z","traces":[1.0,{"a":2e5}],"artifacts":null"#;
        let expected = format!(r#"{{"id":"{id}","seq":7,"parent_id":"p",{members}{UNSET}}}"#);
        check(&format!(r#"{{"id":"{id}",{members}}}"#), &expected);
        // Another order, spaces, and unknown members: parsed and serialized again.
        check(&format!(r#"{{"x":1, {members}, "id":"{id}"}}"#), &expected);
        check(&format!(r#"{{"id":"{id}",{members},"x":1}}"#), &expected);
    }

    #[test]
    fn set_members_and_the_named_parent_are_returned() {
        let members = concat!(
            r#""role":"user","content":"","timestamp":"t","traces":null,"artifacts":null,"parts":[{"type":"x","a":1.50}],"#,
            r#""metadata":{"a":1},"status":"stopped","model":"m","usage":{"cost":"1"},"feedback":{"type":"positive"},"updated_at":"u""#
        );
        for parent in ["null", "\"q\""] {
            check(
                &format!(r#"{{"id":"a","parent_id":{parent},{members}}}"#),
                &format!(r#"{{"id":"a","seq":7,"parent_id":{parent},{members}}}"#),
            );
        }
    }

    #[test]
    fn versions_beside_a_message_are_listed_and_one_alone_is_not() {
        let text = r#"{"id":"a","role":"user","content":"a","timestamp":null,"traces":null,"artifacts":null}"#;
        let with = |siblings: &[&str]| {
            let siblings = siblings.iter().map(ToString::to_string).collect();
            let message = Message::from_stored(text.as_bytes().to_vec(), 7);
            let mut response = Vec::new();
            message
                .with_siblings(siblings)
                .write_response(&mut response);
            serde_json::from_slice::<serde_json::Value>(&response).unwrap()
        };
        assert_eq!(with(&["a", "b"])["siblings"], serde_json::json!(["a", "b"]));
        assert!(with(&["a"]).get("siblings").is_none());
    }

    #[test]
    fn new_message_and_its_stored_text_give_the_same_response() {
        let new: NewMessage = serde_json::from_str(
            r#"{"role":"tool","content":"a \"b\" \u00fc","traces":[1.0],"artifacts":{"a":2e5}}"#,
        )
        .unwrap();
        let message = new.to_stored(crate::util::time::now()).with_seq(7);
        let text = message.text().to_owned();
        let mut fresh = Vec::new();
        message
            .with_parent(Some("p".to_owned()))
            .write_response(&mut fresh);
        check(&text, str::from_utf8(&fresh).unwrap());
    }

    #[test]
    fn incomplete_message_is_unreadable() {
        let unreadable = concat!(
            r#"{"id":"msg_7","seq":7,"parent_id":"p","role":null,"content":null,"timestamp":null,"traces":null,"artifacts":null,"#,
            r#""parts":null,"metadata":null,"status":"completed","model":null,"usage":null,"updated_at":null,"unreadable":true}"#
        );
        let id = "msg_01a2065254e075efb843a48e8c2f92c6";
        for stored in [
            format!(r#"{{"id":"{id}","role":"user"}}"#),
            format!(
                r#"{{"id":"{id}","role":"user","content":"a,"timestamp":null,"traces":null,"artifacts":null}}"#
            ),
            format!(
                r#"{{"id":"{id}","role":"user","content":"a","timestamp":null,"traces":[null,"artifacts":null}}"#
            ),
        ] {
            check(&stored, unreadable);
        }
    }
}
