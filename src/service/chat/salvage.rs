//! Ends turns that have lost their producer: the answer is made of what the log has.

use chrono::DateTime;

use super::answer::{ABANDONED, Answer, Usage, activates, parts_behind};
use super::settlement::settle;
use crate::domain::chat::Ending;
use crate::domain::chat::chunk::Chunk;
use crate::domain::chat::turn::{ActiveTurn, Operation, Turn, TurnStatus};
use crate::domain::chat::usage::UsageSums;
use crate::domain::message::Message;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::{Commit, Committed, Entry, LEASE, Rejected, Result, Settlement, Store};

/// The number of times that others may change the turn or its message meanwhile.
const MAX_ATTEMPTS: usize = 5;

/// Ends a turn if it has lost its producer. Returns whether it has ended. Any process may call it, several at once.
///
/// # Errors
/// If Redis fails.
pub async fn end_dead_turn(store: &Store, session: &SessionId, turn: &Turn) -> Result<bool> {
    let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
    if !turn.is_dead(lease) {
        return Ok(false);
    }
    // On the heap: it is rare, and would make the future of every read larger.
    Box::pin(end_turn(store, session, turn, false)).await
}

/// Removes a turn from the document of its session, if the record of the turn is lost.
///
/// # Errors
/// If Redis fails.
pub async fn clear_turn(store: &Store, session: &SessionId, turn: &ActiveTurn) -> Result<()> {
    let commit = Commit {
        turn: &turn.id,
        owner: "",
        entry: 0,
        status: TurnStatus::Abandoned,
        error: None,
        closing: "",
        message: None,
        replacement: None,
        is_forced: false,
    };
    store.commit_turn(session, commit).await.map(drop)
}

/// Ends a turn with what its log has; with `is_forced`, before its lease is over. Returns whether it has ended.
pub(super) async fn end_turn(
    store: &Store,
    session: &SessionId,
    turn: &Turn,
    is_forced: bool,
) -> Result<bool> {
    for _ in 0..MAX_ATTEMPTS {
        let (entries, current) = read_all(store, session, turn).await?;
        let Some(turn) = current.filter(|current| current.id == turn.id) else {
            return Ok(true);
        };
        let continued = match turn.operation {
            Operation::Continue => {
                let context = RequestContext::internal();
                store
                    .find_message(&context, session, &turn.message_id)
                    .await?
            }
            _ => None,
        };
        let committed = commit(store, session, &turn, &entries, continued, is_forced).await?;
        match committed {
            Some(Committed::Done(_)) => {
                tracing::warn!(llmos.turn.id = %turn.id, "a turn without a producer was ended");
                settle_dead(store, session, &turn, &entries).await;
                return Ok(true);
            }
            // Without a reply the session was deleted.
            None | Some(Committed::Already(_) | Committed::Superseded) => return Ok(true),
            Some(Committed::Alive) => return Ok(false),
            Some(Committed::Moved(_) | Committed::Rejected(_)) => {}
        }
    }
    Ok(false)
}

/// Adds what is known of the usage of a turn to the sums: the length of its answer.
async fn settle_dead(store: &Store, session: &SessionId, turn: &Turn, entries: &[Entry]) {
    let lines = entries.iter().flat_map(|entry| entry.chunks.lines());
    let deltas = lines.filter(|line| line.contains("-delta\""));
    let bytes: usize = deltas.map(str::len).sum();
    let started = DateTime::from_timestamp_millis(turn.started).unwrap_or_default();
    let settlement = Settlement {
        turn: &turn.id,
        day: started.date_naive(),
        sums: UsageSums {
            turns: 1,
            output_tokens: u64::try_from(bytes / 4).unwrap_or(u64::MAX),
            ..UsageSums::default()
        },
    };
    let settled = settle(store, &turn.client, session, &turn.model, settlement).await;
    if let Err(error) = settled {
        tracing::warn!(error = %error, "a turn cannot be settled; a later one of its caller settles it");
    }
}

async fn commit(
    store: &Store,
    session: &SessionId,
    turn: &Turn,
    entries: &[Entry],
    continued: Option<Message>,
    is_forced: bool,
) -> Result<Option<Committed>> {
    let status = match turn.status {
        TurnStatus::Stopping => TurnStatus::Stopped,
        _ => TurnStatus::Abandoned,
    };
    let (mut builder, _) = parts_behind(continued.as_ref());
    for chunk in entries.iter().flat_map(|entry| entry.chunks.lines()) {
        // What does not fit any more was not sent either.
        let _ = builder.push(chunk);
    }
    let ending = match status {
        TurnStatus::Stopped => Ending::Stopped,
        _ => Ending::Failed(ABANDONED.to_owned()),
    };
    let closing = builder.closing(ending, None);
    for chunk in &closing {
        let _ = builder.push_chunk(chunk);
    }
    let closing: Vec<String> = closing.iter().map(Chunk::to_json).collect();
    let is_empty = builder.is_empty();
    let metadata = builder.metadata().map(ToOwned::to_owned);
    let usage = Usage {
        partial: true,
        ..Usage::default()
    };
    let parts = builder.finish();
    let answer = Answer {
        message_id: &turn.message_id,
        user_message_id: &turn.user_message_id,
        status,
        model: &turn.model,
        parts: &parts,
        usage: Some(&usage),
        metadata: metadata.as_deref(),
        activates: activates(turn.operation, status),
    };
    let (mut message, mut replacement) = (None, None);
    match &continued {
        _ if is_empty => {}
        None if turn.operation == Operation::Continue => {}
        None => message = answer.to_new_message(),
        Some(stored) => replacement = answer.to_replacement(stored),
    }
    let commit = Commit {
        turn: &turn.id,
        owner: "",
        // A log that is lost has no entries.
        entry: entries.last().map_or(turn.last_entry, |entry| entry.number),
        status,
        error: Some("abandoned").filter(|_| status == TurnStatus::Abandoned),
        closing: &closing.join("\n"),
        message: message.as_ref(),
        replacement: replacement.as_ref(),
        is_forced,
    };
    let committed = store.commit_turn(session, commit).await?;
    if let Some(Committed::Rejected(rejected)) = &committed
        && !matches!(**rejected, Rejected::Changed(_))
    {
        tracing::warn!(reason = ?rejected, "the answer of a turn cannot be stored");
        let commit = Commit {
            message: None,
            replacement: None,
            ..commit
        };
        return store.commit_turn(session, commit).await;
    }
    Ok(committed)
}

/// Reads the whole log, and the turn of the session after that.
async fn read_all(
    store: &Store,
    session: &SessionId,
    turn: &Turn,
) -> Result<(Vec<Entry>, Option<Turn>)> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.number);
        let page = store.read_log(session, &turn.id, after).await?;
        if page.entries.is_empty() {
            return Ok((entries, page.turn));
        }
        entries.extend(page.entries);
    }
}
