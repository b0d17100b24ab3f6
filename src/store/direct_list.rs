//! Reads parts of lists with plain commands, which cost Redis less than a script: the places of the sessions in the index,
//! then the sessions. Only on a single Redis.
//!
//! What plain commands cannot do is left to `scripts/page.lua`: other orders than the latest activity, large pages, sessions
//! that are not indexed, and repairs of the index.

use std::cmp::Reverse;

use redis::{FromRedisValue, Pipeline, Value};

use super::direct::charged_pipeline;
use super::document::StoredSession;
use super::error::Result;
use super::executor::Executor;
use super::keys::{self, KeyScheme};
use super::page::{Cursor, Part, PartEntry, PartRequest, Source};
use crate::domain::request_context::RequestContext;
use crate::domain::session_filter::SortOrder;

/// The maximum number of sessions of a part that is read directly.
const MAX_SESSIONS: usize = 64;
/// The maximum size of a document that is read directly, in bytes; those of this service are smaller.
const MAX_DOCUMENT_BYTES: usize = 32 * 1024;
/// The number of sessions with the activity of the cursor that are read beside those of the part.
const MAX_TIES: usize = 8;

/// A place in the index: microseconds of the last activity, and the id.
type Place = (i64, Vec<u8>);

/// Reads a part of a list; `None` if the script must read it.
pub(super) async fn read_part(
    executor: &Executor,
    context: &RequestContext,
    request: &PartRequest<'_>,
    (mut scopes, with_system): (Vec<String>, bool),
) -> Result<Option<Part>> {
    let is_direct = executor.scheme() == KeyScheme::Single
        && request.source == Source::Recent
        && request.list.order == SortOrder::Desc
        && request.size <= MAX_SESSIONS
        && !request.with_total;
    if !is_direct {
        return Ok(None);
    }
    if with_system {
        scopes.extend(keys::known_system_scopes());
    }
    scopes.sort();
    scopes.dedup();
    let buckets = keys::buckets(&request.list.filter.statuses, request.list.filter.archived);
    let commands = index_commands(request, &scopes, &buckets, with_system);
    let replies = charged_pipeline(executor, context, commands).await?;
    let Some(mut places) = read_places(request, replies, &scopes, &buckets, with_system) else {
        return Ok(None);
    };
    places.sort_by(|left, right| Reverse(left).cmp(&Reverse(right)));
    places.dedup();
    let has_more = places.len() > request.size;
    places.truncate(request.size);
    let Some(entries) = read_sessions(executor, &places).await? else {
        return Ok(None);
    };
    let next = places.pop().filter(|_| has_more);
    Ok(Some(Part {
        entries,
        next: next.map(|(micros, id)| Cursor { micros, id }),
        total: 0,
    }))
}

/// Returns the commands that read the places of sessions, and whether all sessions are indexed.
fn index_commands(
    request: &PartRequest<'_>,
    scopes: &[String],
    buckets: &[&str],
    with_system: bool,
) -> Pipeline {
    let mut commands = Pipeline::with_capacity(scopes.len() * (10 + buckets.len()) + 2);
    if with_system {
        commands.cmd("SMEMBERS").arg(keys::SYSTEM_VOLUMES);
    }
    let all_buckets = keys::buckets(&[], None);
    for scope in scopes {
        commands.cmd("SCARD").arg(KeyScheme::Single.members(scope));
        commands.cmd("GET").arg(KeyScheme::Single.indexed(scope));
        for bucket in &all_buckets {
            commands
                .cmd("ZCARD")
                .arg(KeyScheme::Single.recent(scope, bucket));
        }
        for bucket in buckets {
            let command = commands.cmd("ZREVRANGEBYSCORE");
            command.arg(KeyScheme::Single.recent(scope, bucket));
            match request.cursor {
                Some(cursor) => command.arg(cursor.micros),
                None => command.arg("+inf"),
            };
            command.arg("-inf").arg("WITHSCORES").arg("LIMIT").arg(0);
            command.arg(request.size + 1 + MAX_TIES);
        }
    }
    // A session that moves to another bucket meanwhile could be missed. Then the counts differ.
    for scope in scopes {
        for bucket in buckets {
            commands
                .cmd("ZCARD")
                .arg(KeyScheme::Single.recent(scope, bucket));
        }
    }
    commands
}

