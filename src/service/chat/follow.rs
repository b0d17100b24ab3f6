//! Follows turns of other processes: all readers of a turn in this process share one tail of its log.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::live::{LiveTurn, LiveTurns};
use super::salvage::end_dead_turn;
use crate::domain::chat::turn::TurnId;
use crate::domain::session::SessionId;
use crate::store::{Entry, EntryKind, Result, Store};

/// The time without entries after which the life of the producer is checked.
const CHECK: Duration = Duration::from_secs(5);
/// How often a tail looks whether it still has readers.
const READERS_CHECK: Duration = Duration::from_secs(1);
/// The shortest and the longest pause between two reads, where the log must be polled.
const MIN_POLL: Duration = Duration::from_millis(120);
const MAX_POLL: Duration = Duration::from_millis(400);

/// The store, and the turns that this process produces or follows.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    store: Arc<Store>,
    turns: Arc<LiveTurns>,
}

impl Follower {
    pub(super) fn new(store: Arc<Store>, turns: Arc<LiveTurns>) -> Self {
        Self { store, turns }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns a turn that this process produces or follows already.
    pub(super) fn live(&self, turn: &TurnId) -> Option<Arc<LiveTurn>> {
        self.turns.get(turn)
    }

    /// Returns a turn whose entries from `next` on are published in this process from now on.
    pub(super) fn follow(&self, session: &SessionId, turn: &TurnId, next: u64) -> Arc<LiveTurn> {
        let (live, is_new) = self.turns.get_or_insert(turn, next);
        if is_new {
            let tail = Tail {
                store: self.store.clone(),
                session: session.clone(),
                turn: turn.clone(),
                live: Arc::downgrade(&live),
            };
            tokio::spawn(tail.run());
        }
        live
    }
}

/// Publishes the entries of one turn of another process while it has readers.
struct Tail {
    store: Arc<Store>,
    session: SessionId,
    turn: TurnId,
    live: Weak<LiveTurn>,
}

impl Tail {
    async fn run(self) {
        if self.publish_all().await.is_err()
            && let Some(live) = self.live.upgrade()
        {
            // Each reader then reads by itself, and reports the failure.
            live.detach();
        }
    }

    async fn publish_all(&self) -> Result<()> {
        while let Some(after) = self.last() {
            let subscription = self
                .store
                .subscribe_to_log(&self.session, &self.turn, after)?;
            match subscription {
                Some(entries) => self.receive(entries).await?,
                None => self.poll().await?,
            }
        }
        Ok(())
    }

    /// Returns the number of the last entry; `None` without readers, or after the end.
    fn last(&self) -> Option<u64> {
        let live = self.live.upgrade()?;
        (!live.is_detached()).then(|| live.last())
    }

    /// Publishes the entries of a subscription until it ends.
    async fn receive(&self, mut entries: mpsc::UnboundedReceiver<Vec<Entry>>) -> Result<()> {
        let mut latest = Instant::now();
        while self.last().is_some() {
            match timeout(READERS_CHECK, entries.recv()).await {
                Ok(Some(entries)) => {
                    latest = Instant::now();
                    self.publish(entries);
                }
                Ok(None) => {
                    self.read().await?;
                    return Ok(());
                }
                Err(_) if latest.elapsed() >= CHECK => {
                    latest = Instant::now();
                    self.read().await?;
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Publishes entries that are read again and again, until there are no readers any more.
    async fn poll(&self) -> Result<()> {
        let mut pause = MIN_POLL;
        while self.last().is_some() {
            pause = match self.read().await? {
                true => MIN_POLL,
                false => (pause * 3 / 2).min(MAX_POLL),
            };
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// Reads entries from Redis; returns whether there were any. Ends a turn that has lost its producer.
    async fn read(&self) -> Result<bool> {
        let Some(after) = self.last() else {
            return Ok(false);
        };
        let page = self
            .store
            .read_log(&self.session, &self.turn, after)
            .await?;
        if !page.entries.is_empty() {
            self.publish(page.entries);
            return Ok(true);
        }
        match page.turn.filter(|turn| turn.id == self.turn) {
            Some(turn) if turn.status.is_active() => {
                end_dead_turn(&self.store, &self.session, &turn).await?;
            }
            // The log is lost, or its end was stored after it was read: each reader looks by itself.
            _ => {
                if let Some(live) = self.live.upgrade() {
                    live.detach();
                }
            }
        }
        Ok(false)
    }

    fn publish(&self, entries: Vec<Entry>) {
        if let Some(live) = self.live.upgrade() {
            for entry in entries {
                let is_end = matches!(entry.kind, EntryKind::End(_));
                live.publish(entry);
                if is_end {
                    return;
                }
            }
        }
    }
}
