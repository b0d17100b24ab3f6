//! Operations on sessions and their messages.

mod batch;
mod create;
mod list;

pub use self::batch::{BatchResult, BatchTarget, MAX_SESSIONS_PER_BATCH};
pub use self::create::{CreateSession, CreatedSession};
pub use self::list::{ListSessions, ListedSessions, MAX_SESSIONS_PER_PAGE, SessionList};
use super::error::{Conflict, Current, Error, Resource, Result};
use super::fallback::{MaybeSample, SamplePolicy};
use super::samples;
use super::written::Written;
use crate::domain::message::{Message, MessageRange, NewMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId, SessionPatch, SessionWithMessages};
use crate::store::{self, Appended, Deleted, FoundSession, Idempotency, Store, Updated};

const NOT_FOUND: Error = Error::NotFound(Resource::Session);

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
            Ok(Some(found)) => Ok(MaybeSample::stored(found)),
            Ok(None) => Err(NOT_FOUND),
            Err(error) => {
                let sample = self.sample(error, id, MessageRange::Latest, limit)?;
                Ok(
                    sample.map(|session| match known.contains(&session.current.version) {
                        true => FoundSession::NotModified(session.current.version),
                        false => FoundSession::Found(session),
                    }),
                )
            }
        }
    }

    /// Reads a session and at most `limit` messages of `range`.
    ///
    /// # Errors
    /// If the session is missing or the caller may not read it.
    pub async fn messages(
        &self,
        id: &SessionId,
        range: MessageRange,
        limit: usize,
    ) -> Result<MaybeSample<SessionWithMessages>> {
        match self
            .store
            .find_messages(self.context, id, range, limit)
            .await
        {
            Ok(Some(session)) => Ok(MaybeSample::stored(session)),
            Ok(None) => Err(NOT_FOUND),
            Err(error) => self.sample(error, id, range, limit),
        }
    }

    fn sample(
        &self,
        error: store::Error,
        id: &SessionId,
        range: MessageRange,
        limit: usize,
    ) -> Result<MaybeSample<SessionWithMessages>> {
        let caller = &self.context.caller;
        let sample = samples::sessions::find_session(caller, id, range, limit);
        self.samples.sample_or(error.into(), sample, NOT_FOUND)
    }

    /// Appends 1–100 messages to a session, all or none.
    ///
    /// # Errors
    /// If the session is missing or the caller may not change it, or the `Idempotency-Key` belongs to a different
    /// request.
    pub async fn append(
        &self,
        id: &SessionId,
        messages: Vec<NewMessage>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Written<Vec<Message>>> {
        let appended = self
            .store
            .append_messages(self.context, id, messages, idempotency);
        match appended.await?.ok_or(NOT_FOUND)? {
            Appended::Done(messages) => Ok(Written::now(messages)),
            Appended::Replayed(messages) => Ok(Written::replayed(messages)),
            Appended::IdempotencyMismatch => Err(Error::IdempotencyMismatch),
            Appended::ReadOnly => Err(Error::ReadOnly),
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
            Updated::Stale(current) => Err(Error::stale(Current::Session(current))),
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
            Deleted::Stale(current) => Err(Error::stale(Current::Session(*current))),
            Deleted::ReadOnly => Err(Error::ReadOnly),
        }
    }
}
