//! Reads of sessions while a model answers: the history ends with the message that is answered.

use super::SessionService;
use crate::domain::chat::turn::{ActiveTurn, Turn};
use crate::domain::message::{Branch, MessageRange, MessageSelection};
use crate::domain::session::{SessionId, SessionWithMessages};
use crate::service::chat::salvage::{clear_turn, end_dead_turn};
use crate::service::error::Result;
use crate::store::TurnState;

impl SessionService<'_> {
    /// Returns a session that was read with an active turn, with the messages of `selection` up to the one that is
    /// answered. A turn that has lost its producer is ended first.
    pub(super) async fn with_active_turn(
        &self,
        id: &SessionId,
        selection: &MessageSelection,
        found: SessionWithMessages,
    ) -> Result<SessionWithMessages> {
        let Some(active) = found.current.session.active_turn.clone() else {
            return Ok(found);
        };
        let turn = match self.store.find_turn(self.context, id).await? {
            Some(TurnState::Turn(turn)) if turn.id == active.id => turn,
            _ => {
                clear_turn(self.store, id, &active).await?;
                return self.reread(id, selection, found).await;
            }
        };
        if end_dead_turn(self.store, id, &turn).await? || !turn.status.is_active() {
            return self.reread(id, selection, found).await;
        }
        let mut found = found;
        if selection.branch == Branch::Active && !ends_with(&found, &active) {
            let until = until(selection, &active);
            found = self.reread(id, &until, found).await?;
        }
        set_status(&mut found, &turn);
        Ok(found)
    }

    /// Reads the session again; returns `found` if it is not there any more.
    async fn reread(
        &self,
        id: &SessionId,
        selection: &MessageSelection,
        found: SessionWithMessages,
    ) -> Result<SessionWithMessages> {
        let again = self
            .store
            .find_messages(self.context, id, selection)
            .await?;
        Ok(again.flatten().unwrap_or(found))
    }
}

/// Returns whether the messages that were read contain none behind the one that is answered.
fn ends_with(found: &SessionWithMessages, active: &ActiveTurn) -> bool {
    let last = found.messages.last();
    last.is_some_and(|last| last.seq() == active.user_seq)
}

/// Returns the selection up to the message that is answered, on its branch.
fn until(selection: &MessageSelection, active: &ActiveTurn) -> MessageSelection {
    let end = active.user_seq + 1;
    MessageSelection {
        range: match selection.range {
            MessageRange::Latest => MessageRange::Before(end),
            MessageRange::After(after) => MessageRange::Between(after, end),
            MessageRange::Before(before) => MessageRange::Before(before.min(end)),
            MessageRange::Between(after, before) => MessageRange::Between(after, before.min(end)),
        },
        branch: Branch::Of(active.user_message_id.clone()),
        ..selection.clone()
    }
}

fn set_status(found: &mut SessionWithMessages, turn: &Turn) {
    if let Some(active) = &mut found.current.session.active_turn
        && active.id == turn.id
    {
        active.status = Some(turn.status);
    }
}