/// Decodes the places; `None` if sessions are not indexed or move meanwhile, there are other system volumes, or a reply is of
/// another type.
fn read_places(
    request: &PartRequest<'_>,
    replies: Vec<Value>,
    scopes: &[String],
    buckets: &[&str],
    with_system: bool,
) -> Option<Vec<Place>> {
    let mut replies = replies.into_iter();
    if with_system {
        let volumes = Vec::<String>::from_redis_value(replies.next()?).ok()?;
        let known = keys::known_system_scopes();
        let is_known = |volume: &String| known.contains(&format!("system:{volume}"));
        if !volumes.iter().all(is_known) {
            return None;
        }
    }
    let mut places = Vec::with_capacity(request.size + 1);
    let mut counts = Vec::new();
    for _ in scopes {
        let members = u64::from_redis_value(replies.next()?).ok()?;
        let counted = Option::<u64>::from_redis_value(replies.next()?).ok()?;
        let mut indexed = 0;
        for bucket in keys::buckets(&[], None) {
            let count = u64::from_redis_value(replies.next()?).ok()?;
            indexed += count;
            if buckets.contains(&bucket) {
                counts.push(count);
            }
        }
        if indexed < members || counted.unwrap_or(0) != members {
            return None;
        }
        for _ in buckets {
            let found = Vec::<(Vec<u8>, f64)>::from_redis_value(replies.next()?).ok()?;
            let is_full = found.len() > request.size + MAX_TIES;
            let before = places.len();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "microseconds of an index are integers"
            )]
            let found = found.into_iter().map(|(id, micros)| (micros as i64, id));
            places.extend(found.filter(|place| is_after(place, request.cursor)));
            if is_full && places.len() - before <= request.size {
                // Too many sessions have the activity of the cursor.
                return None;
            }
        }
    }
    let after: Option<Vec<u64>> = replies
        .map(|count| u64::from_redis_value(count).ok())
        .collect();
    (after? == counts).then_some(places)
}

/// Returns whether a place comes after the cursor in the list, whose order is descending.
fn is_after((micros, id): &Place, cursor: Option<&Cursor>) -> bool {
    cursor.is_none_or(|cursor| (*micros, id) < (cursor.micros, &cursor.id))
}

/// Reads the sessions at some places; `None` if one is missing or large.
async fn read_sessions(executor: &Executor, places: &[Place]) -> Result<Option<Vec<PartEntry>>> {
    if places.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let mut commands = Pipeline::with_capacity(2 * places.len());
    for (_, id) in places {
        let keys = KeyScheme::Single.entry_keys(id);
        commands
            .cmd("GETRANGE")
            .arg(&keys[0])
            .arg(0)
            .arg(MAX_DOCUMENT_BYTES);
        commands.cmd("LLEN").arg(&keys[1]);
    }
    let replies = executor.connection().pipeline(&commands).await?;
    let mut replies = replies.into_iter();
    let mut entries = Vec::with_capacity(places.len());
    for (micros, id) in places {
        let Some(Value::BulkString(document)) = replies.next() else {
            return Ok(None);
        };
        if document.is_empty() || document.len() > MAX_DOCUMENT_BYTES {
            return Ok(None);
        }
        let count = replies.next().map(u64::from_redis_value);
        let last_seq = count.and_then(std::result::Result::ok);
        entries.push(PartEntry {
            id: id.clone(),
            document,
            message_count: last_seq,
            last_seq,
            activity: *micros,
            micros: *micros,
        });
    }
    count_branches(executor, &mut entries).await?;
    Ok(Some(entries))
}

/// Reads the message counts of sessions with branches.
async fn count_branches(executor: &Executor, entries: &mut [PartEntry]) -> Result<()> {
    let mut branched: Vec<&mut PartEntry> = entries
        .iter_mut()
        .filter(|entry| StoredSession::is_branched(&entry.document))
        .collect();
    if branched.is_empty() {
        return Ok(());
    }
    let mut commands = Pipeline::with_capacity(branched.len());
    for entry in &branched {
        commands
            .cmd("HMGET")
            .arg(KeyScheme::Single.branch(&entry.id))
            .arg(&["visible", "count"]);
    }
    let replies = executor.connection().pipeline(&commands).await?;
    for (entry, reply) in branched.iter_mut().zip(replies) {
        let stored = <(Option<u64>, Option<u64>)>::from_redis_value(reply);
        if let (Ok((Some(visible), Some(count))), Some(last_seq)) = (stored, entry.last_seq) {
            entry.message_count = Some((visible + last_seq).saturating_sub(count));
        }
    }
    Ok(())
}
