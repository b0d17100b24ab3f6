//! Creating and finding sessions.

use serde::Deserialize;

use super::document::{State, new_document};
use super::error::{Error, Result};
use super::messages::read_messages;
use super::script::{self, Reply, unknown_reply};
use super::{Idempotency, REPLY_SECONDS, Store};
use crate::domain::message::{MAX_PAGE_BYTES, Message, MessageRange, NewMessage, StoredMessage};
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

/// In place of the last `seq` of a range: the end.
const END: i64 = -1;

/// A session and messages of it, as Redis holds them.
struct Found {
    may_write: bool,
    state: State,
    /// The `seq` of the first message.
    first: u64,
    messages: Vec<Vec<u8>>,
    has_more: bool,
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
        let message = message.map(|message| message.into_stored(now));
        let mut reply: Reply = connection
            .script(&script::CREATE, context, |call, _| {
                call.arg(keys.len()).arg(&keys);
                call.arg(id.as_str())
                    .arg(&document)
                    .arg(now.timestamp_micros())
                    .arg(idempotency.map_or("", |idempotency| &idempotency.fingerprint))
                    .arg(REPLY_SECONDS)
                    .arg(message.as_ref().map_or("", StoredMessage::as_str));
            })
            .await?;
        match reply.next::<String>()?.as_str() {
            "created" => {
                let messages = message.map(|message| message.with_seq(1));
                let messages = messages.into_iter().collect();
                Ok(Created::Done(view_of_new(&id, document, messages)?))
            }
            "replayed" => {
                let (document, message): (String, String) = (reply.next()?, reply.next()?);
                let id = id_in(&document)?;
                let message = Some(message).filter(|message| !message.is_empty());
                let messages = read_messages(1, message.map(String::into_bytes));
                Ok(Created::Replayed(view_of_new(&id, document, messages)?))
            }
            "deleted" => Ok(Created::Deleted),
            "mismatch" => Ok(Created::IdempotencyMismatch),
            other => Err(unknown_reply(other)),
        }
    }

    /// Finds a session and at most `limit` of its messages; `None` where there is none that the caller may see.
    pub async fn find_session(
        &self,
        context: &RequestContext,
        id: &SessionId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Option<SessionWithMessages>> {
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
        let Some(found) = self
            .find(context, id, (first, last), limit, forwards)
            .await?
        else {
            return Ok(None);
        };
        Ok(Some(SessionWithMessages {
            current: found.state.versioned(id)?,
            messages: read_messages(found.first, found.messages),
            has_more: found.has_more,
        }))
    }

    /// What a session is now, without its messages, and whether the caller may change it.
    pub(super) async fn read_state(
        &self,
        context: &RequestContext,
        id: &SessionId,
    ) -> Result<Option<(State, bool)>> {
        let found = self.find(context, id, (1, END), 0, false).await?;
        Ok(found.map(|found| (found.state, found.may_write)))
    }

    /// Reads a session, and at most `limit` messages between two `seq`s, both included.
    async fn find(
        &self,
        context: &RequestContext,
        id: &SessionId,
        (first, last): (i64, i64),
        limit: usize,
        forwards: bool,
    ) -> Result<Option<Found>> {
        let connection = self.connection()?;
        let keys = connection.names().of_session(id, []);
        let reply: Option<Reply> = connection
            .script(&script::FIND, context, |call, _| {
                call.arg(keys.len()).arg(&keys);
                call.arg(id.as_str())
                    .arg(first)
                    .arg(last)
                    .arg(limit)
                    .arg(MAX_PAGE_BYTES)
                    .arg(u8::from(forwards));
            })
            .await?;
        let Some(mut reply) = reply else {
            return Ok(None);
        };
        Ok(Some(Found {
            may_write: reply.next::<String>()? == "write",
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
}

/// A list index as Redis takes it; no list is longer than that.
fn seq(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn view_of_new(
    id: &SessionId,
    document: String,
    messages: Vec<Message>,
) -> Result<SessionWithMessages> {
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
