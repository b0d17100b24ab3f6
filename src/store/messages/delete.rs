//! Deletes messages of a session: their content is gone, their places stay.

use redis::{FromRedisValue, ParsingError, Value};

use super::expected::Expected;
use crate::domain::message::{MessageId, Timestamp};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId};
use crate::store::call::Call;
use crate::store::document::StoredSession;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::json;
use crate::util::time::now;

/// The maximum number of messages that one call deletes.
const MESSAGES_PER_CALL: usize = 500;

/// Which messages to delete.
#[derive(Clone, Copy, Debug)]
pub enum DeleteTarget<'a> {
    /// The message with this id, if its text has this SHA-1 (where given).
    One(&'a MessageId, Option<&'a str>),
    /// The messages behind this `seq`, on the active branch or on all.
    After(u64, bool),
}

/// Result of deleting messages.
#[derive(Debug)]
pub enum DeletedMessages {
    /// This many messages are deleted; the session after it.
    Done(u64, Box<SessionAndVersion>),
    /// The message does not exist, or it is deleted already.
    NoMessage,
    /// The message was changed meanwhile.
    Changed,
    /// The session's version, which is this one, is not an expected one.
    Stale(Box<SessionAndVersion>),
    /// The caller may only read the session.
    ReadOnly,
}

/// Reply of `scripts/delete_messages.lua`.
enum DeleteReply {
    Deleted {
        count: u64,
        has_more: bool,
        stored: StoredSession,
    },
    NoMessage,
    Changed,
    Stale,
    ReadOnly,
}

impl FromRedisValue for DeleteReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "deleted" => Ok(Self::Deleted {
                count: reply.next()?,
                has_more: reply.next()?,
                stored: StoredSession::from_reply(&mut reply)?,
            }),
            "no-message" => Ok(Self::NoMessage),
            "changed" => Ok(Self::Changed),
            "stale" => Ok(Self::Stale),
            "read-only" => Ok(Self::ReadOnly),
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Deletes messages, if the session has one of the `expected` versions (where given); `None` if it does not exist or
    /// the caller may not read it.
    ///
    /// Takes one round trip for every 500 messages, the last ones first: after a failure a repeated call continues.
    pub async fn delete_messages(
        &self,
        context: &RequestContext,
        id: &SessionId,
        target: DeleteTarget<'_>,
        expected: Option<&[String]>,
    ) -> Result<Option<DeletedMessages>> {
        let mut expected_state = match self.expected_state(context, id, expected).await? {
            None => return Ok(None),
            Some(Expected::State(state)) => state,
            Some(Expected::Stale(current)) => return Ok(Some(DeletedMessages::Stale(current))),
        };
        let mut total = 0;
        loop {
            let reply = self
                .delete_some(context, id, target, &expected_state)
                .await?;
            let Some(reply) = reply else {
                return Ok(None);
            };
            return Ok(Some(match reply {
                DeleteReply::Deleted {
                    count,
                    has_more: true,
                    ..
                } => {
                    total += count;
                    expected_state.clear();
                    continue;
                }
                DeleteReply::Deleted { count, stored, .. } => {
                    DeletedMessages::Done(total + count, Box::new(stored.versioned(id)?))
                }
                DeleteReply::NoMessage => DeletedMessages::NoMessage,
                DeleteReply::Changed => DeletedMessages::Changed,
                DeleteReply::Stale => match self.stale_session(context, id).await? {
                    Some(current) => DeletedMessages::Stale(current),
                    None => return Ok(None),
                },
                DeleteReply::ReadOnly => DeletedMessages::ReadOnly,
            }));
        }
    }

    async fn delete_some(
        &self,
        context: &RequestContext,
        id: &SessionId,
        target: DeleteTarget<'_>,
        expected_state: &str,
    ) -> Result<Option<DeleteReply>> {
        let executor = self.executor()?;
        let now = now();
        let (message, sha, after, every) = match target {
            DeleteTarget::One(message, sha) => {
                (message.as_str(), sha.unwrap_or_default(), 0, false)
            }
            DeleteTarget::After(after, every) => ("", "", after, every),
        };
        let call = Call::new(&script::DELETE_MESSAGES, Vec::new())
            .number(now.timestamp_micros())
            .owned(json::text(&Timestamp::from(now)))
            .arg(message)
            .arg(sha)
            .number(after)
            .flag(every)
            .number(MESSAGES_PER_CALL)
            .arg(expected_state);
        executor
            .execute_on_messages(context, id, Vec::new(), call)
            .await
    }
}
