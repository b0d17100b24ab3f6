//! Readers of a turn: they read the log entry by entry, from memory where this process produces or follows the turn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::follow::Follower;
use super::live::{LiveTurn, Next};
use super::salvage::end_dead_turn;
use super::stored_answer::read_stored_answer;
use crate::domain::chat::turn::TurnId;
use crate::domain::message::MessageId;
use crate::domain::session::SessionId;
use crate::store::{Entry, EntryKind, Error, Result};

/// The time after which a reader without a new entry shows that the connection is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// The time that Redis may fail before a reader gives up.
const MAX_OUTAGE: Duration = Duration::from_secs(10);
/// The pause after a failed read.
const OUTAGE_PAUSE: Duration = Duration::from_millis(250);

/// What a reader got.
#[derive(Clone, Debug)]
pub enum Read {
    /// The next entry.
    Entry(Arc<Entry>),
    /// Nothing yet; the turn goes on.
    KeepAlive,
    /// The log is not there any more.
    Lost,
}

/// A reader of one turn.
#[derive(Debug)]
pub struct Reader {
    follower: Follower,
    session: SessionId,
    turn: TurnId,
    /// The answer, which is read from the messages if the log has expired.
    answer: Option<MessageId>,
    /// The number of the last entry that was read.
    after: u64,
    ready: VecDeque<Arc<Entry>>,
    live: Option<Arc<LiveTurn>>,
    has_ended: bool,
}

impl Reader {
    /// Returns a reader of the entries after `after`. The access to the session must have been checked.
    pub(super) fn new(follower: Follower, session: SessionId, turn: TurnId, after: u64) -> Self {
        let live = follower.live(&turn);
        Self {
            follower,
            session,
            turn,
            answer: None,
            after,
            ready: VecDeque::new(),
            live,
            has_ended: false,
        }
    }

    /// Returns the reader, which reads the stored answer if the log has expired before its first entry was read.
    pub(super) fn or_answer(self, answer: Option<MessageId>) -> Self {
        Self { answer, ..self }
    }

    /// Returns the turn.
    pub fn turn(&self) -> &TurnId {
        &self.turn
    }

    /// Returns what comes next; `None` after the last entry.
    ///
    /// # Errors
    /// If Redis fails for longer than 10 s.
    pub async fn next(&mut self) -> Result<Option<Read>> {
        let keep_alive = Instant::now() + KEEP_ALIVE;
        let mut failing_since = None;
        loop {
            if let Some(entry) = self.ready.pop_front() {
                self.after = entry.number;
                self.has_ended = matches!(entry.kind, EntryKind::End(_));
                return Ok(Some(Read::Entry(entry)));
            }
            if self.has_ended {
                return Ok(None);
            }
            match self.more(keep_alive).await {
                Ok(Some(read)) => {
                    self.has_ended = matches!(read, Read::Lost);
                    return Ok(Some(read));
                }
                Ok(None) => failing_since = None,
                Err(error) => {
                    let since = *failing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > MAX_OUTAGE || !matches!(error, Error::Unavailable(_)) {
                        return Err(error);
                    }
                    tokio::time::sleep(OUTAGE_PAUSE).await;
                }
            }
        }
    }

    /// Makes more entries ready, or waits for them.
    async fn more(&mut self, keep_alive: Instant) -> Result<Option<Read>> {
        let Some(live) = self.live.clone() else {
            return self.read_log().await;
        };
        let mut changed = live.subscribe();
        match live.next(self.after) {
            Next::Entries(entries) => self.ready.extend(entries),
            Next::InRedis => return self.read_log().await,
            Next::Detached => {
                self.live = None;
                return self.read_log().await;
            }
            Next::Wait => {
                // An error means that the sender is gone, which `live` prevents.
                if timeout_at(keep_alive, changed.changed()).await.is_err() {
                    return Ok(Some(Read::KeepAlive));
                }
            }
        }
        Ok(None)
    }

    /// Reads entries from Redis. Without any, the turn is followed from then on, ended if it is dead, or lost.
    async fn read_log(&mut self) -> Result<Option<Read>> {
        let store = self.follower.store();
        let page = store
            .read_log(&self.session, &self.turn, self.after)
            .await?;
        if !page.entries.is_empty() {
            self.ready.extend(page.entries.into_iter().map(Arc::new));
            return Ok(None);
        }
        let Some(turn) = page.turn.filter(|turn| turn.id == self.turn) else {
            return self.read_answer().await;
        };
        if end_dead_turn(store, &self.session, &turn).await? {
            return Ok(None);
        }
        // An end that is stored is in the log; a turn that ended without one has lost its log.
        if !turn.status.is_active() || turn.last_entry > self.after {
            let again = store
                .read_log(&self.session, &self.turn, self.after)
                .await?;
            if again.entries.is_empty() {
                return self.read_answer().await;
            }
            self.ready.extend(again.entries.into_iter().map(Arc::new));
            return Ok(None);
        }
        self.live = Some(self.follower.follow(
            &self.session,
            &self.turn,
            turn.last_entry.saturating_add(1),
        ));
        Ok(None)
    }

    /// Reads the stored answer in place of a log that is not there any more.
    async fn read_answer(&mut self) -> Result<Option<Read>> {
        let Some(id) = self.answer.take().filter(|_| self.after == 0) else {
            return Ok(Some(Read::Lost));
        };
        let store = self.follower.store();
        let Some(entry) = read_stored_answer(store, &self.session, &id).await? else {
            return Ok(Some(Read::Lost));
        };
        self.ready.push_back(Arc::new(entry));
        Ok(None)
    }
}
