//! Listing sessions by their last activity, a page at a time.

use super::document::State;
use super::error::Result;
use super::script::{self, Reply, unknown_reply};
use super::{Store, keys};
use crate::message::MAX_PAGE_BYTES;
use crate::session::{Session, SessionId, Status};
use crate::volume::{Volume, VolumeId};

/// Where a page of sessions ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last session's activity, in microseconds since 1970.
    pub micros: i64,
    /// The last session's id.
    pub id: String,
}

/// Which sessions are asked for.
#[derive(Debug)]
pub struct ListRequest {
    /// The sessions of one volume, or all.
    pub volume: Option<(Volume, VolumeId)>,
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
    pub async fn list_sessions(&self, request: &ListRequest) -> Result<SessionPage> {
        let scope = match &request.volume {
            Some((volume, volume_id)) => keys::scope(*volume, volume_id),
            None => keys::ALL.to_owned(),
        };
        loop {
            let mut reply: Reply = self
                .connection()?
                .script(&script::LIST, |call, _| {
                    call.arg(2)
                        .arg(keys::members(&scope))
                        .arg(keys::indexing(&scope));
                    call.arg(&scope)
                        .arg(request.status.map_or("", Status::as_str))
                        .arg(request.limit)
                        .arg(MAX_PAGE_BYTES)
                        .arg(request.cursor.as_ref().map_or(0, |cursor| cursor.micros))
                        .arg(request.cursor.as_ref().map_or("", |cursor| &cursor.id));
                })
                .await?;
            match reply.next::<String>()?.as_str() {
                "indexing" => {}
                "page" => return read_page(reply),
                other => return Err(unknown_reply(other)),
            }
        }
    }
}

fn read_page(mut reply: Reply) -> Result<SessionPage> {
    let (micros, id): (i64, String) = (reply.next()?, reply.next()?);
    let entries: Vec<(Vec<u8>, Vec<u8>, u64, i64)> = reply.next()?;
    let mut page = SessionPage {
        sessions: Vec::with_capacity(entries.len()),
        unreadable: Vec::new(),
        next: (!id.is_empty()).then_some(Cursor { micros, id }),
    };
    for (id, document, message_count, activity) in entries {
        match read_entry(&id, document, message_count, activity) {
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
