//! Requests for lists of sessions, and pages of them.

use serde::{Deserialize, Serialize};

use super::call::Call;
use super::document::StoredSession;
use super::keys::buckets;
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{Session, SessionId};
use crate::domain::session_filter::{SessionFilter, SortKey, SortOrder};
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
    /// Only sessions that match.
    pub filter: SessionFilter,
    /// The time that orders the list.
    pub sort: SortKey,
    /// The direction of the list.
    pub order: SortOrder,
    /// Maximum number of sessions.
    pub limit: usize,
    /// Only sessions after this position.
    pub cursor: Option<Cursor>,
    /// Whether to count all sessions of the list, for filters by status and archived sessions only.
    pub with_total: bool,
}

impl ListRequest {
    /// Returns a request for the sessions that are not archived, the latest activity first.
    pub fn latest(volume: Option<Volume>, limit: usize) -> Self {
        Self {
            volume,
            filter: SessionFilter::default(),
            sort: SortKey::default(),
            order: SortOrder::default(),
            limit,
            cursor: None,
            with_total: false,
        }
    }

    /// Returns whether the indexes contain everything that decides on a session.
    pub(super) fn is_indexed(&self) -> bool {
        self.sort == SortKey::Updated && self.filter.is_by_state()
    }
}

/// The index that a part of a list is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// By last activity.
    Recent,
    /// By creation.
    Created,
    /// The pinned sessions, in no order.
    Pinned,
}

/// A part of a list: the next sessions of an index.
#[derive(Debug)]
pub(super) struct PartRequest<'a> {
    pub(super) list: &'a ListRequest,
    pub(super) source: Source,
    /// Maximum number of sessions.
    pub(super) size: usize,
    pub(super) cursor: Option<&'a Cursor>,
    pub(super) with_total: bool,
}

impl PartRequest<'_> {
    /// Adds the arguments of `scripts/list.lua` to a call; the scopes must follow.
    pub(super) fn add_to<'a>(&'a self, call: Call<'a>, with_system: bool) -> Call<'a> {
        let (micros, id) = match self.cursor {
            Some(cursor) => (cursor.micros, &*cursor.id),
            None => (0, &b""[..]),
        };
        let filter = &self.list.filter;
        call.arg(match self.source {
            Source::Recent => "recent",
            Source::Created => "created",
            Source::Pinned => "pinned",
        })
        .owned(buckets(&filter.statuses, filter.archived).join(","))
        .number(self.size)
        .number(MAX_PAGE_BYTES)
        .number(micros)
        .arg(id)
        .flag(with_system)
        .flag(self.list.order == SortOrder::Asc)
        .flag(self.with_total)
    }
}

/// A session in a part of a list.
#[derive(Debug)]
pub(super) struct PartEntry {
    pub(super) id: Vec<u8>,
    pub(super) document: Vec<u8>,
    /// `None` if the messages are not a list.
    pub(super) message_count: Option<u64>,
    /// `None` in the same case.
    pub(super) last_seq: Option<u64>,
    pub(super) activity: i64,
    /// The time that orders the part, in microseconds.
    pub(super) micros: i64,
}

impl PartEntry {
    /// Returns the position of the session in the list.
    pub(super) fn position(&self) -> Cursor {
        Cursor {
            micros: self.micros,
            id: self.id.clone(),
        }
    }
}

/// A part of a list.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) entries: Vec<PartEntry>,
    /// The position after the last session, unless it is the last one of the list.
    pub(super) next: Option<Cursor>,
    pub(super) total: u64,
}

/// A page of sessions, in the order of the list.
#[derive(Debug, Default)]
pub struct SessionPage {
    /// The sessions of the page.
    pub sessions: Vec<Session>,
    /// Ids of sessions whose stored data is malformed.
    pub unreadable: Vec<String>,
    /// Position of the next page, if there is one.
    pub next: Option<Cursor>,
    /// The number of sessions of the list, if it was requested.
    pub total: Option<u64>,
}

impl SessionPage {
    /// Returns the number of sessions, with unreadable ones.
    pub(super) fn len(&self) -> usize {
        self.sessions.len() + self.unreadable.len()
    }

    /// Adds the session of an entry, if the caller may read it and it matches the filter. Returns `false` for a session
    /// that is in the wrong bucket of the index.
    pub(super) fn add(
        &mut self,
        context: &RequestContext,
        request: &ListRequest,
        entry: PartEntry,
    ) -> bool {
        let stored = StoredSession {
            // A document that is not UTF-8 is listed as unreadable.
            document: String::from_utf8(entry.document).unwrap_or_default(),
            message_count: entry.message_count.unwrap_or(0),
            last_seq: entry.last_seq.unwrap_or(0),
            activity: entry.activity,
        };
        match read_entry(&entry.id, &stored) {
            // The volume in the document decides access. The index may be outdated.
            Some(session) if !session.is_readable_by(&context.caller) => {}
            Some(session) if !request.filter.matches(&session) => {
                return !request.is_indexed();
            }
            Some(session) if entry.message_count.is_some() => self.sessions.push(session),
            None if is_of_another_caller(&stored.document, context) => {}
            // A filter that the index does not contain matches no document that cannot be read.
            None if !request.is_indexed() => {}
            _ => self
                .unreadable
                .push(String::from_utf8_lossy(&entry.id).into_owned()),
        }
        true
    }
}

fn read_entry(id: &[u8], stored: &StoredSession) -> Option<Session> {
    let id = SessionId::parse(std::str::from_utf8(id).ok()?)?;
    stored.session(id).ok()
}

/// Returns whether a malformed document names a volume that the caller may not read.
pub(super) fn is_of_another_caller(document: &str, context: &RequestContext) -> bool {
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
