//! Creating and finding sessions.

use serde::Deserialize;

use super::document::{State, new_document};
use super::error::{Error, Result};
use super::messages::read_messages;
use super::script::{self, Reply, unknown_reply};
use super::{Idempotency, REPLY_SECONDS, Store};
use crate::domain::message::{MAX_PAGE_BYTES, MessageRange, NewMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{NewSession, SessionId, SessionWithMessages};
use crate::util::time::now;

/// What became of a creation.
#[derive(Debug)]
pub enum Created {
    /// The session is stored.
    Done(SessionWithMessages),
    /// It was stored by an earlier request with the same `Idempotency-Key`; this is what that answered.
    Replayed(SessionWithMessages),
    /// An earlier request with the same `Idempotency-Key` stored it, and it was deleted since.
    Deleted,
    /// The `Idempotency-Key` belongs to a request that says something else.
    IdempotencyMismatch,
}

/// Result of looking for a session.
#[derive(Debug)]
pub enum FoundSession {
    /// The session has one of the versions that the caller knows, which is this one. No messages were read.
    NotModified(String),
    /// The session and the messages that were requested.
    Found(SessionWithMessages),
}

/// In place of the last `seq` of a range: the end.
const END: i64 = -1;

/// Which messages of a session to read: at most `limit` of those from `first` to `last`, both included.
struct Wanted {
    first: i64,
    last: i64,
    limit: usize,
    forwards: bool,
}

impl Wanted {
    const NONE: Self = Self {
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

/// A session and a page of its messages, as stored.
struct Found {
    may_write: bool,
    state: State,
    /// The `seq` of the first message.
    first: u64,
    messages: Vec<Vec<u8>>,
    has_more: bool,
}

impl Found {
    fn into_session(self, id: &SessionId) -> Result<SessionWithMessages> {
        Ok(SessionWithMessages {
            current: self.state.versioned(id)?,
            messages: read_messages(self.first, self.messages),
            has_more: self.has_more,
        })
    }
}

impl Store {
    /// Creates a session, with a first message if one is given. Whether the caller may is not looked at.
    pub async fn create_session(
        &self,
        context: &RequestContext,
        new: NewSession,
        message: Option<NewMessage>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created> {
        let connection = self.connection()?;
        let Some(id) = connection.new_id(context, idempotency).await? else {
            return Ok(Created::IdempotencyMismatch);
        };
        let now = now();
        let key = idempotency.map(|idempotency| idempotency.key.as_str());
        let keys = connection.names().of_creation(&id, &new.volume, key);
        let document = new_document(&id, new, now);
        let message = message
            .map(|message| message.into_stored(now))
            .unwrap_or_default();
        let mut reply: Reply = connection
            .script(&script::CREATE, context, |call, _| {
                call.arg(keys.len()).arg(&keys);
                call.arg(id.as_str())
                    .arg(&document)
                    .arg(now.timestamp_micros())
                    .arg(idempotency.map_or("", |idempotency| &idempotency.fingerprint))
                    .arg(REPLY_SECONDS)
                    .arg(&message);
            })
            .await?;
        match reply.next::<String>()?.as_str() {
            "created" => Ok(Created::Done(view_of_new(&id, document, message)?)),
            "replayed" => {
                let (document, message): (String, String) = (reply.next()?, reply.next()?);
                let id = id_in(&document)?;
                Ok(Created::Replayed(view_of_new(&id, document, message)?))
            }
            "deleted" => Ok(Created::Deleted),
            "mismatch" => Ok(Created::IdempotencyMismatch),
            other => Err(unknown_reply(other)),
        }
    }

    /// Finds a session and the latest `limit` of its messages; `None` if the caller may not see such a session.
    ///
    /// If `known` contains the current version, the result is [`FoundSession::NotModified`], and Redis reads and
    /// transfers neither document nor messages.
    pub async fn find_session(
        &self,
        context: &RequestContext,
        id: &SessionId,
        limit: usize,
        known: &[String],
    ) -> Result<Option<FoundSession>> {
        let wanted = Wanted::new(MessageRange::Latest, limit);
        match self.find(context, id, &wanted, known).await? {
            None => Ok(None),
            Some(FindReply::NotModified(version)) => Ok(Some(FoundSession::NotModified(version))),
            Some(FindReply::Found(found)) => Ok(Some(FoundSession::Found(found.into_session(id)?))),
        }
    }

    /// Finds a session and at most `limit` of its messages in `range`; `None` if the caller may not see such a
    /// session.
    pub async fn find_messages(
        &self,
        context: &RequestContext,
        id: &SessionId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Option<SessionWithMessages>> {
        let found = self.find_any(context, id, &Wanted::new(range, limit)).await?;
        found.map(|found| found.into_session(id)).transpose()
    }

    /// Reads the current state of a session without its messages, and whether the caller may change it.
    pub(super) async fn read_state(
        &self,
        context: &RequestContext,
        id: &SessionId,
    ) -> Result<Option<(State, bool)>> {
        let found = self.find_any(context, id, &Wanted::NONE).await?;
        Ok(found.map(|found| (found.state, found.may_write)))
    }

    async fn find_any(
        &self,
        context: &RequestContext,
        id: &SessionId,
        wanted: &Wanted,
    ) -> Result<Option<Found>> {
        match self.find(context, id, wanted, &[]).await? {
            None => Ok(None),
            Some(FindReply::Found(found)) => Ok(Some(found)),
            Some(FindReply::NotModified(_)) => Err(unknown_reply("not-modified")),
        }
    }

    async fn find(
        &self,
        context: &RequestContext,
        id: &SessionId,
        wanted: &Wanted,
        known: &[String],
    ) -> Result<Option<FindReply>> {
        let connection = self.connection()?;
        let keys = connection.names().of_session(id, []);
        let reply: Option<Reply> = connection
            .script(&script::FIND, context, |call, _| {
                call.arg(keys.len()).arg(&keys);
                call.arg(id.as_str())
                    .arg(wanted.first)
                    .arg(wanted.last)
                    .arg(wanted.limit)
                    .arg(MAX_PAGE_BYTES)
                    .arg(u8::from(wanted.forwards))
                    .arg(known);
            })
            .await?;
        reply.map(read_found).transpose()
    }
}

fn read_found(mut reply: Reply) -> Result<FindReply> {
    let may_write = match reply.next::<String>()?.as_str() {
        "not-modified" => return Ok(FindReply::NotModified(reply.next()?)),
        "write" => true,
        "read" => false,
        other => return Err(unknown_reply(other)),
    };
    Ok(FindReply::Found(Found {
        may_write,
        state: State {
            document: reply.next()?,
            message_count: reply.next()?,
            activity: reply.next()?,
        },
        first: reply.next()?,
        messages: reply.next()?,
        has_more: reply.next()?,
    }))
}

/// A list index as Redis takes it; no list is longer than that.
fn seq(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn view_of_new(id: &SessionId, document: String, message: String) -> Result<SessionWithMessages> {
    let message = Some(message.into_bytes()).filter(|message| !message.is_empty());
    let messages = read_messages(1, message);
    let state = State {
        document,
        message_count: messages.len() as u64,
        activity: 0,
    };
    Ok(SessionWithMessages {
        current: state.versioned(id)?,
        messages,
        has_more: false,
    })
}

fn id_in(document: &str) -> Result<SessionId> {
    #[derive(Deserialize)]
    struct Document {
        id: String,
    }
    let document: Document = serde_json::from_str(document)?;
    SessionId::parse(&document.id)
        .ok_or_else(|| Error::Unreadable("the id in a reply is none".to_owned()))
}
