//! The log of a turn: entries of chunks, numbered from 1 without gaps.

use std::collections::HashMap;

use redis::streams::StreamRangeReply;
use redis::{FromRedisValue, ParsingError, Value};

use super::entry::{Entry, read_entries};
use super::read::turn_of;
use super::{ACTIVE_LOG, millis};
use crate::domain::chat::turn::{Turn, TurnId};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::time::now;

/// The maximum number of entries that one call reads.
const MAX_ENTRIES_PER_PAGE: usize = 200;

/// An entry to append.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// The turn.
    pub turn: &'a TurnId,
    /// The secret of its producer.
    pub owner: &'a str,
    /// The number of the entry.
    pub number: u64,
    /// The chunks, one JSON object per line; empty for a sign of life.
    pub chunks: &'a str,
}

/// Result of appending an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The entry is stored.
    Stored {
        /// Whether a person asked to stop.
        is_stopping: bool,
    },
    /// The turn has ended, or has another producer. Nothing is stored.
    Fenced,
    /// The time of the turn is over. Nothing is stored.
    DeadlineOver,
    /// Entries are missing before this one. Nothing is stored.
    Gap,
}

impl FromRedisValue for Appended {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "ok" => Ok(Self::Stored {
                is_stopping: reply.next::<String>()? == "1",
            }),
            "fenced" => Ok(Self::Fenced),
            "deadline" => Ok(Self::DeadlineOver),
            "gap" => Ok(Self::Gap),
            other => Err(unknown_reply(other)),
        }
    }
}

/// Entries of a log, and the turn of the session when they were read.
#[derive(Debug)]
pub struct LogPage {
    /// The current turn of the session, which may be a later one; `None` if its record is lost.
    pub turn: Option<Turn>,
    /// The entries, in order.
    pub entries: Vec<Entry>,
}

impl FromRedisValue for LogPage {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let now = reply.next()?;
        let fields: HashMap<String, String> = reply.next()?;
        let entries: StreamRangeReply = reply.next()?;
        Ok(Self {
            turn: turn_of(now, &fields),
            entries: read_entries(entries),
        })
    }
}

impl Store {
    /// Appends an entry to the log of a turn, as its producer.
    pub async fn append_entry(&self, id: &SessionId, entry: NewEntry<'_>) -> Result<Appended> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let keys = vec![scheme.turn(id), scheme.turn_log(id, entry.turn)];
        let call = Call::new(&script::APPEND_ENTRY, keys)
            .arg(entry.turn.as_str())
            .arg(entry.owner)
            .number(entry.number)
            .arg(entry.chunks)
            .number(now().timestamp_millis())
            .number(millis(ACTIVE_LOG));
        executor.execute(&RequestContext::internal(), &call).await
    }

    /// Reads up to 200 entries after the entry `after`. The caller must have checked the access to the session.
    pub async fn read_log(&self, id: &SessionId, turn: &TurnId, after: u64) -> Result<LogPage> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let keys = vec![scheme.turn(id), scheme.turn_log(id, turn)];
        let call = Call::new(&script::READ_LOG, keys)
            .number(after)
            .number(MAX_ENTRIES_PER_PAGE)
            .number(now().timestamp_millis());
        executor.execute(&RequestContext::internal(), &call).await
    }
}
