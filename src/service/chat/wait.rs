//! Waits for a whole answer.

use super::budget::{EXHAUSTED, exhausted_for_today};
use super::{Asked, ChatService, Read};
use crate::domain::chat::turn::{TurnId, TurnStatus};
use crate::domain::message::{Message, MessageId};
use crate::domain::session::SessionId;
use crate::provider::error::ErrorKind;
use crate::service::error::{ChatError, Error, Result};
use crate::store::EntryKind;

impl ChatService<'_> {
    /// Waits until a turn has ended, and returns its answer.
    ///
    /// # Errors
    /// If the model failed, or the turn ended without an answer.
    pub async fn wait(&self, session: &SessionId, asked: &mut Asked) -> Result<Message> {
        let mut status = None;
        while let Some(read) = asked.reader.next().await? {
            match read {
                Read::Entry(entry) => {
                    if let EntryKind::End(end) = entry.kind {
                        status = Some(end);
                    }
                }
                Read::KeepAlive => {}
                Read::Lost => break,
            }
        }
        let (message_id, error) = self.ended(session, &asked.turn).await?;
        if matches!(status, Some(TurnStatus::Failed | TurnStatus::Abandoned)) {
            if error.as_deref() == Some(EXHAUSTED) {
                return Err(Error::Chat(exhausted_for_today()));
            }
            let kind = error.as_deref().and_then(ErrorKind::parse);
            return Err(Error::Chat(
                kind.map_or(ChatError::NoAnswer, ChatError::Model),
            ));
        }
        // Without its log, an answer may still be stored.
        let id = asked.message_id.clone().or(message_id);
        let id = id.ok_or(Error::Chat(ChatError::NoAnswer))?;
        let message = self.find_message(session, &id).await?;
        message.ok_or(Error::Chat(ChatError::NoAnswer))
    }

    /// Returns the id of the answer and the code of the failure of a turn that has ended.
    async fn ended(
        &self,
        session: &SessionId,
        turn: &TurnId,
    ) -> Result<(Option<MessageId>, Option<String>)> {
        let found = self.find_turn(session, turn).await?;
        Ok(found.map_or((None, None), |found| (Some(found.message_id), found.error)))
    }
}
