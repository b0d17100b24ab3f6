//! Creating, finding, updating and deleting sessions.

use redis::{FromRedisValue, Value};
use serde::Deserialize;

use super::document::{State, changed_document, new_document};
use super::error::{Error, Result};
use super::messages::read_messages;
use super::{Idempotency, REPLY_SECONDS, Store, keys, script};
use crate::message::{MAX_PAGE_BYTES, MessageRange, NewMessage};
use crate::session::{NewSession, SessionChange, SessionId, SessionView, now};

/// How often an update starts again because another one came in between. Each time one of them is stored,
/// so this is how many may come at the same moment.
const MAX_UPDATE_ATTEMPTS: usize = 100;

/// What became of a creation.
#[derive(Debug)]
pub enum Created {
    /// The session is stored.
    Done(SessionView),
    /// It was stored by an earlier request with the same `Idempotency-Key`; this is what that answered.
    Replayed(SessionView),
    /// The `Idempotency-Key` belongs to a request that says something else.
    KeyReused,
}

/// What became of an update.
#[derive(Debug)]
pub enum Updated {
    /// The session is stored, and is now this.
    Done(SessionView),
    /// Nothing changed: the session is no longer one of the expected versions, but this.
    Stale(SessionView),
    /// Nothing changed: the metadata that would come out is over a limit, which the text names.
    Invalid(&'static str),
    /// Nothing changed: others updated the session all the time.
    Contended,
}

/// Document, message count, activity, `seq` of the first message, messages, whether there are more.
type FindReply = (String, u64, i64, u64, Vec<Vec<u8>>, bool);

impl Store {
    /// Creates a session, with a first message if one is given.
    pub async fn create_session(
        &self,
        new: NewSession,
        message: Option<NewMessage>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created> {
        let now = now();
        let id = SessionId::generate();
        let volume = keys::scope(new.volume, &new.volume_id);
        let document = new_document(&id, new, now);
        let message = message
            .map(|message| message.into_stored(now))
            .unwrap_or_default();
        let reply: Vec<Value> = self
            .connection()?
            .script(&script::CREATE, |call, _| {
                call.arg(4 + usize::from(idempotency.is_some()))
                    .arg(keys::document(&id))
                    .arg(keys::messages(&id))
                    .arg(keys::members(keys::ALL))
                    .arg(keys::members(&volume))
                    .arg(idempotency.map(|idempotency| keys::create_reply(&idempotency.key)));
                call.arg(id.as_str())
                    .arg(&document)
                    .arg(now.timestamp_micros())
                    .arg(idempotency.map_or("", |idempotency| &idempotency.fingerprint))
                    .arg(REPLY_SECONDS)
                    .arg(&message);
            })
            .await?;
        let mut reply = reply.into_iter();
        let mut next = || reply.next().unwrap_or(Value::Nil);
        match String::from_redis_value(next())?.as_str() {
            "created" => Ok(Created::Done(view_of_new(&id, document, &message)?)),
            "replayed" => {
                let document = String::from_redis_value(next())?;
                let message = String::from_redis_value(next())?;
                let id = id_in(&document)?;
                Ok(Created::Replayed(view_of_new(&id, document, &message)?))
            }
            "mismatch" => Ok(Created::KeyReused),
            other => Err(Error::Unreadable(format!("create answered {other}"))),
        }
    }

    /// Finds a session and at most `limit` of its messages; `None` where there is none.
    pub async fn find_session(
        &self,
        id: &SessionId,
        range: MessageRange,
        limit: usize,
    ) -> Result<Option<SessionView>> {
        // Sequence numbers, both included; -1 is the end.
        let (first, last, forwards) = match range {
            MessageRange::Latest => (1, -1, false),
            MessageRange::After(after) => (seq(after.saturating_add(1)), -1, true),
            MessageRange::Before(before) => (1, seq(before.saturating_sub(1)), false),
            MessageRange::Between(after, before) => (
                seq(after.saturating_add(1)),
                seq(before.saturating_sub(1)),
                true,
            ),
        };
        let reply: Option<FindReply> = self
            .connection()?
            .script(&script::FIND, |call, _| {
                call.arg(2).arg(keys::document(id)).arg(keys::messages(id));
                call.arg(id.as_str())
                    .arg(first)
                    .arg(last)
                    .arg(limit)
                    .arg(MAX_PAGE_BYTES)
                    .arg(u8::from(forwards));
            })
            .await?;
        let Some((document, message_count, activity, first, messages, has_more)) = reply else {
            return Ok(None);
        };
        let mut view = State {
            document,
            message_count,
            activity,
        }
        .view(id)?;
        view.messages = read_messages(first, &messages)?;
        view.has_more = has_more;
        Ok(Some(view))
    }

    /// Changes a session, if it is still one of the `expected` versions (where they are given);
    /// `None` where there is none.
    ///
    /// Two round trips, and one more for each other update that comes in between.
    pub async fn update_session(
        &self,
        id: &SessionId,
        change: &SessionChange,
        expected: Option<&[String]>,
    ) -> Result<Option<Updated>> {
        let Some(mut state) = self.read_state(id).await? else {
            return Ok(None);
        };
        for _ in 0..MAX_UPDATE_ATTEMPTS {
            if expected.is_some_and(|versions| !versions.contains(&state.version())) {
                return Ok(Some(Updated::Stale(state.view(id)?)));
            }
            if change.is_empty() {
                return Ok(Some(Updated::Done(state.view(id)?)));
            }
            let now = now();
            let document = match changed_document(&state.document, change, now)? {
                Ok(document) => document,
                Err(limit) => return Ok(Some(Updated::Invalid(limit))),
            };
            let reply: Option<Vec<Value>> = self
                .connection()?
                .script(&script::UPDATE, |call, _| {
                    call.arg(2).arg(keys::document(id)).arg(keys::messages(id));
                    call.arg(id.as_str())
                        .arg(&state.document)
                        .arg(&document)
                        .arg(now.timestamp_micros())
                        .arg(expected.map_or(String::new(), |_| state.message_count.to_string()));
                })
                .await?;
            let Some(reply) = reply else {
                return Ok(None);
            };
            let mut reply = reply.into_iter();
            let mut next = || reply.next().unwrap_or(Value::Nil);
            let updated = String::from_redis_value(next())? == "updated";
            state = State {
                document: if updated {
                    document
                } else {
                    String::from_redis_value(next())?
                },
                message_count: u64::from_redis_value(next())?,
                activity: i64::from_redis_value(next())?,
            };
            if updated {
                return Ok(Some(Updated::Done(state.view(id)?)));
            }
        }
        Ok(Some(Updated::Contended))
    }

    /// Deletes a session with all that belongs to it; whether there was one.
    pub async fn delete_session(&self, id: &SessionId) -> Result<bool> {
        self.connection()?
            .script(&script::DELETE, |call, repeated| {
                call.arg(4)
                    .arg(keys::document(id))
                    .arg(keys::messages(id))
                    .arg(keys::replies(id))
                    .arg(keys::reply_expiries(id));
                call.arg(id.as_str()).arg(u8::from(repeated));
            })
            .await
    }

    async fn read_state(&self, id: &SessionId) -> Result<Option<State>> {
        let reply: Option<FindReply> = self
            .connection()?
            .script(&script::FIND, |call, _| {
                call.arg(2).arg(keys::document(id)).arg(keys::messages(id));
                call.arg(id.as_str()).arg(1).arg(-1).arg(0).arg(0).arg(0);
            })
            .await?;
        Ok(reply.map(|(document, message_count, activity, ..)| State {
            document,
            message_count,
            activity,
        }))
    }
}

/// A list index as Redis takes it; no list is longer than that.
fn seq(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn view_of_new(id: &SessionId, document: String, message: &str) -> Result<SessionView> {
    let messages = if message.is_empty() {
        Vec::new()
    } else {
        read_messages(1, &[message])?
    };
    let state = State {
        document,
        message_count: messages.len() as u64,
        activity: 0,
    };
    Ok(SessionView {
        messages,
        has_more: false,
        ..state.view(id)?
    })
}

fn id_in(document: &str) -> Result<SessionId> {
    #[derive(Deserialize)]
    struct Document {
        id: String,
    }
    let document: Document = serde_json::from_str(document)?;
    SessionId::parse(&document.id)
        .ok_or_else(|| Error::Unreadable(format!("the id {}", document.id)))
}
