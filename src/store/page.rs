//! Requests for lists of sessions, and pages of them.

use serde::{Deserialize, Serialize};

use super::call::Call;
use super::document::StoredSession;
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{Session, SessionId, Status};
use crate::domain::volume::{Volume, VolumeKind};
use crate::util::python_json;

/// Position after the last session of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last session's activity, in microseconds since 1970.
    #[serde(rename = "m")]
    pub micros: i64,
    /// The last session's id. Ids that another program wrote may not be UTF-8.
    #[serde(rename = "i", with = "id_bytes")]
    pub id: Vec<u8>,
}

/// Serializes an id as text, or as an array of bytes if it is not UTF-8.
mod id_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(id) {
            Ok(text) => text.serialize(serializer),
            Err(_) => id.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Id {
            Text(String),
            Bytes(Vec<u8>),
        }
        Ok(match Id::deserialize(deserializer)? {
            Id::Text(text) => text.into_bytes(),
            Id::Bytes(bytes) => bytes,
        })
    }
}

/// Which sessions to list.
#[derive(Debug)]
pub struct ListRequest {
    /// Only sessions of this volume; without it all sessions that the caller may read.
    pub volume: Option<Volume>,
    /// Only sessions with this status.
    pub status: Option<Status>,
    /// Maximum number of sessions.
    pub limit: usize,
    /// Only sessions after this position.
    pub cursor: Option<Cursor>,
}

impl ListRequest {
    /// Adds the arguments of `scripts/list.lua` to a call; the scopes must follow.
    pub(super) fn add_to<'a>(&'a self, call: Call<'a>, with_system: bool) -> Call<'a> {
        let (micros, id) = match &self.cursor {
            Some(cursor) => (cursor.micros, &*cursor.id),
            None => (0, &b""[..]),
        };
        call.arg(self.status.map_or("", Status::as_str))
            .number(self.limit)
            .number(MAX_PAGE_BYTES)
            .number(micros)
            .arg(id)
            .flag(with_system)
    }
}

/// A page of sessions, latest activity first.
#[derive(Debug)]
pub struct SessionPage {
    /// The sessions of the page.
    pub sessions: Vec<Session>,
    /// Ids of sessions whose stored data is malformed.
    pub unreadable: Vec<String>,
    /// Position of the next page, if there is one.
    pub next: Option<Cursor>,
}

impl SessionPage {
    /// Adds a session of an index, unless the caller may not read it.
    pub(super) fn add(
        &mut self,
        context: &RequestContext,
        id: &[u8],
        stored: &StoredSession,
        has_messages: bool,
    ) {
        match read_entry(id, stored) {
            // The volume in the document decides access. The index may be outdated.
            Some(session) if !session.is_readable_by(&context.caller) => {}
            Some(session) if has_messages => self.sessions.push(session),
            None if is_of_another_caller(&stored.document, context) => {}
            _ => self
                .unreadable
                .push(String::from_utf8_lossy(id).into_owned()),
        }
    }
}

fn read_entry(id: &[u8], stored: &StoredSession) -> Option<Session> {
    let id = SessionId::parse(std::str::from_utf8(id).ok()?)?;
    stored.session(id).ok()
}

/// Returns whether a malformed document names a volume that the caller may not read.
fn is_of_another_caller(document: &str, context: &RequestContext) -> bool {
    #[derive(Deserialize)]
    struct InVolume {
        volume: String,
        volume_id: String,
    }
    python_json::parse::<InVolume>(document.as_bytes()).is_ok_and(|named| {
        match VolumeKind::try_from(named.volume) {
            Ok(volume) => !context.caller.can_read_raw(volume, &named.volume_id),
            // An unknown volume is visible to admins only, as when the session is requested by its id.
            Err(_) => context.caller.volumes().is_some(),
        }
    })
}
