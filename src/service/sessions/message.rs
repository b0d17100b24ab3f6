//! One message of a session: it is read, put, changed and deleted by its id.

use super::append::{check_messages, rejection};
use super::{NO_MESSAGE, NOT_FOUND, SessionService};
use crate::domain::message::{
    Members, Message, MessageId, MessagePatch, NewMessage, Parent, has_same_content, touch,
};
use crate::domain::session::{SessionAndVersion, SessionId};
use crate::service::error::{Conflict, Current, Error, Resource, Result};
use crate::store::{Append, Appended, DeleteTarget, Rejected, Replacement};
use crate::util::hash::sha1;
use crate::util::time::now;

/// The maximum number of attempts of a change. Each failed attempt means that another change was stored.
const MAX_ATTEMPTS: usize = 100;

/// A message and the version of its state.
#[derive(Debug)]
pub struct MessageState {
    /// The message.
    pub message: Message,
    /// The version: differs between any two states; used as the opaque part of an ETag.
    pub version: String,
    /// Whether the call created the message.
    pub is_new: bool,
}

impl MessageState {
    fn of(message: Message) -> Self {
        Self {
            version: message.version(),
            message,
            is_new: false,
        }
    }
}

/// Returns the path of a member of the only message of a request.
fn path_of(_: usize, member: &str) -> String {
    member.to_owned()
}

/// Result of replacing a message.
enum Replaced {
    Done(MessageState),
    /// Another call changed the message; this is its present state, unless it has to be read.
    Changed(Option<Message>),
}

/// Returns a message with its members.
fn with_members(message: Message) -> (Message, Members<'static>) {
    let members = Members::parse_owned(message.text()).unwrap_or_default();
    (message, members)
}

/// The condition of a request on the state of a message: `If-Match`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// The versions that the message may have; `None` for any.
    pub versions: Option<&'a [String]>,
    /// Whether the message must exist.
    pub must_exist: bool,
}

impl Expected<'_> {
    /// Checks the state of a message, which is `None` if it does not exist.
    fn check(&self, message: Option<&Message>) -> Result<()> {
        let is_met = match message {
            Some(message) => self
                .versions
                .is_none_or(|known| known.contains(&message.version())),
            None => !self.must_exist,
        };
        if is_met {
            return Ok(());
        }
        Err(Error::stale(Current::Message(message.cloned())))
    }
}

