//! Sessions: ids, statuses, patches and the session itself. No I/O.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::caller::Caller;
use super::message::Message;
use super::metadata::Metadata;
use super::name::Name;
use super::tag::{Tags, TagsChange};
use super::volume::{Volume, VolumeKind};

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

/// The origin of the name of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum TitleSource {
    /// No name was given.
    Default,
    /// The client. Sessions without a source count as this.
    #[default]
    Client,
    /// A model.
    Model,
}

// Not derived, as for [`Status`].
impl TryFrom<String> for TitleSource {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "default" => Ok(Self::Default),
            "client" => Ok(Self::Client),
            "model" => Ok(Self::Model),
            _ => Err("must be default, client or model"),
        }
    }
}

/// The status of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Status {
    /// Work goes on.
    Active,
    /// Work is interrupted.
    Paused,
    /// Work is finished.
    Completed,
}

impl Status {
    /// Returns the name of the status in JSON and in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
        }
    }
}

// Not derived: a derived implementation also accepts `{"active":null}`.
impl TryFrom<String> for Status {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let status = [Self::Active, Self::Paused, Self::Completed]
            .into_iter()
            .find(|status| status.as_str() == text);
        status.ok_or("must be active, paused or completed")
    }
}

/// A session to create.
#[derive(Debug)]
pub struct NewSession {
    /// The id that the client chose; without it, the id is generated.
    pub id: Option<SessionId>,
    /// The name; [`Name::default`] if it is missing.
    pub name: Option<Name>,
    /// The volume that contains the session.
    pub volume: Volume,
    /// The status.
    pub status: Status,
    /// Application data.
    pub metadata: Metadata,
    /// Whether the session is pinned.
    pub pinned: bool,
    /// Whether the session is archived.
    pub archived: bool,
    /// The tags.
    pub tags: Tags,
    /// The message that the session is forked from.
    pub forked_from: Option<ForkedFrom>,
}

impl NewSession {
    /// Returns an active session without further contents.
    pub fn new(name: Option<Name>, volume: Volume) -> Self {
        Self {
            id: None,
            name,
            volume,
            status: Status::Active,
            metadata: Metadata::default(),
            pinned: false,
            archived: false,
            tags: Tags::default(),
            forked_from: None,
        }
    }
}

/// Changes to a session; members that are `None` keep their value.
#[derive(Debug, Default)]
pub struct SessionPatch {
    /// The new name.
    pub name: Option<Name>,
    /// The origin of the new name; [`TitleSource::Client`] if it is missing. Without a name it has no effect.
    pub title_source: Option<TitleSource>,
    /// The new status.
    pub status: Option<Status>,
    /// A merge patch (RFC 7396) for the metadata.
    pub metadata: Option<Metadata>,
    /// Whether the session is pinned.
    pub pinned: Option<bool>,
    /// Whether the session is archived.
    pub archived: Option<bool>,
    /// A change of the tags.
    pub tags: Option<TagsChange>,
}

impl SessionPatch {
    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.status.is_none()
            && self.metadata.is_none()
            && self.pinned.is_none()
            && self.archived.is_none()
            && self.tags.is_none()
    }
}

/// The names of the members of a [`Session`], in order.
pub const SESSION_MEMBERS: [&str; 16] = [
    "id",
    "name",
    "volume",
    "volume_id",
    "status",
    "metadata",
    "traces_count",
    "message_count",
    "last_seq",
    "created_at",
    "updated_at",
    "title_source",
    "pinned",
    "archived",
    "tags",
    "forked_from",
];

/// A session.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// The name.
    pub name: String,
    /// The kind of the volume that contains the session.
    pub volume: VolumeKind,
    /// The id of the user or team; `system` for a system volume.
    // Not a [`VolumeId`]: the Python version stored it unchecked.
    pub volume_id: String,
    /// The status; `active`, `paused` or `completed` unless the Python version stored another text.
    // Not a [`Status`], for the same reason.
    pub status: String,
    /// Application data.
    #[schema(value_type = Metadata)]
    pub metadata: Box<RawValue>,
    /// The number of traces, as counted by the Python version.
    pub traces_count: u64,
    /// The number of messages of the active branch, without deleted ones.
    pub message_count: u64,
    /// The `seq` of the last message of all branches; 0 for an empty session.
    pub last_seq: u64,
    /// The time of creation, RFC 3339.
    pub created_at: String,
    /// The time of the last change or appended message, RFC 3339.
    pub updated_at: String,
    /// The origin of the name: `default` if no name was given, `client`, or `model`.
    pub title_source: TitleSource,
    /// Whether the session is pinned.
    pub pinned: bool,
    /// Whether the session is archived. Lists contain archived sessions only on request.
    pub archived: bool,
    /// The tags.
    pub tags: Tags,
    /// The message that the session was forked from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub forked_from: Option<ForkedFrom>,
}

/// The message that a session was forked from.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ForkedFrom {
    /// The id of the session that contains the message.
    #[schema(value_type = SessionId)]
    pub session_id: String,
    /// The id of the last message of the fork.
    pub message_id: Option<String>,
}

impl Session {
    /// Returns whether the caller may read the session.
    pub fn is_readable_by(&self, caller: &Caller) -> bool {
        caller.can_read_raw(self.volume, &self.volume_id)
    }
}

/// A session and the version of its state.
#[derive(Debug)]
pub struct SessionAndVersion {
    /// The session.
    pub session: Session,
    /// The version: differs between any two states; used as the opaque part of an ETag.
    pub version: String,
}

/// A consistent snapshot of a session and the requested messages.
#[derive(Debug)]
pub struct SessionWithMessages {
    /// The session.
    pub current: SessionAndVersion,
    /// The messages in ascending order of `seq`, which has gaps where other branches have messages.
    pub messages: Vec<Message>,
    /// Whether more messages follow in the reading direction.
    pub has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_members_are_those_of_the_json() {
        let session = Session {
            id: SessionId::generate(),
            name: String::new(),
            volume: VolumeKind::User,
            volume_id: String::new(),
            status: String::new(),
            metadata: crate::util::json::empty_object(),
            traces_count: 0,
            message_count: 0,
            last_seq: 0,
            created_at: String::new(),
            updated_at: String::new(),
            title_source: TitleSource::Client,
            pinned: false,
            archived: false,
            tags: Tags::default(),
            forked_from: Some(ForkedFrom {
                session_id: String::new(),
                message_id: None,
            }),
        };
        let json = crate::util::json::text(&session);
        let object = crate::util::json::Object::parse(&json).unwrap();
        assert_eq!(object.names().collect::<Vec<_>>(), SESSION_MEMBERS);
    }

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
