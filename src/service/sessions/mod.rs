//! Operations on sessions and their messages.

mod active_turn;
mod append;
mod batch;
mod create;
mod fork;
mod history;
mod list;
mod message;
mod messages;

pub use self::batch::{BatchResult, BatchTarget, MAX_SESSIONS_PER_BATCH};
pub use self::create::{CreateSession, CreatedSession};
pub use self::fork::Fork;
pub use self::history::{MAX_HISTORY, MergedHistory};
pub use self::list::{ListSessions, ListedSessions, MAX_SESSIONS_PER_PAGE, SessionList};
pub use self::message::{Expected, MessageState};
use super::error::{Conflict, Current, Error, Resource, Result};
use super::fallback::{MaybeSample, SamplePolicy};
use super::written::Written;
use crate::domain::message::MessageSelection;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId, SessionPatch};
use crate::store::{Deleted, FoundSession, Store, Updated};

const NOT_FOUND: Error = Error::NotFound(Resource::Session);
const NO_MESSAGE: Error = Error::NotFound(Resource::Message);

/// The sessions that one request may access.
#[derive(Debug)]
pub struct SessionService<'a> {
    store: &'a Store,
    samples: SamplePolicy,
    context: &'a RequestContext,
}

impl<'a> SessionService<'a> {
    /// Returns the sessions in `store` as the caller of a request may access them.
    pub(crate) fn new(
        store: &'a Store,
        samples: SamplePolicy,
        context: &'a RequestContext,
    ) -> Self {
        Self {
            store,
            samples,
            context,
        }
    }

    /// Reads a session and its latest `limit` messages, unless its version is one of `known`.
    ///
    /// # Errors
    /// If the session is missing or the caller may not read it.
    pub async fn get(
        &self,
        id: &SessionId,
        limit: usize,
        known: &[String],
    ) -> Result<MaybeSample<FoundSession>> {
        match self
            .store
            .find_session(self.context, id, limit, known)
            .await
        {
            Ok(Some(FoundSession::Found(found))) if limit > 0 => {
                let selection = MessageSelection::latest(limit);
                let found = self.with_active_turn(id, &selection, found).await?;
                Ok(MaybeSample::stored(FoundSession::Found(found)))
            }
            Ok(Some(found)) => Ok(MaybeSample::stored(found)),
            Ok(None) => Err(NOT_FOUND),
            Err(error) => {
                let sample = self.sample(error, id, &MessageSelection::latest(limit))?;
                Ok(
                    sample.map(|session| match known.contains(&session.current.version) {
                        true => FoundSession::NotModified(session.current.version),
                        false => FoundSession::Found(session),
                    }),
                )
            }
        }
    }

    /// Updates a session. With `expected`, only if the session has one of these versions. With `is_repeatable`, a session
    /// with another version that already has the requested state counts as the result of an earlier attempt.
    ///
    /// # Errors
    /// If the session is missing or the caller may not change it, it has another version, the merged metadata is over
    /// a limit, or it was modified concurrently too many times.
    pub async fn update(
        &self,
        id: &SessionId,
        patch: &SessionPatch,
        expected: Option<&[String]>,
        is_repeatable: bool,
    ) -> Result<Written<SessionAndVersion>> {
        let updated = self
            .store
            .update_session(self.context, id, patch, expected, is_repeatable);
        match updated.await?.ok_or(NOT_FOUND)? {
            Updated::Done(session) => Ok(Written::now(session)),
            Updated::Applied(session) => Ok(Written::replayed(session)),
            Updated::Stale(current) => Err(Error::stale(Current::Session(Box::new(current)))),
            Updated::Invalid((field, limit)) => Err(Error::field(field, limit)),
            Updated::ReadOnly => Err(Error::ReadOnly),
            Updated::Contended => Err(Error::Conflict(Conflict::Contended {
                resource: Resource::Session,
                id: id.to_string(),
            })),
        }
    }

    /// Deletes a session with its messages. With `expected`, only if the session has one of these versions.
    ///
    /// # Errors
    /// If the session is missing or the caller may not change it, or it has another version.
    pub async fn delete(&self, id: &SessionId, expected: Option<&[String]>) -> Result<()> {
        let deleted = self.store.delete_session(self.context, id, expected);
        match deleted.await?.ok_or(NOT_FOUND)? {
            Deleted::Done => Ok(()),
            Deleted::Stale(current) => Err(Error::stale(Current::Session(current))),
            Deleted::ReadOnly => Err(Error::ReadOnly),
        }
    }
}