impl SessionService<'_> {
    /// Reads a message.
    ///
    /// # Errors
    /// If the session or the message is missing, or the caller may not read it.
    pub async fn message(&self, id: &SessionId, message: &MessageId) -> Result<MessageState> {
        let (found, _) = self.find(id, message).await?;
        let found = found
            .filter(|(_, members)| !members.deleted)
            .ok_or(NO_MESSAGE)?;
        Ok(MessageState::of(found.0))
    }

    /// Finds a message with its members, deleted or not, and whether the caller may change the session.
    async fn find(
        &self,
        id: &SessionId,
        message: &MessageId,
    ) -> Result<(Option<(Message, Members<'static>)>, bool)> {
        let found = self
            .store
            .find_messages_by_id(self.context, id, &[message])
            .await?
            .ok_or(NOT_FOUND)?;
        let can_write = found.can_write;
        Ok((found.into_first().map(with_members), can_write))
    }

    /// Stores a whole message under its id: it replaces the one that is there, in place, or it is appended.
    ///
    /// # Errors
    /// If the session is missing or the caller may not change it, the message is not in the expected state or deleted, or
    /// a member is not acceptable.
    pub async fn put_message(
        &self,
        id: &SessionId,
        new: &NewMessage,
        expected: Expected<'_>,
    ) -> Result<MessageState> {
        let message = new.id.as_ref().ok_or(NO_MESSAGE)?;
        check_messages(std::slice::from_ref(new), path_of)?;
        let (mut found, can_write) = self.find(id, message).await?;
        if !can_write {
            return Err(Error::ReadOnly);
        }
        for _ in 0..MAX_ATTEMPTS {
            let replaced = match &found {
                Some((_, members)) if members.deleted => {
                    expected.check(None)?;
                    return Err(Error::Conflict(Conflict::MessageDeleted(
                        message.to_string(),
                    )));
                }
                Some((stored, members)) => {
                    expected.check(Some(stored))?;
                    check_parent(new, stored)?;
                    let changed = new.replacing(members, now());
                    self.replace(id, stored, members, changed).await?
                }
                None => {
                    expected.check(None)?;
                    let appended = self.append_new(id, new).await?;
                    appended.map_or(Replaced::Changed(None), Replaced::Done)
                }
            };
            match replaced {
                Replaced::Done(done) => return Ok(done),
                Replaced::Changed(Some(present)) => found = Some(with_members(present)),
                Replaced::Changed(None) => found = self.find(id, message).await?.0,
            }
        }
        Err(contended(message))
    }

    /// Changes members of a message in place.
    ///
    /// # Errors
    /// If the session or the message is missing, the caller may not change it, it is not in the expected state, or a
    /// member is not acceptable.
    pub async fn change_message(
        &self,
        id: &SessionId,
        message: &MessageId,
        patch: &MessagePatch,
        expected: Expected<'_>,
    ) -> Result<MessageState> {
        let (mut found, can_write) = self.find(id, message).await?;
        for _ in 0..MAX_ATTEMPTS {
            let (stored, members) = found
                .filter(|(_, members)| !members.deleted)
                .ok_or(NO_MESSAGE)?;
            if !can_write {
                return Err(Error::ReadOnly);
            }
            expected.check(Some(&stored))?;
            let changed = patch.applied_to(&members);
            let changed = changed.map_err(|(member, rule)| Error::field(member, rule))?;
            match self.replace(id, &stored, &members, changed).await? {
                Replaced::Done(done) => return Ok(done),
                Replaced::Changed(Some(present)) => found = Some(with_members(present)),
                Replaced::Changed(None) => found = self.find(id, message).await?.0,
            }
        }
        Err(contended(message))
    }

    /// Deletes a message; its place stays. Returns the session after it.
    ///
    /// # Errors
    /// If the session or the message is missing, the caller may not change it, or it is not in the expected state.
    pub async fn delete_message(
        &self,
        id: &SessionId,
        message: &MessageId,
        expected: Expected<'_>,
    ) -> Result<SessionAndVersion> {
        for _ in 0..MAX_ATTEMPTS {
            let mut sha = None;
            if expected.versions.is_some() {
                let (found, _) = self.find(id, message).await?;
                let (stored, _) = found
                    .filter(|(_, members)| !members.deleted)
                    .ok_or(NO_MESSAGE)?;
                expected.check(Some(&stored))?;
                sha = Some(sha1(stored.text()));
            }
            let target = DeleteTarget::One(message, sha.as_deref());
            if let Some((_, session)) = self.delete_target(id, target, None).await? {
                return Ok(session);
            }
        }
        Err(contended(message))
    }

    /// Appends a message; `None` if another call appended one with its id meanwhile.
    async fn append_new(&self, id: &SessionId, new: &NewMessage) -> Result<Option<MessageState>> {
        let append = Append {
            messages: std::slice::from_ref(new),
            ..Append::default()
        };
        let appended = self.store.append_messages(self.context, id, append).await?;
        match appended.ok_or(NOT_FOUND)? {
            Appended::Done(stored) | Appended::Replayed(stored) => {
                let is_new = stored.deduplicated.is_empty();
                let message = stored.messages.into_iter().next();
                Ok(message.map(|message| MessageState {
                    is_new,
                    ..MessageState::of(message)
                }))
            }
            Appended::Rejected(rejected) => match *rejected {
                Rejected::Exists(_) => Ok(None),
                other => Err(rejection(other, id, path_of)),
            },
        }
    }

    /// Replaces a message, unless another call changed it meanwhile. A message that already has the content stays.
    async fn replace(
        &self,
        id: &SessionId,
        stored: &Message,
        members: &Members<'_>,
        mut changed: Members<'static>,
    ) -> Result<Replaced> {
        if has_same_content(&changed, members) {
            return Ok(Replaced::Done(MessageState::of(stored.clone())));
        }
        touch(&mut changed, members, now());
        let text = changed.to_text(&stored.id());
        let replacement = Replacement::new(stored, text.clone());
        let append = Append {
            replacements: std::slice::from_ref(&replacement),
            ..Append::default()
        };
        let appended = self.store.append_messages(self.context, id, append).await?;
        match appended.ok_or(NOT_FOUND)? {
            Appended::Done(_) | Appended::Replayed(_) => {
                let replaced = stored.with_text(text.into_bytes());
                Ok(Replaced::Done(MessageState::of(replaced)))
            }
            Appended::Rejected(rejected) => match *rejected {
                Rejected::Changed(text) => {
                    let present = stored.with_text(text);
                    let is_same = !present.text().is_empty() && present.id() == stored.id();
                    Ok(Replaced::Changed(is_same.then_some(present)))
                }
                other => Err(rejection(other, id, path_of)),
            },
        }
    }
}

/// Checks that a message that is put does not name another parent than the one it has.
fn check_parent(new: &NewMessage, stored: &Message) -> Result<()> {
    let is_same = match &new.parent_id {
        Parent::Newest => true,
        Parent::Root => stored.parent_id().is_none(),
        Parent::Message(id) => stored
            .parent_id()
            .is_some_and(|parent| parent == id.as_str()),
    };
    if is_same {
        return Ok(());
    }
    Err(Error::field(
        "parent_id",
        "must be the parent that the message has; a stored message keeps its place",
    ))
}

fn contended(message: &MessageId) -> Error {
    Error::Conflict(Conflict::Contended {
        resource: Resource::Message,
        id: message.to_string(),
    })
}
