//! Sessions: statuses, patches and the session itself. No I/O.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::caller::Caller;
use super::chat::turn::ActiveTurn;
use super::message::Message;
use super::metadata::Metadata;
use super::name::Name;
pub use super::session_id::{
    ChosenId, MAX_CHOSEN_ID_CHARS, MAX_SESSION_ID_BYTES, RESERVED_ID, SessionId,
};
use super::tag::{Tags, TagsChange};
use super::volume::{Volume, VolumeKind};

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
    /// The origin of the name; it follows from the name if it is missing.
    pub title_source: Option<TitleSource>,
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
            title_source: None,
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
pub const SESSION_MEMBERS: [&str; 17] = [
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
    "active_turn",
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
    /// The turn of chat that is not finished; `null` without one.
    #[schema(required)]
    pub active_turn: Option<ActiveTurn>,
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
            active_turn: None,
            forked_from: Some(ForkedFrom {
                session_id: String::new(),
                message_id: None,
            }),
        };
        let json = crate::util::json::text(&session);
        let object = crate::util::json::Object::parse(&json).unwrap();
        assert_eq!(object.names().collect::<Vec<_>>(), SESSION_MEMBERS);
    }
}
