//! Listing sessions by their last activity, a page at a time.

use redis::{FromRedisValue, Value};

use super::document::State;
use super::error::{Error, Result};
use super::{Store, keys, script};
use crate::session::{Session, SessionId, Status, Volume, VolumeId};

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
    pub async fn list_sessions(&self, request: &ListRequest) -> Result<SessionPage> {
        let scope = match &request.volume {
            Some((volume, volume_id)) => keys::scope(*volume, volume_id),
            None => keys::ALL.to_owned(),
        };
        let mut scan = "0".to_owned();
        loop {
            let reply: Vec<Value> = self
                .connection()?
                .script(&script::LIST, |call, _| {
                    call.arg(1).arg(keys::members(&scope));
                    call.arg(&scope)
                        .arg(request.status.map_or("", Status::as_str))
                        .arg(request.limit)
                        .arg(request.cursor.as_ref().map_or(0, |cursor| cursor.micros))
                        .arg(request.cursor.as_ref().map_or("", |cursor| &cursor.id))
                        .arg(&scan);
                })
                .await?;
            let mut reply = reply.into_iter();
            let mut next = || reply.next().unwrap_or(Value::Nil);
            match String::from_redis_value(next())?.as_str() {
                "indexing" => scan = String::from_redis_value(next())?,
                "page" => return read_page(next(), next(), next()),
                other => return Err(Error::Unreadable(format!("list answered {other}"))),
            }
        }
    }
}

fn read_page(micros: Value, id: Value, sessions: Value) -> Result<SessionPage> {
    let (micros, id) = (
        i64::from_redis_value(micros)?,
        String::from_redis_value(id)?,
    );
    let entries: Vec<(Vec<u8>, Vec<u8>, u64, i64)> = Vec::from_redis_value(sessions)?;
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
