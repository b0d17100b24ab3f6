//! Reads the first page of a list with plain commands in two round trips, which cost Redis a third of what a script costs.
//! Only on a single Redis.
//!
//! The first commands read the index, the others the sessions that it names. Other clients may change sessions in between:
//! the page then has their new documents in the order of the index that was read. Everything else is left to
//! `scripts/list.lua`: further pages, lists of several scopes, members that are not indexed, sessions with branches, and
//! malformed data.

use std::cmp::Reverse;
use std::hash::{DefaultHasher, Hash, Hasher};

use redis::{FromRedisValue, Pipeline, Value};

use super::direct::{KnownHashes, charged_pipeline};
use super::document::StoredSession;
use super::error::Result;
use super::executor::Executor;
use super::keys::{self, KeyScheme};
use super::page::{Cursor, Part, PartEntry, PartRequest, Source};
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::request_context::RequestContext;
use crate::domain::session_filter::SortOrder;

/// The maximum number of sessions that are read directly.
const MAX_SESSIONS: usize = 200;
/// The maximum size of a document that is read directly; those of this service are smaller.
const MAX_DOCUMENT_BYTES: usize = 32 * 1024;

/// Scopes whose first page was read by the script, and whose sessions were small and without branches. It is a hint, so that
/// plain commands seldom read in vain: each process learns it by itself.
#[derive(Debug, Default)]
pub(super) struct SmallLists(KnownHashes);

impl SmallLists {
    fn hash(scope: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        scope.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn contains(&self, scope: &str) -> bool {
        self.0.contains(Self::hash(scope))
    }

    /// Records whether plain commands can read the sessions of a part.
    pub(super) fn record(&self, scope: &str, part: &Part) {
        let is_small = part.entries.iter().all(|entry| {
            entry.message_count.is_some()
                && entry.document.len() <= MAX_DOCUMENT_BYTES
                && !StoredSession::is_branched(&entry.document)
        });
        self.0.set(Self::hash(scope), is_small);
    }
}

/// A session in an index.
struct Place {
    id: Vec<u8>,
    micros: i64,
}

/// Returns whether plain commands can read a part of a list.
pub(super) fn is_direct(executor: &Executor, request: &PartRequest<'_>, scopes: &[String]) -> bool {
    executor.scheme() == KeyScheme::Single
        && scopes.len() == 1
        && request.source == Source::Recent
        && request.cursor.is_none()
        && request.size <= MAX_SESSIONS
        && !request.with_total
        && request.list.is_indexed()
        && request.list.order == SortOrder::Desc
}

/// Reads a part of a list of one scope, which [`is_direct`] allows; `None` if the script must read it.
pub(super) async fn read_part_directly(
    executor: &Executor,
    context: &RequestContext,
    request: &PartRequest<'_>,
    scope: &str,
) -> Result<Option<Part>> {
    let filter = &request.list.filter;
    let wanted = keys::buckets(&filter.statuses, filter.archived);
    let commands = index_commands(scope, &wanted, request.size);
    let replies = charged_pipeline(executor, context, commands).await?;
    let Some(mut places) = places(replies, wanted.len()) else {
        return Ok(None);
    };
    let has_more = places.len() > request.size;
    places.truncate(request.size);
    if places.is_empty() {
        return Ok(Some(Part::default()));
    }
    let commands = session_commands(&places);
    let replies = charged_pipeline(executor, context, commands).await?;
    Ok(entries(places, replies).map(|entries| part(entries, has_more)))
}

/// Commands that return whether the index is complete, and the first sessions of the wanted buckets, one more than the limit.
fn index_commands(scope: &str, wanted: &[&str], limit: usize) -> Pipeline {
    let mut commands = Pipeline::with_capacity(14);
    commands.cmd("SCARD").arg(KeyScheme::Single.members(scope));
    commands.cmd("GET").arg(keys::indexed(scope));
    for bucket in keys::buckets(&[], None) {
        commands.cmd("ZCARD").arg(keys::recent(scope, bucket));
    }
    for bucket in wanted {
        let range = commands.cmd("ZREVRANGE").arg(keys::recent(scope, bucket));
        range.arg(0).arg(limit).arg("WITHSCORES");
    }
    commands
}

/// Returns the first sessions of the wanted buckets, in the order of the list; `None` if the index lacks sessions.
fn places(replies: Vec<Value>, wanted: usize) -> Option<Vec<Place>> {
    let mut replies = replies.into_iter();
    let members = u64::from_redis_value(replies.next()?).ok()?;
    let counted = Option::<u64>::from_redis_value(replies.next()?).ok()?;
    let mut indexed = 0;
    for _ in keys::buckets(&[], None) {
        indexed += u64::from_redis_value(replies.next()?).ok()?;
    }
    if counted.unwrap_or(0) != members || indexed < members || replies.len() != wanted {
        return None;
    }
    let mut places = Vec::new();
    for range in replies {
        let range = Vec::<(Vec<u8>, f64)>::from_redis_value(range).ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "microseconds of an index are integers"
        )]
        places.extend(range.into_iter().map(|(id, micros)| Place {
            id,
            micros: micros as i64,
        }));
    }
    places.sort_by(|a, b| (Reverse(a.micros), &b.id).cmp(&(Reverse(b.micros), &a.id)));
    Some(places)
}

fn session_commands(places: &[Place]) -> Pipeline {
    let mut commands = Pipeline::with_capacity(2 * places.len());
    for place in places {
        let document = keys::single_document(&place.id);
        let messages = [&document, &b":messages"[..]].concat();
        commands
            .cmd("GETRANGE")
            .arg(document)
            .arg(0)
            .arg(MAX_DOCUMENT_BYTES);
        commands.cmd("LLEN").arg(messages);
    }
    commands
}

/// Returns the sessions of a part; `None` if a session is missing, large or malformed, or has branches.
fn entries(places: Vec<Place>, replies: Vec<Value>) -> Option<Vec<PartEntry>> {
    let mut replies = replies.into_iter();
    let mut entries = Vec::with_capacity(places.len());
    for Place { id, micros } in places {
        let (Value::BulkString(document), count) = (replies.next()?, replies.next()?) else {
            return None;
        };
        let count = u64::from_redis_value(count).ok()?;
        let is_plain = (1..=MAX_DOCUMENT_BYTES).contains(&document.len());
        if !is_plain || StoredSession::is_branched(&document) {
            return None;
        }
        entries.push(PartEntry {
            id,
            document,
            message_count: Some(count),
            last_seq: Some(count),
            activity: micros,
            micros,
        });
    }
    Some(entries)
}

/// Returns a part with as many sessions as fit on a page.
fn part(mut entries: Vec<PartEntry>, has_more: bool) -> Part {
    let mut bytes = 0;
    let count = entries.len();
    let is_beyond = |entry: &PartEntry| {
        bytes += entry.document.len();
        bytes > MAX_PAGE_BYTES
    };
    let kept = entries.iter().position(is_beyond).unwrap_or(count).max(1);
    entries.truncate(kept);
    let has_more = has_more || kept < count;
    let last = entries.last().filter(|_| has_more);
    Part {
        next: last.map(|last| Cursor {
            micros: last.micros,
            id: last.id.clone(),
        }),
        entries,
        total: 0,
    }
}
