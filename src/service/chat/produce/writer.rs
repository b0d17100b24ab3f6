//! Writes the chunks of a turn to its log: a task of its own, so that the model is read while Redis stores.
//!
//! Chunks that arrive within an interval are one entry. An entry is published to the readers of this process after Redis has
//! stored it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::domain::chat::chunk::Chunk;
use crate::domain::chat::coalesce;
use crate::domain::chat::turn::TurnId;
use crate::domain::session::SessionId;
use crate::service::chat::live::LiveTurn;
use crate::store::{AppendedEntry, Entry, EntryKind, Error, NewEntry, Result, Store};

/// The interval between entries at the beginning of a turn, and later.
const FIRST_INTERVAL: Duration = Duration::from_millis(40);
const INTERVAL: Duration = Duration::from_millis(120);
/// The time after which the later interval applies.
const FIRST_PHASE: Duration = Duration::from_secs(2);
/// Chunks of this size are written at once.
const FULL_BYTES: usize = 2048;
/// The maximum size of an entry.
const MAX_ENTRY_BYTES: usize = 60 * 1024;
/// The time without an entry after which the producer shows that it is alive.
const BEAT: Duration = Duration::from_secs(2);
/// The time that Redis may fail before the turn is given up.
const MAX_OUTAGE: Duration = Duration::from_secs(10);
/// The first pause after a failure; each further one is twice as long, up to the longest.
const MIN_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// What the log tells the producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// The turn goes on.
    Running,
    /// A person asked to stop.
    Stopping,
    /// The time of the turn is over.
    DeadlineOver,
    /// The turn belongs to another process, or Redis fails. Nothing can be written any more.
    Lost,
}

/// The turn whose log is written.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) store: Arc<Store>,
    pub(super) session: SessionId,
    pub(super) turn: TurnId,
    /// The secret of the producer.
    pub(super) owner: String,
    pub(super) live: Arc<LiveTurn>,
}

/// Writes chunks as they arrive.
#[derive(Debug)]
pub(super) struct LogWriter {
    log: Log,
    incoming: mpsc::UnboundedReceiver<Vec<Chunk>>,
    signal: watch::Sender<Signal>,
    pending: Vec<Chunk>,
    pending_bytes: usize,
    is_urgent: bool,
    /// The number of the next entry.
    next: u64,
    started: Instant,
    written: Instant,
    /// Whether Redis takes no more entries but the last one.
    is_over: bool,
    /// The entry that it did not take.
    unwritten: String,
}

/// What is left when a log was written.
#[derive(Debug)]
pub(super) struct Rest {
    /// The number of the next entry.
    pub(super) next: u64,
    /// Chunks that are not written yet, one per line.
    pub(super) chunks: String,
}

impl LogWriter {
    /// Returns a writer of the entries from `next` on.
    pub(super) fn new(
        log: Log,
        next: u64,
        incoming: mpsc::UnboundedReceiver<Vec<Chunk>>,
        signal: watch::Sender<Signal>,
    ) -> Self {
        let now = Instant::now();
        Self {
            log,
            incoming,
            signal,
            pending: Vec::new(),
            pending_bytes: 0,
            is_urgent: false,
            next,
            started: now,
            written: now,
            is_over: false,
            unwritten: String::new(),
        }
    }

    fn rest(&mut self) -> Rest {
        let mut lines = Vec::new();
        if !self.unwritten.is_empty() {
            lines.push(std::mem::take(&mut self.unwritten));
        }
        let pending = coalesce(std::mem::take(&mut self.pending));
        lines.extend(pending.iter().map(Chunk::to_json));
        Rest {
            next: self.next,
            chunks: lines.join("\n"),
        }
    }

