//! Subscriptions to the logs of turns.

use tokio::sync::mpsc;

use super::entry::Entry;
use crate::domain::chat::turn::TurnId;
use crate::domain::session::SessionId;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::keys::KeyScheme;

impl Store {
    /// Subscribes to the entries of a log after the entry `after`. The channel closes after the last entry, and when
    /// Redis fails; the caller then reads the log and subscribes again. `None` where the caller must poll.
    ///
    /// # Errors
    /// If no storage is configured.
    pub fn subscribe_to_log(
        &self,
        id: &SessionId,
        turn: &TurnId,
        after: u64,
    ) -> Result<Option<mpsc::UnboundedReceiver<Vec<Entry>>>> {
        let scheme = self.executor()?.scheme();
        if scheme == KeyScheme::Cluster {
            return Ok(None);
        }
        let key = scheme.turn_log(id, turn);
        Ok(self.tail().and_then(|tail| tail.subscribe(key, after)))
    }
}
