//! Operations on sessions and their messages.

mod append;
mod history;
mod list;
mod message;
mod messages;

pub use self::history::{MAX_HISTORY, MergedHistory};
pub use self::list::{ListSessions, MAX_SESSIONS_PER_PAGE, SessionList};
pub use self::message::{Expected, MessageState};
use super::error::{Conflict, Current, Error, Resource, Result};
use super::fallback::{MaybeSample, SamplePolicy};
use super::volume::VolumeSelection;
use super::written::Written;
use crate::domain::message::{MessageSelection, NewMessage};
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{
    NewSession, SessionAndVersion, SessionId, SessionPatch, SessionWithMessages, Status,
};
use crate::store::{Created, Deleted, FoundSession, Idempotency, Store, Updated};

const NOT_FOUND: Error = Error::NotFound(Resource::Session);
const NO_MESSAGE: Error = Error::NotFound(Resource::Message);

/// The sessions that one request may access.
#[derive(Debug)]
pub struct SessionService<'a> {
    store: &'a Store,
    samples: SamplePolicy,
    context: &'a RequestContext,
}

/// The contents of a session to create.
#[derive(Debug)]
pub struct CreateSession {
    /// The name.
    pub name: Name,
    /// The volume that the session belongs to.
    pub volume: VolumeSelection,
    /// The status; `active` if it is missing.
    pub status: Option<Status>,
    /// The metadata of the caller.
    pub metadata: Option<Metadata>,
    /// The first message.
    pub initial_message: Option<NewMessage>,
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

    /// Creates a session.
    ///
    /// # Errors
    /// If the caller may not write to the volume, or the `Idempotency-Key` belongs to a different request or to a
    /// session that was deleted.
    pub async fn create(
        &self,
        new: CreateSession,
        idempotency: Option<&Idempotency>,
    ) -> Result<Written<SessionWithMessages>> {
        let volume = new.volume.resolve(&self.context.caller);
        self.context.caller.may_write(&volume)?;
        let session = NewSession {
            name: new.name,
            volume,
            status: new.status.unwrap_or(Status::Active),
            metadata: new.metadata.unwrap_or_default(),
        };
        let created =
            self.store
                .create_session(self.context, session, new.initial_message, idempotency);
        match created.await? {
            Created::Done(session) => Ok(Written::now(session)),
            Created::Replayed(session) => Ok(Written::replayed(session)),
            Created::Deleted => Err(Error::Conflict(Conflict::CreatedSessionDeleted)),
            Created::IdempotencyMismatch => Err(Error::IdempotencyMismatch),
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
            Updated::Stale(current) => Err(Error::stale(Current::Session(current))),
            Updated::Invalid(limit) => Err(Error::field("metadata", limit)),
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
