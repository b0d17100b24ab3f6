//! Deletes sessions.

use redis::{FromRedisValue, ParsingError, Value};

use super::call::Call;
use super::error::Result;
use super::handle::Store;
use super::reply::unknown_reply;
use super::script;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId};

/// Result of deleting a session.
#[derive(Debug)]
pub enum Deleted {
    /// The session is deleted.
    Done,
    /// Nothing changed: the current version, which is this one, is not an expected one.
    Stale(Box<SessionAndVersion>),
    /// Nothing changed: the caller may only read the session.
    ReadOnly,
}

/// Reply of `scripts/delete.lua`.
enum DeleteReply {
    Deleted,
    Missing,
    ReadOnly,
    Changed,
}

impl FromRedisValue for DeleteReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        match String::from_redis_value(value)?.as_str() {
            "deleted" => Ok(Self::Deleted),
            "missing" => Ok(Self::Missing),
            "read-only" => Ok(Self::ReadOnly),
            "changed" => Ok(Self::Changed),
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Deletes a session and all its data, if its version is one of `expected` (where given); `None` if it does not
    /// exist or the caller may not read it.
    ///
    /// Takes one round trip; with `expected` two, and one more after a concurrent change.
    pub async fn delete_session(
        &self,
        context: &RequestContext,
        id: &SessionId,
        expected: Option<&[String]>,
    ) -> Result<Option<Deleted>> {
        let mut read = None;
        if let Some(versions) = expected {
            let Some((stored, can_write)) = self.read_stored(context, id).await? else {
                return Ok(None);
            };
            if !can_write {
                return Ok(Some(Deleted::ReadOnly));
            }
            if !versions.contains(&stored.version()) {
                return Ok(Some(Deleted::Stale(Box::new(stored.versioned(id)?))));
            }
            read = Some(stored);
        }
        let executor = self.executor()?;
        let keys = executor.scheme().all_session_keys(id);
        let mut call = Call::new(&script::DELETE, keys).arg(id.as_str());
        if let Some(stored) = &read {
            call = call.arg(&stored.document).owned(stored.state());
        }
        match executor.execute(context, &call).await? {
            DeleteReply::Deleted => Ok(Some(Deleted::Done)),
            DeleteReply::Missing => Ok(None),
            DeleteReply::ReadOnly => Ok(Some(Deleted::ReadOnly)),
            DeleteReply::Changed => match self.read_stored(context, id).await? {
                Some((stored, _)) => Ok(Some(Deleted::Stale(Box::new(stored.versioned(id)?)))),
                None => Ok(None),
            },
        }
    }
}
