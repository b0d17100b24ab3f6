//! Reads parts of lists: on a single Redis with one script, on a cluster in steps.

use redis::{FromRedisValue, ParsingError, Value};

use super::call::Call;
use super::direct_list::{SmallLists, is_direct, read_part_directly};
use super::error::Result;
use super::executor::Executor;
use super::keys::{self, KeyScheme};
use super::page::{Cursor, ListRequest, Part, PartEntry, PartRequest};
use super::reply::{Reply, unknown_reply};
use super::script;
use crate::domain::request_context::RequestContext;

/// Reply of `scripts/page.lua`.
enum ListReply {
    /// More sessions were indexed, and the script must be called again.
    Indexing,
    /// There are more pinned sessions than requested.
    TooMany,
    Page(Part),
}

impl FromRedisValue for ListReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "indexing" => Ok(Self::Indexing),
            "too-many" => Ok(Self::TooMany),
            "page" => {
                let (micros, id): (i64, Vec<u8>) = (reply.next()?, reply.next()?);
                Ok(Self::Page(Part {
                    next: (!id.is_empty()).then_some(Cursor { micros, id }),
                    entries: reply.next()?,
                    total: reply.next::<Option<u64>>()?.unwrap_or(0),
                }))
            }
            other => Err(unknown_reply(other)),
        }
    }
}

impl FromRedisValue for PartEntry {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let (id, document) = (reply.next()?, reply.next()?);
        let (message_count, last_seq) = (reply.next()?, reply.next()?);
        let activity = reply.next()?;
        Ok(Self {
            id,
            document,
            message_count,
            last_seq,
            activity,
            micros: reply.next::<Option<i64>>()?.unwrap_or(activity),
        })
    }
}

/// Reads a part of a list; `None` if it has more pinned sessions than requested.
pub(super) async fn read_part(
    executor: &Executor,
    context: &RequestContext,
    request: &PartRequest<'_>,
    known: &SmallLists,
) -> Result<Option<Part>> {
    let (scopes, with_system) = scopes(context, request.list);
    let scheme = executor.scheme();
    if scheme == KeyScheme::Cluster {
        return executor
            .multi_slot()
            .list(context, request, &scopes, with_system)
            .await;
    }
    let direct = is_direct(executor, request, &scopes) && !with_system;
    if direct && known.contains(&scopes[0]) {
        let part = read_part_directly(executor, context, request, &scopes[0]).await?;
        if part.is_some() {
            return Ok(part);
        }
    }
    let keys = scopes
        .iter()
        .flat_map(|scope| [scheme.members(scope), scheme.indexing(scope)])
        .collect();
    let call = request
        .add_to(Call::new(&script::LIST, keys), with_system)
        .args(&scopes);
    loop {
        match executor.execute(context, &call).await? {
            ListReply::Indexing => {}
            ListReply::TooMany => return Ok(None),
            ListReply::Page(part) => {
                if direct {
                    known.record(&scopes[0], &part);
                }
                return Ok(Some(part));
            }
        }
    }
}

/// Returns the scopes to list, and whether the system volumes are added.
fn scopes(context: &RequestContext, request: &ListRequest) -> (Vec<String>, bool) {
    match (&request.volume, context.caller.volumes()) {
        (Some(volume), _) => (vec![keys::scope(volume)], false),
        (None, None) => (vec![keys::ALL.to_owned()], false),
        (None, Some(own)) => (own.iter().map(keys::scope).collect(), true),
    }
}
