//! Creation of sessions.

use super::SessionService;
use super::append::{RESERVED_ID, check_messages};
use crate::domain::message::{Message, MessageId, NewMessage, Parent};
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::session::{NewSession, SessionId, SessionWithMessages, Status, TitleSource};
use crate::domain::tag::Tags;
use crate::service::error::{Conflict, Error, Result};
use crate::service::volume::VolumeSelection;
use crate::service::written::Written;
use crate::store::{Created, FoundSession, Idempotency};
use crate::util::time::now;

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
    /// The first messages, at most [`MAX_BATCH`](crate::domain::message::MAX_BATCH).
    pub messages: Vec<NewMessage>,
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
        let messages = first_messages(&new.messages)?;
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
        let created = self
            .store
            .create_session(self.context, session, messages, idempotency);
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

fn path_of(index: usize, member: &str) -> String {
    format!("messages[{index}].{member}")
}

/// Returns the messages of a new session as they are stored. Each one's parent is the one before.
fn first_messages(new: &[NewMessage]) -> Result<Vec<Message>> {
    check_messages(new, path_of)?;
    let now = now();
    let mut messages: Vec<Message> = Vec::with_capacity(new.len());
    for (index, (seq, message)) in (1..).zip(new).enumerate() {
        let before = messages.last().map(|message| message.id().into_owned());
        let is_behind = match &message.parent_id {
            Parent::Newest => true,
            Parent::Root => before.is_none(),
            Parent::Message(id) => before.as_deref() == Some(id.as_str()),
        };
        if !is_behind {
            let rule = "must be the message before; append messages of other branches later";
            return Err(Error::field(path_of(index, "parent_id"), rule));
        }
        if message.id.as_ref().is_some_and(MessageId::names_place) {
            return Err(Error::field(path_of(index, "id"), RESERVED_ID));
        }
        messages.push(message.to_stored(now).with_seq(seq).with_parent(before));
    }
    Ok(messages)
}