    /// Writes until there are no more chunks; returns what is left, `None` if the log is lost.
    pub(super) async fn run(mut self) -> Option<Rest> {
        // One timer for all chunks: a new one for each would wake the event loop by a system call.
        let mut timer = std::pin::pin!(sleep_until(self.written + BEAT));
        loop {
            if self.is_over {
                // The chunks that follow are written with the end of the turn.
                match self.incoming.recv().await {
                    Some(chunks) => self.add(chunks),
                    None => return Some(self.rest()),
                }
                continue;
            }
            let interval = match self.started.elapsed() < FIRST_PHASE {
                true => FIRST_INTERVAL,
                false => INTERVAL,
            };
            let is_pending = !self.pending.is_empty();
            let is_due = self.is_urgent || self.pending_bytes >= FULL_BYTES;
            let write_at = self.written + if is_pending { interval } else { BEAT };
            if timer.deadline() != write_at {
                timer.as_mut().reset(write_at);
            }
            let written = tokio::select! {
                biased;
                chunks = self.incoming.recv(), if !is_due => match chunks {
                    Some(chunks) => {
                        self.add(chunks);
                        continue;
                    }
                    None => {
                        while !self.pending.is_empty() && !self.is_over {
                            self.write().await?;
                        }
                        return Some(self.rest());
                    }
                },
                () = &mut timer, if !is_due => self.write().await,
                () = std::future::ready(()), if is_due => {
                    while let Ok(chunks) = self.incoming.try_recv() {
                        self.add(chunks);
                    }
                    self.write().await
                }
            };
            written?;
        }
    }

    fn add(&mut self, chunks: Vec<Chunk>) {
        for chunk in chunks {
            self.pending_bytes += chunk.size();
            self.is_urgent |= !chunk.is_delta();
            self.pending.push(chunk);
        }
    }

    /// Writes pending chunks as one entry, or a sign of life. `None` if the log is lost.
    async fn write(&mut self) -> Option<()> {
        let text = self.take_entry();
        let number = self.next;
        let appended = self.append(number, &text).await;
        self.written = Instant::now();
        match appended {
            Ok(AppendedEntry::Stored { is_stopping }) => {
                if is_stopping {
                    self.signal.send_replace(Signal::Stopping);
                }
                if !text.is_empty() {
                    self.next += 1;
                    self.log.live.publish(Entry {
                        number,
                        kind: EntryKind::Chunks,
                        chunks: text,
                    });
                }
                Some(())
            }
            Ok(AppendedEntry::DeadlineOver) => {
                self.signal.send_replace(Signal::DeadlineOver);
                self.is_over = true;
                self.unwritten = text;
                Some(())
            }
            Ok(AppendedEntry::Fenced | AppendedEntry::Gap) => {
                self.lose("another process ended the turn")
            }
            Err(error) => self.lose(&error.to_string()),
        }
    }

    fn lose(&self, reason: &str) -> Option<()> {
        tracing::warn!(llmos.turn.id = %self.log.turn, reason, "the log of a turn is lost");
        self.signal.send_replace(Signal::Lost);
        self.log.live.detach();
        None
    }

    /// Removes pending chunks up to the size of an entry.
    fn take_entry(&mut self) -> String {
        let mut text = String::new();
        let pending = coalesce(std::mem::take(&mut self.pending));
        let mut pending = pending.into_iter();
        for chunk in pending.by_ref() {
            let (chunk, rest) = chunk.split(MAX_ENTRY_BYTES);
            let json = chunk.to_json();
            if !text.is_empty() && text.len() + json.len() + 1 > MAX_ENTRY_BYTES {
                self.pending.push(chunk);
                self.pending.extend(rest);
                break;
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&json);
            if let Some(rest) = rest {
                self.pending.push(rest);
                break;
            }
        }
        self.pending.extend(pending);
        self.pending_bytes = self.pending.iter().map(Chunk::size).sum();
        self.is_urgent = self.pending.iter().any(|chunk| !chunk.is_delta());
        text
    }

    /// Appends an entry. A failed call is repeated, which stores no second entry.
    async fn append(&self, number: u64, chunks: &str) -> Result<AppendedEntry> {
        let entry = NewEntry {
            turn: &self.log.turn,
            owner: &self.log.owner,
            number,
            chunks,
        };
        retried(|| self.log.store.append_entry(&self.log.session, entry)).await
    }
}

/// Repeats a call while Redis is unavailable, for up to 10 s.
pub(super) async fn retried<T, F>(call: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let started = Instant::now();
    let mut pause = MIN_PAUSE;
    loop {
        match call().await {
            Err(Error::Unavailable(_)) if started.elapsed() < MAX_OUTAGE => {
                sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
            result => return result,
        }
    }
}
