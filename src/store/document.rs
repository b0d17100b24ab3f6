//! Documents of sessions: creates, reads and changes them. Unknown members of a document stay unchanged.

use chrono::{DateTime, Utc};
use redis::ParsingError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::error::{Error, Result};
use super::reply::Reply;
use crate::domain::chat::turn::StoredActiveTurn;
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::session::{
    ForkedFrom, NewSession, Session, SessionAndVersion, SessionId, SessionPatch, Status,
    TitleSource,
};
use crate::domain::tag::Tags;
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::util::hash::sha1;
use crate::util::json::{self, Object};
use crate::util::python_json;
use crate::util::time::format_time;

/// A session in Redis at one moment, without its messages.
pub(super) struct StoredSession {
    pub(super) document: String,
    /// The number of messages of the active branch, without deleted ones.
    pub(super) message_count: u64,
    /// The `seq` of the last message.
    pub(super) last_seq: u64,
    /// Microseconds of the last activity; 0 if the index does not contain the session.
    pub(super) activity: i64,
}

impl StoredSession {
    /// Reads a session in a reply: document, message count, last seq and activity.
    pub(super) fn from_reply(reply: &mut Reply) -> Result<Self, ParsingError> {
        Ok(Self {
            document: reply.next()?,
            message_count: reply.next()?,
            last_seq: reply.next()?,
            activity: reply.next()?,
        })
    }

    /// Returns the version: a hash of the document, the last `seq`, and the last activity, which every change of a
    /// stored message increases.
    ///
    /// `scripts/find.lua` computes the same.
    pub(super) fn version(&self) -> String {
        let hash = sha1(&self.document);
        format!("{}-{}-{}", &hash[..16], self.last_seq, self.activity)
    }

    /// Returns what differs between any two states with the same document, as `session_state()` in
    /// `scripts/messages.lua`.
    pub(super) fn state(&self) -> String {
        format!("{}:{}", self.last_seq, self.activity)
    }

    /// Returns whether the session may have an active turn.
    pub(super) fn has_active_turn(&self) -> bool {
        self.document.contains("\"active_turn\":")
    }

    /// Returns whether the session has branches or deleted messages: see `scripts/messages.lua`.
    pub(super) fn has_branches(&self) -> bool {
        Self::is_branched(self.document.as_bytes())
    }

    /// Returns whether the session with this document has branches or deleted messages.
    pub(super) fn is_branched(document: &[u8]) -> bool {
        // The member is the first one; a multi-byte character may be cut behind it.
        let begin = document.get(..128).unwrap_or(document);
        let begin = String::from_utf8_lossy(begin);
        let begin = begin.trim_start().strip_prefix('{').unwrap_or_default();
        let index = begin.trim_start().strip_prefix("\"message_index\"");
        let state = index.and_then(|rest| rest.trim_start().strip_prefix(':'));
        state.is_some_and(|state| state.trim_start().starts_with("\"branches\""))
    }

    /// Returns the session with its version.
    pub(super) fn versioned(&self, id: &SessionId) -> Result<SessionAndVersion> {
        Ok(SessionAndVersion {
            version: self.version(),
            session: self.session(id.clone())?,
        })
    }

    /// Parses the document.
    pub(super) fn session(&self, id: SessionId) -> Result<Session> {
        #[derive(Deserialize)]
        struct Document {
            name: String,
            volume: VolumeKind,
            volume_id: String,
            status: String,
            #[serde(default = "json::empty_object")]
            metadata: Box<RawValue>,
            #[serde(default)]
            traces_count: u64,
            created_at: String,
            updated_at: String,
            #[serde(default, deserialize_with = "optional_member")]
            title_source: TitleSource,
            #[serde(default, deserialize_with = "optional_member")]
            pinned: bool,
            #[serde(default, deserialize_with = "optional_member")]
            archived: bool,
            #[serde(default, deserialize_with = "optional_member")]
            tags: Tags,
            #[serde(default, deserialize_with = "optional_member")]
            forked_from: Option<ForkedFrom>,
            #[serde(default, deserialize_with = "optional_member")]
            active_turn: Option<StoredActiveTurn>,
        }
        let document: Document = python_json::parse(self.document.as_bytes())?;
        let active_turn = document.active_turn;
        Ok(Session {
            active_turn: active_turn.and_then(|turn| turn.of(&id)),
            id,
            name: document.name,
            volume: document.volume,
            volume_id: document.volume_id,
            status: document.status,
            metadata: document.metadata,
            traces_count: document.traces_count,
            message_count: self.message_count,
            last_seq: self.last_seq,
            created_at: document.created_at,
            updated_at: later(document.updated_at, self.activity),
            title_source: document.title_source,
            pinned: document.pinned,
            archived: document.archived,
            tags: document.tags,
            forked_from: document.forked_from,
        })
    }
}

/// Deserializes a member that documents of the Python version lack. A malformed value counts as missing.
fn optional_member<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Box::<RawValue>::deserialize(deserializer)?;
    Ok(parse_optional(Some(&value)))
}

fn parse_optional<T: DeserializeOwned + Default>(value: Option<&RawValue>) -> T {
    let parsed = value.and_then(|value| serde_json::from_str(value.get()).ok());
    parsed.unwrap_or_default()
}

