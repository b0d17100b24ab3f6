//! Sessions: their ids, names, places and limits. No I/O.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::caller::Caller;
use super::message::Message;
use super::metadata::Metadata;
use super::name::Name;
use super::volume::{Volume, VolumeKind};

/// The longest id that is looked up, in bytes. Ids of the Python version contain the session's name.
pub const MAX_SESSION_ID_BYTES: usize = 1024;

/// Names one session, and so its keys in Redis.
///
/// Ours are `sess_` and a version 7 UUID. Those of the Python version are `sess_`, the name, and the
/// seconds of their creation, and hold whatever the name held: `:`, `/`, blanks, any language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionId(String);

impl SessionId {
    /// An id that was never used before.
    pub fn generate() -> Self {
        Self(format!("sess_{}", Uuid::now_v7().simple()))
    }

    /// Takes an id as a caller wrote it; nothing where no session can have it.
    ///
    /// That is an empty or overlong one, and one ending in `:messages`: `session:{id}` would be the
    /// key of another session's message list.
    pub fn parse(text: &str) -> Option<Self> {
        let possible = (1..=MAX_SESSION_ID_BYTES).contains(&text.len())
            && !text.contains('\0')
            && !text.ends_with(":messages");
        possible.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Status {
    /// Being worked on.
    Active,
    /// Set aside.
    Paused,
    /// Done.
    Completed,
}

impl Status {
    /// The status as it is written in JSON and in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
        }
    }
}

impl TryFrom<String> for Status {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let named = [Self::Active, Self::Paused, Self::Completed]
            .into_iter()
            .find(|it| it.as_str() == text);
        named.ok_or("must be active, paused or completed")
    }
}

/// What a caller gives to start a session.
#[derive(Debug)]
pub struct NewSession {
    /// What it is called.
    pub name: Name,
    /// Whose it is.
    pub volume: Volume,
    /// What the caller attaches.
    pub metadata: Metadata,
}

/// What a caller changes of a session; what is `None` stays.
#[derive(Debug, Default)]
pub struct SessionPatch {
    /// A new name.
    pub name: Option<Name>,
    /// A new status.
    pub status: Option<Status>,
    /// A merge patch on the metadata.
    pub metadata: Option<Metadata>,
}

impl SessionPatch {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.status.is_none() && self.metadata.is_none()
    }
}

/// A session, as it is answered.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub volume: VolumeKind,
    /// Which user's or team's.
    // Not a [`VolumeId`]: the Python version checked nothing.
    pub volume_id: String,
    /// Where it stands.
    // Not a [`Status`], for the same reason.
    pub status: String,
    /// What callers attached.
    #[schema(value_type = Metadata)]
    pub metadata: Box<RawValue>,
    /// How many traces the Python version counted.
    pub traces_count: u64,
    /// How many messages it has.
    pub message_count: u64,
    /// When it was created, RFC 3339.
    pub created_at: String,
    /// When it was last changed or appended to, RFC 3339.
    pub updated_at: String,
}

impl Session {
    /// Whether it lies in a volume that the caller may see.
    pub fn is_readable_by(&self, caller: &Caller) -> bool {
        caller.can_read_raw(self.volume, &self.volume_id)
    }
}

/// A session in one of its states.
#[derive(Debug)]
pub struct SessionAndVersion {
    /// The session.
    pub session: Session,
    /// What tells this state from every other; fit for an entity tag.
    pub version: String,
}

/// A session with the messages that were asked for, as both were at one moment.
#[derive(Debug)]
pub struct SessionWithMessages {
    /// The session.
    pub current: SessionAndVersion,
    /// Messages in order of their `seq`.
    pub messages: Vec<Message>,
    /// Whether there are more in the direction that was read.
    pub has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_repeat_and_can_be_parsed() {
        let ids: Vec<SessionId> = (0..1000).map(|_| SessionId::generate()).collect();
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(id));
            assert_eq!(SessionId::parse(id.as_str()).as_ref(), Some(id));
        }
    }

    #[test]
    fn ids_of_the_python_version_are_ids() {
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
