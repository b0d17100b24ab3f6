//! Finds sessions and reads pages of their messages.

use redis::{FromRedisValue, ParsingError, Value};

use super::call::Call;
use super::direct::{Direct, DirectPage, DirectSession};
use super::document::StoredSession;
use super::error::Result;
use super::handle::Store;
use super::messages::page::{Part, read_page};
use super::reply::{Reply, unknown_reply};
use super::script;
use crate::domain::message::{Branch, MAX_PAGE_BYTES, MessageRange, MessageSelection};
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
    /// Empty for the active branch, `*` for all messages, or `=` and the id of a message.
    branch: String,
    with_deleted: bool,
}

impl Page {
    const EMPTY: Self = Self {
        first: 1,
        last: END,
        limit: 0,
        forwards: false,
        branch: String::new(),
        with_deleted: false,
    };

    fn new(selection: &MessageSelection) -> Self {
        let (first, last, forwards) = match selection.range {
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
            limit: selection.limit,
            forwards,
            branch: match &selection.branch {
                Branch::Active => String::new(),
                Branch::All => "*".to_owned(),
                Branch::Of(id) => format!("={id}"),
            },
            with_deleted: selection.with_deleted,
        }
    }
}

/// Reply of `scripts/find.lua`.
enum FindReply {
    NotModified(String),
    NoMessage,
    Found(Found),
}

/// A session and a page of its messages.
struct Found {
    can_write: bool,
    stored: StoredSession,
    has_more: bool,
    parts: Vec<Part>,
    versions: Vec<(u64, String)>,
}

impl FromRedisValue for FindReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let can_write = match reply.next::<String>()?.as_str() {
            "not-modified" => return Ok(Self::NotModified(reply.next()?)),
            "no-message" => return Ok(Self::NoMessage),
            "write" => true,
            "read" => false,
            other => return Err(unknown_reply(other)),
        };
        Ok(Self::Found(Found {
            can_write,
            stored: StoredSession::from_reply(&mut reply)?,
            has_more: reply.next()?,
            parts: reply.next()?,
            versions: reply.next()?,
        }))
    }
}

impl From<DirectSession> for Found {
    fn from(session: DirectSession) -> Self {
        Self {
            can_write: session.can_write,
            stored: session.stored,
            has_more: session.has_more,
            parts: vec![session.part],
            versions: Vec::new(),
        }
    }
}

impl Found {
    fn into_session(self, id: &SessionId) -> Result<SessionWithMessages> {
        Ok(SessionWithMessages {
            current: self.stored.versioned(id)?,
            messages: read_page(self.parts, self.versions),
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
        // A client that knows a version most likely knows the current one, so no messages are read at first.
        let wanted = if known.is_empty() { limit } else { 0 };
        match self
            .find_directly(context, id, &MessageSelection::latest(wanted))
            .await?
        {
            Direct::Missing => Ok(None),
            Direct::Found(found)
                if known.contains(&found.stored.version()) && !found.stored.has_active_turn() =>
            {
                Ok(Some(FoundSession::NotModified(found.stored.version())))
            }
            Direct::Found(found) if wanted == limit => {
                let found = Found::from(found).into_session(id)?;
                Ok(Some(FoundSession::Found(found)))
            }
            Direct::Found(_) | Direct::Unknown => {
                self.find_by_script(context, id, limit, known).await
            }
        }
    }

    /// Reads selected messages with plain commands, if they are those of the active branch.
    async fn find_directly(
        &self,
        context: &RequestContext,
        id: &SessionId,
        selection: &MessageSelection,
    ) -> Result<Direct> {
        if selection.branch != Branch::Active || selection.with_deleted {
            return Ok(Direct::Unknown);
        }
        let page = DirectPage {
            range: selection.range,
            limit: selection.limit,
        };
        let executor = self.executor()?;
        executor
            .read_directly(context, id, page, self.small_sessions())
            .await
    }

    async fn find_by_script(
        &self,
        context: &RequestContext,
        id: &SessionId,
        limit: usize,
        known: &[String],
    ) -> Result<Option<FoundSession>> {
        let page = Page::new(&MessageSelection::latest(limit));
        match self.find(context, id, &page, known).await? {
            None => Ok(None),
            Some(FindReply::NotModified(version)) => Ok(Some(FoundSession::NotModified(version))),
            Some(FindReply::Found(found)) => Ok(Some(FoundSession::Found(found.into_session(id)?))),
            Some(FindReply::NoMessage) => Err(unknown_reply("no-message").into()),
        }
    }

    /// Finds a session with selected messages. Returns `None` if it does not exist or the caller may not read it, and
    /// `Some(None)` if the message of the selected branch does not exist.
    pub async fn find_messages(
        &self,
        context: &RequestContext,
        id: &SessionId,
        selection: &MessageSelection,
    ) -> Result<Option<Option<SessionWithMessages>>> {
        match self.find_directly(context, id, selection).await? {
            Direct::Missing => return Ok(None),
            Direct::Found(found) => {
                let found = Found::from(found).into_session(id)?;
                return Ok(Some(Some(found)));
            }
            Direct::Unknown => {}
        }
        match self.find(context, id, &Page::new(selection), &[]).await? {
            None => Ok(None),
            Some(FindReply::NoMessage) => Ok(Some(None)),
            Some(FindReply::Found(found)) => found.into_session(id).map(|found| Some(Some(found))),
            Some(FindReply::NotModified(_)) => Err(unknown_reply("not-modified").into()),
        }
    }

    /// Reads a session without messages, and whether the caller may write to it.
    pub(super) async fn read_stored(
        &self,
        context: &RequestContext,
        id: &SessionId,
    ) -> Result<Option<(StoredSession, bool)>> {
        match self.find(context, id, &Page::EMPTY, &[]).await? {
            None => Ok(None),
            Some(FindReply::Found(found)) => Ok(Some((found.stored, found.can_write))),
            Some(_) => Err(unknown_reply("not a session").into()),
        }
    }

    async fn find(
        &self,
        context: &RequestContext,
        id: &SessionId,
        page: &Page,
        known: &[String],
    ) -> Result<Option<FindReply>> {
        let call = Call::new(&script::FIND, Vec::new())
            .number(page.first)
            .number(page.last)
            .number(page.limit)
            .number(MAX_PAGE_BYTES)
            .flag(page.forwards)
            .arg(&page.branch)
            .flag(page.with_deleted)
            .args(known);
        let executor = self.executor()?;
        let reply = executor
            .execute_on_messages(context, id, Vec::new(), call)
            .await?;
        if let Some(FindReply::Found(found)) = &reply
            && page.limit > 0
            && !found.stored.has_branches()
        {
            let texts = found.parts.iter().flat_map(|part| &part.2);
            let bytes = texts.map(Vec::len).sum();
            self.small_sessions().record(context, id, bytes);
        }
        Ok(reply)
    }
}

/// Converts a `seq` to the range that Redis accepts; no list is longer.
fn seq(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
