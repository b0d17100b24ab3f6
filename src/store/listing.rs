//! Listing sessions by their last activity, a page at a time.

use serde::{Deserialize, Serialize};

use super::document::State;
use super::error::Result;
use super::script::{self, Reply, unknown_reply};
use super::{Store, keys};
use crate::caller::Caller;
use crate::message::MAX_PAGE_BYTES;
use crate::session::{Session, SessionId, Status};
use crate::volume::VolumeRef;

/// Where a page of sessions ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last session's activity, in microseconds since 1970.
    #[serde(rename = "m")]
    pub micros: i64,
    /// The last session's id.
    #[serde(rename = "i")]
    pub id: String,
}

/// Which sessions are asked for.
#[derive(Debug)]
pub struct ListRequest {
    /// The sessions of one volume, or all that the caller may see.
    pub volume: Option<VolumeRef>,
    /// Only those with this status.
    pub status: Option<Status>,
    /// How many at most.
    pub limit: usize,
    /// Only those that stand after this place.
    pub cursor: Option<Cursor>,
}

/// A page of sessions, latest activity first.
#[derive(Debug)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Ids of those that belong here but are not what we or the Python version store.
    pub unreadable: Vec<String>,
    /// Where to go on, if there are more.
    pub next: Option<Cursor>,
}

impl Store {
    /// Lists sessions, latest activity first.
    ///
    /// One round trip, and one more for every 500 sessions or megabyte that the Python version wrote and
    /// nobody has listed yet.
    pub async fn list_sessions(&self, by: &Caller, request: &ListRequest) -> Result<SessionPage> {
        let (scopes, with_system) = scopes(by, request);
        loop {
            let mut reply: Reply = self
                .connection()?
                .script(&script::LIST, by, |call, _| {
                    call.arg(2 * scopes.len());
                    for scope in &scopes {
                        call.arg(keys::members(scope)).arg(keys::indexing(scope));
                    }
                    call.arg(request.status.map_or("", Status::as_str))
                        .arg(request.limit)
                        .arg(MAX_PAGE_BYTES)
                        .arg(request.cursor.as_ref().map_or(0, |cursor| cursor.micros))
                        .arg(request.cursor.as_ref().map_or("", |cursor| &cursor.id))
                        .arg(u8::from(with_system))
                        .arg(&scopes);
                })
                .await?;
            match reply.next::<String>()?.as_str() {
                "indexing" => {}
                "page" => return read_page(by, reply),
                other => return Err(unknown_reply(other)),
            }
        }
    }
}

/// The scopes that hold what is asked for, and whether the system's other volumes are to be added.
fn scopes(by: &Caller, request: &ListRequest) -> (Vec<String>, bool) {
    match (&request.volume, by.volumes()) {
        (Some(volume), _) => (vec![keys::scope(volume)], false),
        (None, None) => (vec![keys::ALL.to_owned()], false),
        (None, Some(own)) => (own.iter().map(keys::scope).collect(), true),
    }
}

fn read_page(by: &Caller, mut reply: Reply) -> Result<SessionPage> {
    let (micros, id): (i64, String) = (reply.next()?, reply.next()?);
    let entries: Vec<(Vec<u8>, Vec<u8>, u64, i64)> = reply.next()?;
    let mut page = SessionPage {
        sessions: Vec::with_capacity(entries.len()),
        unreadable: Vec::new(),
        next: (!id.is_empty()).then_some(Cursor { micros, id }),
    };
    for (id, document, message_count, activity) in entries {
        match read_entry(&id, document, message_count, activity) {
            // What an index says is not looked at where the session itself says otherwise.
            Some(session) if !session.is_seen_by(by) => {}
            Some(session) => page.sessions.push(session),
            None => page
                .unreadable
                .push(String::from_utf8_lossy(&id).into_owned()),
        }
    }
    Ok(page)
}

fn read_entry(id: &[u8], document: Vec<u8>, message_count: u64, activity: i64) -> Option<Session> {
    let id = SessionId::parse(std::str::from_utf8(id).ok()?)?;
    let document = String::from_utf8(document).ok()?;
    State {
        document,
        message_count,
        activity,
    }
    .session(id)
    .ok()
}
