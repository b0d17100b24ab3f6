//! Ids of sessions: generated, chosen by clients, or of the Python version. No I/O.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The maximum length of a session id, in bytes. Ids of the Python version contain the session's name.
pub const MAX_SESSION_ID_BYTES: usize = 1024;

/// The id of a session; part of its keys in Redis.
///
/// A new id is `sess_` and a version 7 UUID. An id of the Python version is `sess_`, the session's name and the Unix
/// time of its creation, so it can contain `:`, `/`, spaces and non-ASCII letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionId(String);

impl SessionId {
    /// Returns a new unique id.
    pub fn generate() -> Self {
        Self(format!("sess_{}", Uuid::now_v7().simple()))
    }

    /// Parses an id; `None` if it is invalid.
    ///
    /// An id is not empty, has at most [`MAX_SESSION_ID_BYTES`], contains no NUL and does not end in `:messages`:
    /// otherwise `session:{id}` would be the key of another session's message list.
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = (1..=MAX_SESSION_ID_BYTES).contains(&text.len())
            && !text.contains('\0')
            && !text.ends_with(":messages");
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The maximum length of an id that a client chooses, in characters.
pub const MAX_CHOSEN_ID_CHARS: usize = 128;
/// The last segment of the path of another route, which no chosen id may be.
pub const RESERVED_ID: &str = "batch";

/// An id that a client chooses for a new session: 1–128 characters of `A-Z a-z 0-9 _ -`, not [`RESERVED_ID`].
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct ChosenId(pub SessionId);

impl TryFrom<String> for ChosenId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let is_valid =
            (1..=MAX_CHOSEN_ID_CHARS).contains(&text.len()) && text.bytes().all(is_allowed);
        if !is_valid {
            return Err("must be 1 to 128 characters of A-Z a-z 0-9 _ -");
        }
        if text == RESERVED_ID {
            return Err("must not be batch, which is the path of another route");
        }
        Ok(Self(SessionId(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_id_has_a_limited_alphabet() {
        let parsed = |text: &str| ChosenId::try_from(text.to_owned());
        for id in ["a", "A_-9", "--", "batch1", "Batch", &"x".repeat(128)] {
            assert_eq!(parsed(id).unwrap().0.as_str(), id);
        }
        for id in [
            "",
            "batch",
            "a.b",
            "a:b",
            "a/b",
            "a b",
            "ä",
            "a\n",
            &"x".repeat(129),
        ] {
            assert!(parsed(id).is_err(), "{id}");
        }
    }

    #[test]
    fn generated_id_is_unique_and_parses() {
        let ids: Vec<SessionId> = (0..1000).map(|_| SessionId::generate()).collect();
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(id));
            assert_eq!(SessionId::parse(id.as_str()).as_ref(), Some(id));
        }
    }

    #[test]
    fn id_of_the_python_version_parses_and_an_ambiguous_one_does_not() {
        for id in [
            "sess_my_name_1765706400",
            "sess_a:b/c d_1",
            "sess_größe.v2_1765706400",
            "x",
        ] {
            assert!(SessionId::parse(id).is_some(), "{id}");
        }
        for id in [
            "",
            "sess_a:messages",
            "a\0b",
            &"x".repeat(MAX_SESSION_ID_BYTES + 1),
        ] {
            assert!(SessionId::parse(id).is_none(), "{id}");
        }
    }
}
