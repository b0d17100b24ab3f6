//! Appends messages to sessions.

use std::collections::HashSet;

use super::{NOT_FOUND, SessionService};
use crate::domain::message::NewMessage;
use crate::domain::session::SessionId;
use crate::service::error::{Conflict, Current, Error, Result};
use crate::service::written::Written;
use crate::store::{Append, Appended, Idempotency, Rejected, Stored};

/// The rule for the id of a new message that would name another one by its place.
pub(super) const RESERVED_ID: &str =
    "must not be `msg_` and digits alone, which name a stored message by its seq";

impl SessionService<'_> {
    /// Appends messages to a session, all or none. With `expected`, only if the session has one of these versions.
    /// `path_of` returns the path of a message in the request, for errors.
    ///
    /// # Errors
    /// If the session is missing, the caller may not change it, or it has another version; if an id is taken or a parent
    /// is missing; or if the `Idempotency-Key` belongs to a different request.
    pub async fn append(
        &self,
        id: &SessionId,
        messages: &[NewMessage],
        expected: Option<&[String]>,
        idempotency: Option<&Idempotency>,
        path_of: fn(usize, &str) -> String,
    ) -> Result<Written<Stored>> {
        check_messages(messages, path_of)?;
        let append = Append {
            messages,
            replacements: &[],
            idempotency,
            expected,
            state: None,
        };
        let appended = self.store.append_messages(self.context, id, append).await?;
        match appended.ok_or(NOT_FOUND)? {
            Appended::Done(stored) => Ok(Written::now(stored)),
            Appended::Replayed(stored) => Ok(Written::replayed(stored)),
            Appended::Rejected(rejected) => Err(rejection(*rejected, id, path_of)),
        }
    }
}

/// Checks the rules on several members, and that no id is given twice.
pub(super) fn check_messages(
    messages: &[NewMessage],
    path_of: fn(usize, &str) -> String,
) -> Result<()> {
    for (index, message) in messages.iter().enumerate() {
        let checked = message.check();
        checked.map_err(|(member, rule)| Error::field(path_of(index, member), rule))?;
    }
    check_ids(messages, path_of)
}

/// Checks that no id is given twice.
pub(super) fn check_ids(messages: &[NewMessage], path_of: fn(usize, &str) -> String) -> Result<()> {
    let mut ids = HashSet::new();
    for (index, message) in messages.iter().enumerate() {
        if let Some(id) = &message.id
            && !ids.insert(id)
        {
            let rule = "must be another one than that of an earlier message of the request";
            return Err(Error::field(path_of(index, "id"), rule));
        }
    }
    Ok(())
}

/// Returns the error of a call that stored nothing.
pub(super) fn rejection(
    rejected: Rejected,
    id: &SessionId,
    path_of: fn(usize, &str) -> String,
) -> Error {
    match rejected {
        Rejected::Exists(message) => Error::Conflict(Conflict::MessageExists(message.to_string())),
        Rejected::Deleted(message) => {
            Error::Conflict(Conflict::MessageDeleted(message.to_string()))
        }
        Rejected::NoParent(index) => Error::field(
            path_of(index, "parent_id"),
            "must be the id of a message of the session",
        ),
        Rejected::ReservedId(index) => Error::field(path_of(index, "id"), RESERVED_ID),
        Rejected::TooLarge => Error::field(
            path_of(0, "parts"),
            "must be smaller: with the content that is made of them, the messages have more than 4.4 MB",
        ),
        Rejected::TooManyBranches => Error::Conflict(Conflict::TooManyBranches),
        Rejected::Changed(_) => Error::Conflict(Conflict::Contended {
            resource: crate::service::error::Resource::Session,
            id: id.to_string(),
        }),
        Rejected::Stale(current) => Error::stale(Current::Session(current)),
        Rejected::IdempotencyMismatch => Error::IdempotencyMismatch,
        Rejected::ReadOnly => Error::ReadOnly,
    }
}
