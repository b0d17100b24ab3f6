//! Finds sessions and reads pages of their messages.

use redis::{FromRedisValue, ParsingError, Value};

use super::call::Call;
use super::document::StoredSession;
use super::error::Result;
use super::handle::Store;
use super::messages::read_messages;
use super::reply::{Reply, unknown_reply};
use super::script;
use crate::domain::message::{MAX_PAGE_BYTES, MessageRange};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionId, SessionWithMessages};

/// Result of finding a session.
#[expect(
    clippy::large_enum_variant,
    reason = "returned once per request; a box would cost an allocation"
)]
#[derive(Debug)]
pub enum FoundSession {
    /// The session still has this version, which is in the request. No messages were read.
    NotModified(String),
    /// The session with the requested messages.
    Found(SessionWithMessages),
}

/// Value of `last` for the last message of a session.
const END: i64 = -1;

/// The messages to read: at most `limit` of those from `first` to `last`, both included.
struct Page {
    first: i64,
    last: i64,
    limit: usize,
    forwards: bool,
}

impl Page {
    const EMPTY: Self = Self {
        first: 1,
        last: END,
        limit: 0,
        forwards: false,
    };

    fn new(range: MessageRange, limit: usize) -> Self {
        let (first, last, forwards) = match range {
            MessageRange::Latest => (1, END, false),
            MessageRange::After(after) => (seq(after.saturating_add(1)), END, true),
            MessageRange::Before(before) => (1, seq(before.saturating_sub(1)), false),
            MessageRange::Between(after, before) => (
                seq(after.saturating_add(1)),
                seq(before.saturating_sub(1)),
                true,
            ),
        };
        Self {
            first,
            last,
            limit,
            forwards,
        }
    }
}

/// Reply of `scripts/find.lua`.
enum FindReply {
    NotModified(String),
    Found(Found),
}

/// A session and a page of its messages.
struct Found {
    can_write: bool,
    stored: StoredSession,
    /// The `seq` of the first message.
    first: u64,
    messages: Vec<Vec<u8>>,
    has_more: bool,
}

impl FromRedisValue for FindReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let can_write = match reply.next::<String>()?.as_str() {
            "not-modified" => return Ok(Self::NotModified(reply.next()?)),
            "write" => true,
            "read" => false,
            other => return Err(unknown_reply(other)),
        };
        Ok(Self::Found(Found {
            can_write,
            stored: StoredSession {
                document: reply.next()?,
                message_count: reply.next()?,
                activity: reply.next()?,
            },
            first: reply.next()?,
            messages: reply.next()?,
            has_more: reply.next()?,
        }))
    }
}

impl Found {
    fn into_session(self, id: &SessionId) -> Result<SessionWithMessages> {
        Ok(SessionWithMessages {
            current: self.stored.versioned(id)?,
            messages: read_messages(self.first, self.messages),
            has_more: self.has_more,
        })
    }
}

impl Store {
    /// Finds a session with its latest `limit` messages; `None` if it does not exist or is not visible to the caller.
    ///
    /// If `known` contains the current version, the result is [`FoundSession::NotModified`]. Redis then reads no
    /// messages and returns only the version.
    pub async fn find_session(
        &self,
        context: &RequestContext,
        id: &SessionId,
        limit: usize,
        known: &[String],
    ) -> Result<Option<FoundSession>> {
        let page = Page::new(MessageRange::Latest, limit);
        match self.find(context, id, &page, known).await? {
            None => Ok(None),
            Some(FindReply::NotModified(version)) => Ok(Some(FoundSession::NotModified(version))),
            Some(FindReply::Found(found)) => Ok(Some(FoundSession::Found(found.into_session(id)?))),
        }
    }

    /// Finds a session with at most `limit` messages of `range`; `None` if it does not exist or the caller may not read
    /// it.
    pub async fn find_messages(
        &self,
        context: &RequestContext,
        id: &SessionId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Option<SessionWithMessages>> {
        let found = self
            .find_any_version(context, id, &Page::new(range, limit))
            .await?;
        found.map(|found| found.into_session(id)).transpose()
    }

    /// Reads a session without messages, and whether the caller may write to it.
    pub(super) async fn read_stored(
        &self,
        context: &RequestContext,
        id: &SessionId,
    ) -> Result<Option<(StoredSession, bool)>> {
        let found = self.find_any_version(context, id, &Page::EMPTY).await?;
        Ok(found.map(|found| (found.stored, found.can_write)))
    }

    async fn find_any_version(
        &self,
        context: &RequestContext,
        id: &SessionId,
        page: &Page,
    ) -> Result<Option<Found>> {
        match self.find(context, id, page, &[]).await? {
            None => Ok(None),
            Some(FindReply::Found(found)) => Ok(Some(found)),
            Some(FindReply::NotModified(_)) => Err(unknown_reply("not-modified").into()),
        }
    }

    async fn find(
        &self,
        context: &RequestContext,
        id: &SessionId,
        page: &Page,
        known: &[String],
    ) -> Result<Option<FindReply>> {
        let executor = self.executor()?;
        let call = Call::new(&script::FIND, executor.scheme().session_keys(id, []))
            .arg(id.as_str())
            .number(page.first)
            .number(page.last)
            .number(page.limit)
            .number(MAX_PAGE_BYTES)
            .flag(page.forwards)
            .args(known);
        executor.execute(context, &call).await
    }
}

/// Converts a `seq` to the range that Redis accepts; no list is longer.
fn seq(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
