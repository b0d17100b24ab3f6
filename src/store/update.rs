//! Updates sessions.

use redis::{FromRedisValue, ParsingError, Value};

use super::call::Call;
use super::document::{ExceededLimit, StoredSession, changed_document, is_applied};
use super::error::Result;
use super::handle::Store;
use super::reply::{Reply, unknown_reply};
use super::script;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId, SessionPatch};
use crate::util::time::now;

/// Maximum number of attempts of an update. Each failed attempt means that another update was stored, so this is also
/// the number of updates that may arrive at the same moment.
const MAX_UPDATE_ATTEMPTS: usize = 100;

/// Result of updating a session.
#[derive(Debug)]
pub enum Updated {
    /// The update is stored; this is the session after it.
    Done(SessionAndVersion),
    /// Nothing changed: the version is not an expected one, but the session already has the requested state.
    Applied(SessionAndVersion),
    /// Nothing changed: the current version, which is this one, is not an expected one.
    Stale(SessionAndVersion),
    /// Nothing changed: a field would exceed a limit. The field, and the text that names the limit.
    Invalid(ExceededLimit),
    /// Nothing changed: other updates were stored during every attempt.
    Contended,
    /// Nothing changed: the caller may only read the session.
    ReadOnly,
}

/// Reply of `scripts/update.lua`.
enum UpdateReply {
    Updated(StoredSession),
    Changed(StoredSession),
    ReadOnly,
}

impl FromRedisValue for UpdateReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "updated" => StoredSession::from_reply(&mut reply).map(Self::Updated),
            "changed" => StoredSession::from_reply(&mut reply).map(Self::Changed),
            "read-only" => Ok(Self::ReadOnly),
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Updates a session, if its version is one of `expected` (where given); `None` if it does not exist or the caller
    /// may not read it. With `is_repeatable`, an outdated version is accepted if the update would change nothing.
    ///
    /// Takes two round trips, and one more for each concurrent update.
    pub async fn update_session(
        &self,
        context: &RequestContext,
        id: &SessionId,
        change: &SessionPatch,
        expected: Option<&[String]>,
        is_repeatable: bool,
    ) -> Result<Option<Updated>> {
        let Some((stored, can_write)) = self.read_stored(context, id).await? else {
            return Ok(None);
        };
        if !can_write {
            return Ok(Some(Updated::ReadOnly));
        }
        self.update_stored(context, id, stored, change, expected, is_repeatable)
            .await
    }

    /// Updates a session that was read and that the caller may change, as [`Self::update_session`] does.
    ///
    /// Takes one round trip, and one more for each concurrent update.
    pub(super) async fn update_stored(
        &self,
        context: &RequestContext,
        id: &SessionId,
        mut stored: StoredSession,
        change: &SessionPatch,
        expected: Option<&[String]>,
        is_repeatable: bool,
    ) -> Result<Option<Updated>> {
        for _ in 0..MAX_UPDATE_ATTEMPTS {
            if expected.is_some_and(|versions| !versions.contains(&stored.version())) {
                if is_repeatable && is_applied(&stored.document, change)? {
                    return Ok(Some(Updated::Applied(stored.versioned(id)?)));
                }
                return Ok(Some(Updated::Stale(stored.versioned(id)?)));
            }
            if change.is_empty() {
                return Ok(Some(Updated::Done(stored.versioned(id)?)));
            }
            let now = now();
            let document = match changed_document(&stored.document, change, now)? {
                Ok(document) => document,
                Err(limit) => return Ok(Some(Updated::Invalid(limit))),
            };
            // Messages may change meanwhile, unless the caller expects a version.
            let expected_state = expected.map(|_| stored.state());
            let replace = Replace {
                old: &stored.document,
                new: &document,
                expected_state: expected_state.as_deref().unwrap_or_default(),
                micros: now.timestamp_micros(),
            };
            match self.replace_document(context, id, &replace).await? {
                None => return Ok(None),
                Some(UpdateReply::Updated(stored)) => {
                    return Ok(Some(Updated::Done(stored.versioned(id)?)));
                }
                Some(UpdateReply::Changed(current)) => stored = current,
                Some(UpdateReply::ReadOnly) => return Ok(Some(Updated::ReadOnly)),
            }
        }
        Ok(Some(Updated::Contended))
    }

    async fn replace_document(
        &self,
        context: &RequestContext,
        id: &SessionId,
        replace: &Replace<'_>,
    ) -> Result<Option<UpdateReply>> {
        let call = Call::new(&script::UPDATE, Vec::new())
            .arg(replace.old)
            .arg(replace.new)
            .number(replace.micros)
            .arg(replace.expected_state);
        let executor = self.executor()?;
        executor
            .execute_on_messages(context, id, Vec::new(), call)
            .await
    }
}

/// One attempt to replace a document.
struct Replace<'a> {
    old: &'a str,
    new: &'a str,
    /// The state that the messages must have; empty for any.
    expected_state: &'a str,
    micros: i64,
}
