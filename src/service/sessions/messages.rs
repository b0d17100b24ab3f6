//! Reads pages of messages, deletes messages, and changes the active branch.

use super::{NO_MESSAGE, NOT_FOUND, SessionService};
use crate::domain::message::{MessageId, MessageSelection};
use crate::domain::session::{SessionAndVersion, SessionId, SessionWithMessages};
use crate::service::error::{Current, Error, Result};
use crate::service::fallback::MaybeSample;
use crate::service::samples;
use crate::store::{self, DeleteTarget, DeletedMessages, Switched};

impl SessionService<'_> {
    /// Reads a session and selected messages.
    ///
    /// # Errors
    /// If the session is missing or the caller may not read it, or the message of the selected branch is missing.
    pub async fn messages(
        &self,
        id: &SessionId,
        selection: &MessageSelection,
    ) -> Result<MaybeSample<SessionWithMessages>> {
        match self.store.find_messages(self.context, id, selection).await {
            Ok(Some(Some(session))) => {
                let session = self.with_active_turn(id, selection, session).await?;
                Ok(MaybeSample::stored(session))
            }
            Ok(Some(None)) => Err(NO_MESSAGE),
            Ok(None) => Err(NOT_FOUND),
            Err(error) => self.sample(error, id, selection),
        }
    }

    pub(super) fn sample(
        &self,
        error: store::Error,
        id: &SessionId,
        selection: &MessageSelection,
    ) -> Result<MaybeSample<SessionWithMessages>> {
        let caller = &self.context.caller;
        let sample = samples::sessions::find_session(caller, id, selection);
        self.samples.sample_or(error.into(), sample, NOT_FOUND)
    }

    /// Deletes the messages behind a `seq`, on the active branch or on `every` one; with `expected`, only if the session
    /// has one of these versions. Returns their number, and the session.
    ///
    /// # Errors
    /// If the session is missing or the caller may not change it.
    pub async fn delete_after(
        &self,
        id: &SessionId,
        after: u64,
        every: bool,
        expected: Option<&[String]>,
    ) -> Result<(u64, SessionAndVersion)> {
        let target = DeleteTarget::After(after, every);
        let deleted = self.delete_target(id, target, expected).await?;
        deleted.ok_or(NO_MESSAGE)
    }

    /// Deletes messages; `None` if the one to delete was changed meanwhile.
    pub(super) async fn delete_target(
        &self,
        id: &SessionId,
        target: DeleteTarget<'_>,
        expected: Option<&[String]>,
    ) -> Result<Option<(u64, SessionAndVersion)>> {
        let deleted = self
            .store
            .delete_messages(self.context, id, target, expected);
        match deleted.await?.ok_or(NOT_FOUND)? {
            DeletedMessages::Stale(current) => Err(Error::stale(Current::Session(current))),
            DeletedMessages::Done(count, session) => Ok(Some((count, *session))),
            DeletedMessages::NoMessage => Err(NO_MESSAGE),
            DeletedMessages::Changed => Ok(None),
            DeletedMessages::ReadOnly => Err(Error::ReadOnly),
        }
    }

    /// Makes the branch of a message the active one, up to its newest message; with `expected`, only if the session has one
    /// of these versions.
    ///
    /// # Errors
    /// If the session or the message is missing, or the caller may not change the session.
    pub async fn switch_branch(
        &self,
        id: &SessionId,
        message: &MessageId,
        expected: Option<&[String]>,
    ) -> Result<SessionAndVersion> {
        let switched = self
            .store
            .switch_branch(self.context, id, message, expected);
        match switched.await?.ok_or(NOT_FOUND)? {
            Switched::Stale(current) => Err(Error::stale(Current::Session(current))),
            Switched::Done(session) => Ok(*session),
            Switched::NoMessage => Err(NO_MESSAGE),
            Switched::ReadOnly => Err(Error::ReadOnly),
        }
    }
}
