//! Waits for new entries of logs: one further connection per process, shared by all logs that are waited for.
//!
//! The connection blocks, so it is not the one of the requests. It is opened by the first subscription, and is idle without
//! any. On a cluster, whose logs are in different slots, and where Redis rejects blocking commands, there are no
//! subscriptions, and callers poll.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::OnceCell;
use redis::cmd;
use redis::streams::StreamReadReply;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep};

use super::entry::{Entry, EntryKind, read_entries};
use crate::store::connection::{Connection, Idempotence};
use crate::store::error::{Error, Result};

/// How long one command waits, in milliseconds. A subscription that begins meanwhile waits as long; it is shorter than the
/// response timeout of the connection.
const BLOCK_MILLISECONDS: u64 = 250;
/// The maximum number of entries per log that one command returns.
const MAX_ENTRIES: usize = 100;
/// The pause after a failed command.
const PAUSE: Duration = Duration::from_millis(500);

/// The subscriptions of a process.
#[derive(Debug)]
pub(in crate::store) struct LogTail {
    url: String,
    ca_certificate: Option<String>,
    subscriptions: OnceCell<mpsc::UnboundedSender<Subscription>>,
    /// Whether Redis rejects blocking commands.
    is_rejected: std::sync::Arc<AtomicBool>,
}

struct Subscription {
    key: Vec<u8>,
    /// The number of the last entry that was received.
    after: u64,
    entries: mpsc::UnboundedSender<Vec<Entry>>,
}

impl LogTail {
    /// Prepares subscriptions without connecting.
    pub(in crate::store) fn new(url: String, ca_certificate: Option<String>) -> Self {
        Self {
            url,
            ca_certificate,
            subscriptions: OnceCell::new(),
            is_rejected: std::sync::Arc::default(),
        }
    }

    /// Subscribes to the entries of a log after the entry `after`; `None` if Redis rejects blocking commands.
    pub(super) fn subscribe(
        &self,
        key: Vec<u8>,
        after: u64,
    ) -> Option<mpsc::UnboundedReceiver<Vec<Entry>>> {
        if self.is_rejected.load(Ordering::Relaxed) {
            return None;
        }
        let (entries, receiver) = mpsc::unbounded_channel();
        self.add(Subscription {
            key,
            after,
            entries,
        });
        Some(receiver)
    }

    fn add(&self, subscription: Subscription) {
        let sender = self.subscriptions.get_or_init(|| {
            let (sender, receiver) = mpsc::unbounded_channel();
            let connection = Connection::new(self.url.clone(), self.ca_certificate.clone());
            tokio::spawn(serve(connection, receiver, self.is_rejected.clone()));
            sender
        });
        // The task ends with the process. A subscription that is dropped makes its caller poll.
        let _ = sender.send(subscription);
    }
}

async fn serve(
    connection: Connection,
    mut incoming: mpsc::UnboundedReceiver<Subscription>,
    is_rejected: std::sync::Arc<AtomicBool>,
) {
    let mut subscriptions: Vec<Subscription> = Vec::new();
    loop {
        if subscriptions.is_empty() {
            match incoming.recv().await {
                Some(subscription) => subscriptions.push(subscription),
                None => return,
            }
        }
        while let Ok(subscription) = incoming.try_recv() {
            subscriptions.push(subscription);
        }
        subscriptions.retain(|subscription| !subscription.entries.is_closed());
        if subscriptions.is_empty() {
            continue;
        }
        match read(&connection, &subscriptions).await {
            Ok(entries) => subscriptions.retain_mut(|subscription| deliver(subscription, &entries)),
            Err(error) => {
                // Their channels close.
                subscriptions.clear();
                match error {
                    error if !is_rejection(&error) => sleep(PAUSE).await,
                    error => {
                        tracing::warn!(
                            redis.error = %error,
                            "Redis rejects blocking reads, so answers of other processes are polled"
                        );
                        is_rejected.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    }
}

/// Returns whether an error means that Redis never allows the command. Other errors pass, as of a failover.
fn is_rejection(error: &Error) -> bool {
    let text = error.to_string().to_ascii_lowercase();
    let signs = ["unknown command", "noperm", "not allowed", "not supported"];
    signs.iter().any(|sign| text.contains(sign))
}

async fn read(
    connection: &Connection,
    subscriptions: &[Subscription],
) -> Result<HashMap<String, Vec<Entry>>> {
    let mut command = cmd("XREAD");
    command.arg("COUNT").arg(MAX_ENTRIES);
    command.arg("BLOCK").arg(BLOCK_MILLISECONDS).arg("STREAMS");
    for subscription in subscriptions {
        command.arg(&subscription.key);
    }
    for subscription in subscriptions {
        command.arg(format!("{}-0", subscription.after));
    }
    let reply: Option<StreamReadReply> = connection.command(&command, Idempotence::Safe).await?;
    let streams = reply.into_iter().flat_map(|reply| reply.keys);
    Ok(streams
        .map(|stream| {
            let entries = redis::streams::StreamRangeReply { ids: stream.ids };
            (stream.key, read_entries(entries))
        })
        .collect())
}

/// Sends the new entries of a subscription; returns whether more may follow.
fn deliver(subscription: &mut Subscription, entries: &HashMap<String, Vec<Entry>>) -> bool {
    let key = String::from_utf8_lossy(&subscription.key);
    let Some(entries) = entries.get(&*key) else {
        return true;
    };
    let new: Vec<Entry> = entries
        .iter()
        .filter(|entry| entry.number > subscription.after)
        .cloned()
        .collect();
    let Some(last) = new.last() else {
        return true;
    };
    subscription.after = last.number;
    let has_ended = matches!(last.kind, EntryKind::End(_));
    subscription.entries.send(new).is_ok() && !has_ended
}
