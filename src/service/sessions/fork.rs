//! Forks: a new session with the messages of a branch up to one of them.

use super::{NO_MESSAGE, NOT_FOUND, SessionService};
use crate::domain::message::{Branch, Members, Message, MessageId, MessageRange, MessageSelection};
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::session::{ForkedFrom, NewSession, Session, SessionAndVersion, SessionId};
use crate::domain::volume::{Volume, VolumeId};
use crate::service::error::{Conflict, Error, Resource, Result};
use crate::service::volume::VolumeSelection;
use crate::service::written::Written;
use crate::store::{Created, Idempotency};

/// The maximum number of messages of a fork.
const MAX_FORK_MESSAGES: usize = 10_000;
/// The maximum size of the messages of a fork, in bytes.
const MAX_FORK_BYTES: usize = 16 * 1024 * 1024;
/// The number of messages that are read at once.
const MESSAGES_PER_READ: usize = 2000;
/// The maximum number of times that the messages are read because they change meanwhile.
const MAX_ATTEMPTS: usize = 5;

/// What to fork.
#[derive(Debug)]
pub struct Fork {
    /// The last message; without it, that of the active branch.
    pub message_id: Option<MessageId>,
    /// The name; without it, that of the session.
    pub name: Option<Name>,
    /// The volume; without it, that of the session.
    pub volume: Option<VolumeSelection>,
}

impl SessionService<'_> {
    /// Creates a session with the messages of a branch, without deleted ones. It is there whole or not at all.
    ///
    /// Takes a round trip for each 2,000 messages or 4 MB, and one that stores the session.
    ///
    /// # Errors
    /// If the session or the message is missing, the caller may not write to the volume, or there are more than
    /// 10,000 messages or 16 MB.
    pub async fn fork(
        &self,
        id: &SessionId,
        fork: &Fork,
        idempotency: Option<&Idempotency>,
    ) -> Result<Written<SessionAndVersion>> {
        for _ in 0..MAX_ATTEMPTS {
            let branch = self.read_branch(id, fork.message_id.as_ref()).await?;
            let Some((source, messages)) = branch else {
                continue;
            };
            let last = messages.last().map(|message| message.id().into_owned());
            let session = self.forked(fork, source, last)?;
            let messages = in_order(&messages);
            let created = self
                .store
                .create_session(self.context, session, messages, idempotency);
            return match created.await? {
                Created::Done(session) => Ok(Written::now(session.current)),
                Created::Replayed(session) => Ok(Written::replayed(session.current)),
                Created::Exists(_) => Err(Error::Conflict(Conflict::SessionExists)),
                Created::Deleted => Err(Error::Conflict(Conflict::CreatedSessionDeleted)),
                Created::IdempotencyMismatch => Err(Error::IdempotencyMismatch),
            };
        }
        Err(Error::Conflict(Conflict::Contended {
            resource: Resource::Session,
            id: id.to_string(),
        }))
    }

    /// Reads a whole branch; `None` if the session changed meanwhile.
    async fn read_branch(
        &self,
        id: &SessionId,
        last: Option<&MessageId>,
    ) -> Result<Option<(Session, Vec<Message>)>> {
        let mut selection = MessageSelection {
            range: MessageRange::After(0),
            limit: MESSAGES_PER_READ,
            branch: last.map_or(Branch::Active, |id| Branch::Of(id.clone())),
            with_deleted: false,
        };
        let (mut messages, mut bytes, mut version) = (Vec::new(), 0, None);
        loop {
            let found = self.store.find_messages(self.context, id, &selection);
            let found = found.await?.ok_or(NOT_FOUND)?.ok_or(NO_MESSAGE)?;
            let current = found.current;
            if *version.get_or_insert_with(|| current.version.clone()) != current.version {
                return Ok(None);
            }
            bytes += found.messages.iter().map(Message::size).sum::<usize>();
            messages.extend(found.messages);
            if messages.len() > MAX_FORK_MESSAGES || bytes > MAX_FORK_BYTES {
                return Err(Error::field(
                    "message_id",
                    "must be a message with at most 10,000 messages or 16 MB up to it",
                ));
            }
            if !found.has_more {
                return Ok(Some((current.session, messages)));
            }
            selection.range = MessageRange::After(messages.last().map_or(0, Message::seq));
        }
    }

    /// Returns the session to create.
    fn forked(&self, fork: &Fork, source: Session, last: Option<String>) -> Result<NewSession> {
        let volume = match &fork.volume {
            Some(selection) => selection.clone().resolve(&self.context.caller),
            None => volume_of(&source)?,
        };
        self.context.caller.may_write(&volume)?;
        let name = fork.name.clone();
        let name = name.or_else(|| Name::try_from(source.name).ok());
        Ok(NewSession {
            metadata: Metadata::from_stored(source.metadata),
            tags: source.tags,
            forked_from: Some(ForkedFrom {
                session_id: source.id.to_string(),
                message_id: last,
            }),
            ..NewSession::new(name, volume)
        })
    }
}

/// Returns the volume of a session. The Python version stored its id unchecked.
fn volume_of(session: &Session) -> Result<Volume> {
    let id = VolumeId::try_from(session.volume_id.clone());
    let id = id.map_err(|_| {
        Error::field(
            "volume",
            "must be given, because the id of the session's volume is not valid",
        )
    })?;
    Ok(Volume::new(session.volume, id))
}

/// Returns messages with the places of a new session, where each one's parent is the one before.
fn in_order(messages: &[Message]) -> Vec<Message> {
    let mut placed: Vec<Message> = Vec::with_capacity(messages.len());
    for (seq, message) in (1..).zip(messages) {
        let before = placed.last().map(|message| message.id().into_owned());
        let text = match Members::parse_owned(message.text()) {
            Some(mut members) => {
                members.parent_id = None;
                members.to_text(&message.id())
            }
            // A message that cannot be parsed is copied as it is.
            None => message.text().to_owned(),
        };
        placed.push(Message::from_stored(text.into_bytes(), seq).with_parent(before));
    }
    placed
}
