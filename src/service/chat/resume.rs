//! Reads the answer of a turn again, from its beginning or behind an entry that the client has.

use serde_json::value::RawValue;

use super::salvage::end_dead_turn;
use super::{ChatService, Reader};
use crate::domain::chat::chunk::Chunk;
use crate::domain::chat::chunks_of_parts;
use crate::domain::chat::turn::{Operation, Turn, TurnId};
use crate::domain::message::Members;
use crate::domain::session::SessionId;
use crate::service::error::Result;
use crate::store::TurnState;
use crate::util::json;

/// A reader of a turn, and what comes before its first entry.
#[derive(Debug)]
pub struct Resumed {
    /// The reader.
    pub reader: Reader,
    /// The chunks of the parts that a continued message had, which follow its `start`.
    pub replay: Vec<Chunk>,
}

impl ChatService<'_> {
    /// Returns a reader of the entries after `after` of a turn, of the active one without `turn`; `None` if there is
    /// nothing to read.
    ///
    /// # Errors
    /// If Redis fails.
    pub async fn resume(
        &self,
        session: &SessionId,
        turn: Option<&TurnId>,
        after: u64,
    ) -> Result<Option<Resumed>> {
        let store = &self.deps.store;
        let current = match store.find_turn(self.context, session).await? {
            None | Some(TurnState::ReadOnly) => return Ok(None),
            Some(TurnState::None) => None,
            Some(TurnState::Turn(current)) => {
                end_dead_turn(store, session, &current).await?;
                Some(*current)
            }
        };
        let current = current.filter(|current| turn.is_none_or(|turn| *turn == current.id));
        let id = match (&current, turn) {
            (Some(current), None) if !current.status.is_active() => return Ok(None),
            (Some(current), _) => current.id.clone(),
            (None, Some(turn)) => turn.clone(),
            (None, None) => return Ok(None),
        };
        // A cursor behind the end would make the reader wait for entries that never come.
        let last = current
            .as_ref()
            .map_or(u64::from(u32::MAX), |turn| turn.last_entry);
        let after = after.min(last);
        let is_active = current
            .as_ref()
            .is_some_and(|current| current.status.is_active());
        if !is_active
            && store
                .read_log(session, &id, after)
                .await?
                .entries
                .is_empty()
        {
            return Ok(None);
        }
        let replay = match &current {
            Some(turn) if turn.operation == Operation::Continue && after == 0 => {
                self.replay(session, turn).await?
            }
            _ => Vec::new(),
        };
        Ok(Some(Resumed {
            reader: self.reader(session, &id, after),
            replay,
        }))
    }

    /// Returns the chunks of the parts that a message had when it was continued.
    async fn replay(&self, session: &SessionId, turn: &Turn) -> Result<Vec<Chunk>> {
        let message = self.find_message(session, &turn.message_id).await?;
        let members = message.and_then(|message| Members::parse_owned(message.text()));
        let Some(parts) = members.and_then(|members| members.parts) else {
            return Ok(Vec::new());
        };
        let mut parts: Vec<&RawValue> = serde_json::from_str(parts.get()).unwrap_or_default();
        parts.truncate(turn.base);
        Ok(chunks_of_parts(&json::raw(&parts)))
    }
}
