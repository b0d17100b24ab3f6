//! Turns that this process produces or follows: the latest entries of their logs, in memory.
//!
//! An entry is published here only after Redis has stored it, under the same number, so a reader may change between this
//! memory and Redis at any entry.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, watch};

use crate::domain::chat::turn::TurnId;
use crate::store::{Entry, EntryKind};

/// The maximum size of the entries of one turn that are kept in memory. Readers that are further behind read from Redis.
const MAX_KEPT_BYTES: usize = 256 * 1024;

/// The live turns of a process.
#[derive(Debug, Default)]
pub struct LiveTurns(Mutex<HashMap<TurnId, Weak<LiveTurn>>>);

impl LiveTurns {
    /// Returns the live turn; with `true` if it is new, and the caller must publish its entries.
    pub(super) fn get_or_insert(&self, id: &TurnId, next: u64) -> (Arc<LiveTurn>, bool) {
        let mut turns = lock(&self.0);
        if let Some(live) = turns.get(id).and_then(Weak::upgrade)
            && !live.is_detached()
        {
            return (live, false);
        }
        let live = Arc::new(LiveTurn::new(next));
        turns.retain(|_, live| live.strong_count() > 0);
        turns.insert(id.clone(), Arc::downgrade(&live));
        (live, true)
    }

    /// Returns the live turn, if there is one.
    pub(super) fn get(&self, id: &TurnId) -> Option<Arc<LiveTurn>> {
        lock(&self.0).get(id).and_then(Weak::upgrade)
    }
}

/// The latest entries of a turn.
#[derive(Debug)]
pub(super) struct LiveTurn {
    kept: Mutex<Kept>,
    changed: watch::Sender<()>,
    /// Tells the producer in this process that a person asked to stop.
    pub(super) stop: Notify,
}

#[derive(Debug)]
struct Kept {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// The number of the next entry.
    next: u64,
    /// Whether the turn gets no further entries here.
    is_detached: bool,
}

/// What a reader does next.
#[derive(Debug)]
pub(super) enum Next {
    /// These entries follow.
    Entries(Vec<Arc<Entry>>),
    /// The entries that follow are not in memory any more.
    InRedis,
    /// There is nothing yet.
    Wait,
    /// There is nothing, and no further entries come here.
    Detached,
}

impl LiveTurn {
    fn new(next: u64) -> Self {
        let kept = Kept {
            entries: VecDeque::new(),
            bytes: 0,
            next,
            is_detached: false,
        };
        Self {
            kept: Mutex::new(kept),
            changed: watch::Sender::default(),
            stop: Notify::new(),
        }
    }

    /// Returns a receiver that sees each change after this call.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Publishes the next entry. One that is published already is ignored.
    pub(super) fn publish(&self, entry: Entry) {
        let mut kept = lock(&self.kept);
        if entry.number < kept.next {
            return;
        }
        if entry.number > kept.next {
            // Entries between them are in Redis only.
            kept.entries.clear();
            kept.bytes = 0;
        }
        kept.next = entry.number + 1;
        kept.is_detached |= matches!(entry.kind, EntryKind::End(_));
        kept.bytes += entry.chunks.len();
        kept.entries.push_back(Arc::new(entry));
        while kept.bytes > MAX_KEPT_BYTES && kept.entries.len() > 1 {
            let dropped = kept.entries.pop_front();
            kept.bytes -= dropped.map_or(0, |entry| entry.chunks.len());
        }
        drop(kept);
        self.changed.send_replace(());
    }

    /// Records that the turn gets no further entries here.
    pub(super) fn detach(&self) {
        lock(&self.kept).is_detached = true;
        self.changed.send_replace(());
    }

    pub(super) fn is_detached(&self) -> bool {
        lock(&self.kept).is_detached
    }

    /// Returns the number of the last published entry.
    pub(super) fn last(&self) -> u64 {
        lock(&self.kept).next - 1
    }

    /// Returns what follows the entry `after`.
    pub(super) fn next(&self, after: u64) -> Next {
        let kept = lock(&self.kept);
        if after.saturating_add(1) >= kept.next {
            return match kept.is_detached {
                true => Next::Detached,
                false => Next::Wait,
            };
        }
        match kept.entries.front() {
            Some(first) if first.number <= after + 1 => {
                let skipped = usize::try_from(after + 1 - first.number).unwrap_or(usize::MAX);
                Next::Entries(kept.entries.iter().skip(skipped).cloned().collect())
            }
            _ => Next::InRedis,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, bytes: usize) -> Entry {
        Entry {
            number,
            kind: EntryKind::Chunks,
            chunks: "x".repeat(bytes),
        }
    }

    fn numbers(next: &Next) -> Vec<u64> {
        match next {
            Next::Entries(entries) => entries.iter().map(|entry| entry.number).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn entries_follow_in_order_and_old_ones_are_in_redis_only() {
        let live = LiveTurn::new(2);
        assert!(matches!(live.next(1), Next::Wait));
        live.publish(entry(2, 1));
        live.publish(entry(2, 1));
        live.publish(entry(3, 1));
        assert_eq!(numbers(&live.next(1)), [2, 3]);
        assert_eq!(numbers(&live.next(2)), [3]);
        assert!(matches!(live.next(0), Next::InRedis));
        live.publish(entry(4, MAX_KEPT_BYTES));
        assert!(matches!(live.next(2), Next::InRedis));
        assert_eq!(numbers(&live.next(3)), [4]);
        live.publish(entry(6, 1));
        assert!(matches!(live.next(4), Next::InRedis));
        live.detach();
        assert!(matches!(live.next(6), Next::Detached));
    }

    #[test]
    fn turn_that_is_dropped_or_detached_is_replaced() {
        let turns = LiveTurns::default();
        let id = TurnId::generate();
        let (live, is_new) = turns.get_or_insert(&id, 2);
        assert!(is_new);
        assert!(!turns.get_or_insert(&id, 2).1);
        live.detach();
        assert!(turns.get_or_insert(&id, 2).1);
        drop(live);
        assert!(turns.get(&id).is_none());
    }
}
