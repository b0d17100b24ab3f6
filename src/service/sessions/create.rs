//! Creation of sessions.

use super::SessionService;
use crate::domain::message::NewMessage;
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::session::{NewSession, SessionId, SessionWithMessages, Status, TitleSource};
use crate::domain::tag::Tags;
use crate::service::error::{Conflict, Error, Result};
use crate::service::volume::VolumeSelection;
use crate::service::written::Written;
use crate::store::{Created, FoundSession, Idempotency};

/// The contents of a session to create.
#[derive(Debug)]
pub struct CreateSession {
    /// The id; generated if it is missing.
    pub id: Option<SessionId>,
    /// The name.
    pub name: Option<Name>,
    /// The origin of the name; it follows from the name if it is missing.
    pub title_source: Option<TitleSource>,
    /// The volume that the session belongs to.
    pub volume: VolumeSelection,
    /// The status; `active` if it is missing.
    pub status: Option<Status>,
    /// The metadata of the caller.
    pub metadata: Option<Metadata>,
    /// Whether the session is pinned; `false` if it is missing.
    pub pinned: Option<bool>,
    /// Whether the session is archived; `false` if it is missing.
    pub archived: Option<bool>,
    /// The tags.
    pub tags: Option<Tags>,
    /// The first message.
    pub initial_message: Option<NewMessage>,
}

/// Result of a request to create a session.
#[derive(Debug)]
pub enum CreatedSession {
    /// The session is stored.
    Created(Written<SessionWithMessages>),
    /// A session with this id existed before, and the caller may read it.
    Existing(SessionWithMessages),
}

impl SessionService<'_> {
    /// Creates a session. With `if_exists`, a session that has the id already is returned, with as many of its latest
    /// messages.
    ///
    /// # Errors
    /// If the caller may not write to the volume, the `Idempotency-Key` belongs to a different request or to a session
    /// that was deleted, or another session has the id. Whether the caller may read that session makes no difference.
    pub async fn create(
        &self,
        new: CreateSession,
        if_exists: Option<usize>,
        idempotency: Option<&Idempotency>,
    ) -> Result<CreatedSession> {
        let volume = new.volume.resolve(&self.context.caller);
        self.context.caller.may_write(&volume)?;
        let session = NewSession {
            id: new.id,
            title_source: new.title_source,
            status: new.status.unwrap_or(Status::Active),
            metadata: new.metadata.unwrap_or_default(),
            pinned: new.pinned.unwrap_or_default(),
            archived: new.archived.unwrap_or_default(),
            tags: new.tags.unwrap_or_default(),
            ..NewSession::new(new.name, volume)
        };
        let created =
            self.store
                .create_session(self.context, session, new.initial_message, idempotency);
        match created.await? {
            Created::Done(session) => Ok(CreatedSession::Created(Written::now(session))),
            Created::Replayed(session) => Ok(CreatedSession::Created(Written::replayed(session))),
            Created::Exists(id) => self.existing(&id, if_exists).await,
            Created::Deleted => Err(Error::Conflict(Conflict::CreatedSessionDeleted)),
            Created::IdempotencyMismatch => Err(Error::IdempotencyMismatch),
        }
    }

    /// Returns the session that has the id of a new one, if the caller asked for it and may read it.
    async fn existing(&self, id: &SessionId, messages: Option<usize>) -> Result<CreatedSession> {
        if let Some(limit) = messages {
            let found = self.store.find_session(self.context, id, limit, &[]);
            if let Some(FoundSession::Found(session)) = found.await? {
                return Ok(CreatedSession::Existing(session));
            }
        }
        Err(Error::Conflict(Conflict::SessionExists))
    }
}