/// Returns the document of a new session as JSON, in the format of the Python version. Members that have their default
/// value are omitted if the Python version lacks them. `token` identifies the request that chose the id; `has_ids` says
/// that the ids of messages are indexed (see `scripts/messages.lua`).
pub(super) fn new_document(
    id: &SessionId,
    new: NewSession,
    token: Option<&str>,
    has_ids: bool,
    now: DateTime<Utc>,
) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        // The scripts expect it first.
        #[serde(skip_serializing_if = "Option::is_none")]
        message_index: Option<&'a str>,
        id: &'a SessionId,
        name: Name,
        volume: VolumeKind,
        volume_id: VolumeId,
        status: Status,
        messages: [(); 0],
        traces_count: u64,
        created_at: &'a str,
        updated_at: &'a str,
        metadata: Metadata,
        #[serde(skip_serializing_if = "is_default")]
        title_source: TitleSource,
        #[serde(skip_serializing_if = "is_default")]
        pinned: bool,
        #[serde(skip_serializing_if = "is_default")]
        archived: bool,
        #[serde(skip_serializing_if = "is_default")]
        tags: Tags,
        #[serde(skip_serializing_if = "Option::is_none")]
        forked_from: Option<ForkedFrom>,
        #[serde(skip_serializing_if = "Option::is_none")]
        creation_token: Option<&'a str>,
    }
    let now = format_time(now);
    json::text(&Document {
        message_index: has_ids.then_some("ids"),
        id,
        title_source: match (new.title_source, &new.name) {
            (Some(source), _) => source,
            (None, Some(_)) => TitleSource::Client,
            (None, None) => TitleSource::Default,
        },
        name: new.name.unwrap_or_default(),
        volume: new.volume.kind,
        volume_id: new.volume.id,
        status: new.status,
        messages: [],
        traces_count: 0,
        created_at: &now,
        updated_at: &now,
        metadata: new.metadata,
        pinned: new.pinned,
        archived: new.archived,
        tags: new.tags,
        forked_from: new.forked_from,
        creation_token: token,
    })
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A limit that a change would exceed: the field and the message.
pub(super) type ExceededLimit = (&'static str, &'static str);

/// Applies a change to a document and keeps all other members.
pub(super) fn changed_document(
    text: &str,
    change: &SessionPatch,
    now: DateTime<Utc>,
) -> Result<Result<String, ExceededLimit>> {
    let repaired;
    let mut document = match Object::parse(text) {
        Some(document) => document,
        None => {
            repaired = python_json::without_nan(text);
            Object::parse(&repaired)
                .ok_or_else(|| Error::Unreadable("a document is not a JSON object".to_owned()))?
        }
    };
    if let Some(name) = &change.name {
        document.set("name", json::raw(name));
        let source = change.title_source.unwrap_or_default();
        set_optional(&mut document, "title_source", &source);
    }
    if let Some(status) = &change.status {
        document.set("status", json::raw(status));
    }
    if let Some(patch) = &change.metadata {
        match patch.merged_into(document.get("metadata")) {
            Ok(metadata) => document.set("metadata", metadata.into_raw()),
            Err(limit) => return Ok(Err(("metadata", limit))),
        }
    }
    if let Some(pinned) = change.pinned {
        set_optional(&mut document, "pinned", &pinned);
    }
    if let Some(archived) = change.archived {
        set_optional(&mut document, "archived", &archived);
    }
    if let Some(tags) = &change.tags {
        match tags.applied_to(&parse_optional(document.get("tags"))) {
            Ok(tags) => set_optional(&mut document, "tags", &tags),
            Err(limit) => return Ok(Err(("tags", limit))),
        }
    }
    document.set("updated_at", json::raw(&format_time(now)));
    Ok(Ok(json::text(&document)))
}

/// Sets a member that documents of the Python version lack, unless it already has this value.
fn set_optional<T>(document: &mut Object<'_>, name: &'static str, value: &T)
where
    T: Serialize + DeserializeOwned + Default + PartialEq,
{
    if parse_optional::<T>(document.get(name)) != *value {
        document.set(name, json::raw(value));
    }
}

/// Returns whether a change would change more of a document than its time.
pub(super) fn would_change(
    text: &str,
    change: &SessionPatch,
) -> Result<Result<bool, ExceededLimit>> {
    let now = DateTime::UNIX_EPOCH;
    let unchanged = changed_document(text, &SessionPatch::default(), now)?;
    let changed = changed_document(text, change, now)?;
    Ok(changed.map(|changed| Ok(changed) != unchanged))
}

/// Returns whether a document already has the state that a change requests.
pub(super) fn is_applied(text: &str, change: &SessionPatch) -> Result<bool> {
    Ok(would_change(text, change)? == Ok(false))
}

/// Returns the later one of a time in a document and a time in microseconds.
fn later(written: String, micros: i64) -> String {
    match DateTime::from_timestamp_micros(micros) {
        Some(activity) if micros > micros_of(&written) => format_time(activity),
        _ => written,
    }
}

/// Returns the microseconds of a time in a document, 0 if it is malformed.
pub(super) fn micros_of(written: &str) -> i64 {
    DateTime::parse_from_rfc3339(written).map_or(0, |time| time.timestamp_micros())
}
