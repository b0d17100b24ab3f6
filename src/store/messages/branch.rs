//! Makes another branch of a session the active one.

use redis::{FromRedisValue, ParsingError, Value};

use super::expected::Expected;
use crate::domain::message::MessageId;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId};
use crate::store::call::Call;
use crate::store::document::StoredSession;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::time::now;

/// Result of changing the active branch.
#[derive(Debug)]
pub enum Switched {
    /// The branch is active.
    Done(Box<SessionAndVersion>),
    /// The message does not exist, or it is deleted.
    NoMessage,
    /// The session's version, which is this one, is not an expected one.
    Stale(Box<SessionAndVersion>),
    /// The caller may only read the session.
    ReadOnly,
}

/// Reply of `scripts/branch.lua`.
enum SwitchReply {
    Active(StoredSession),
    NoMessage,
    Stale,
    ReadOnly,
}

impl FromRedisValue for SwitchReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "active" => StoredSession::from_reply(&mut reply).map(Self::Active),
            "no-message" => Ok(Self::NoMessage),
            "stale" => Ok(Self::Stale),
            "read-only" => Ok(Self::ReadOnly),
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Makes the branch of a message the active one, up to its newest message, if the session has one of the `expected`
    /// versions (where given); `None` if it does not exist or the caller may not read it.
    pub async fn switch_branch(
        &self,
        context: &RequestContext,
        id: &SessionId,
        message: &MessageId,
        expected: Option<&[String]>,
    ) -> Result<Option<Switched>> {
        let expected_state = match self.expected_state(context, id, expected).await? {
            None => return Ok(None),
            Some(Expected::State(state)) => state,
            Some(Expected::Stale(current)) => return Ok(Some(Switched::Stale(current))),
        };
        let call = Call::new(&script::BRANCH, Vec::new())
            .number(now().timestamp_micros())
            .arg(message.as_str())
            .arg(&expected_state);
        let executor = self.executor()?;
        let reply: Option<SwitchReply> = executor
            .execute_on_messages(context, id, Vec::new(), call)
            .await?;
        Ok(match reply {
            None => None,
            Some(SwitchReply::Active(stored)) => {
                Some(Switched::Done(Box::new(stored.versioned(id)?)))
            }
            Some(SwitchReply::NoMessage) => Some(Switched::NoMessage),
            Some(SwitchReply::ReadOnly) => Some(Switched::ReadOnly),
            Some(SwitchReply::Stale) => self.stale_session(context, id).await?.map(Switched::Stale),
        })
    }
}
