//! Ids of messages, and the parents that they name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The maximum length of the id of a message, in bytes.
pub const MAX_MESSAGE_ID_BYTES: usize = 128;
/// The rule for ids, as error texts contain it.
pub const MESSAGE_ID_RULE: &str =
    "must be 1 to 128 characters of A-Z a-z 0-9 _ - . : @ ~, but not `.` or `..`";

/// The id of a message, unique in its session.
///
/// The client chooses it; otherwise it is `msg_`, a version 7 UUID, `-` and the message's `seq`. A message of the Python
/// version has no id of its own: it is `msg_` and its `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct MessageId(String);

impl MessageId {
    /// Parses an id; `None` if no message can have it.
    pub fn parse(text: &str) -> Option<Self> {
        is_message_id(text).then(|| Self(text.to_owned()))
    }

    /// Returns whether the id is `msg_` and digits alone, which names a message by its place.
    pub fn names_place(&self) -> bool {
        let place = self.0.strip_prefix("msg_");
        place.is_some_and(|place| !place.is_empty() && place.bytes().all(|b| b.is_ascii_digit()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether a text has the form of an id.
pub(super) fn is_message_id(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:@~".contains(&byte);
    (1..=MAX_MESSAGE_ID_BYTES).contains(&text.len())
        && text.bytes().all(is_allowed)
        && text != "."
        && text != ".."
}

/// Returns the `seq` that an id tells, as `told_seq` in `messages.lua` does: `msg_`, a UUID, `-` and the `seq`, or `msg_` and
/// the `seq`.
pub fn told_seq(id: &str) -> Option<usize> {
    let told = id.strip_prefix("msg_")?;
    let digits = match told.split_once('-') {
        Some((unique, digits))
            if !unique.is_empty() && unique.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            digits
        }
        Some(_) => return None,
        None => told,
    };
    let is_number = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(MESSAGE_ID_RULE))
    }
}

/// The parent of a new message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Parent {
    /// The newest message of the active branch.
    #[default]
    Newest,
    /// No message: the new one is a beginning.
    Root,
    /// The message with this id.
    Message(MessageId),
}

impl<'de> Deserialize<'de> for Parent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = Option::<MessageId>::deserialize(deserializer)?;
        Ok(id.map_or(Self::Root, Self::Message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_has_the_documented_characters_and_length() {
        for id in ["a", "msg_1", "A-z_0.9:@~", "...", &"x".repeat(128)] {
            assert!(MessageId::parse(id).is_some(), "{id}");
        }
        for id in [
            "",
            ".",
            "..",
            "a b",
            "a/b",
            "ü",
            "a\"",
            "a%20",
            &"x".repeat(129),
        ] {
            assert!(MessageId::parse(id).is_none(), "{id}");
        }
    }

    #[test]
    fn generated_ids_tell_their_seq() {
        for (id, seq) in [
            ("msg_7", Some(7)),
            ("msg_01a2-12", Some(12)),
            ("msg_01a2", None),
            ("msg_-1", None),
            ("msg_x-1", None),
            ("msg_1-", None),
            ("msg_1234567890123456", None),
            ("a-1", None),
        ] {
            assert_eq!(told_seq(id), seq, "{id}");
        }
    }

    #[test]
    fn parent_that_is_null_is_a_beginning() {
        let parse = |text| serde_json::from_str::<Parent>(text);
        assert_eq!(parse("null").unwrap(), Parent::Root);
        let id = MessageId("a".to_owned());
        assert_eq!(parse("\"a\"").unwrap(), Parent::Message(id));
        assert!(parse("\"a b\"").is_err());
    }
}
