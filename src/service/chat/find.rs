//! Finds a turn and a message of a session, for the steps of chat.

use super::ChatService;
use crate::domain::chat::turn::{Turn, TurnId};
use crate::domain::message::{Message, MessageId};
use crate::domain::session::SessionId;
use crate::service::error::{Error, Resource, Result};
use crate::store::{MessagesById, TurnState};

impl ChatService<'_> {
    /// Finds a turn, if it is still the current or last one of its session. The access must have been checked.
    pub(super) async fn find_turn(
        &self,
        session: &SessionId,
        turn: &TurnId,
    ) -> Result<Option<Turn>> {
        let found = self.deps.store.find_turn(self.context, session).await?;
        Ok(match found {
            Some(TurnState::Turn(found)) if found.id == *turn => Some(*found),
            _ => None,
        })
    }

    /// Finds a message, also a deleted one.
    ///
    /// # Errors
    /// If the session is missing or the caller may not read it.
    pub(super) async fn find_message(
        &self,
        session: &SessionId,
        id: &MessageId,
    ) -> Result<Option<Message>> {
        let store = &self.deps.store;
        let found = store
            .find_messages_by_id(self.context, session, &[id])
            .await?;
        let found = found.map(MessagesById::into_first);
        found.ok_or(Error::NotFound(Resource::Session))
    }
}
