//! Lists sessions by their last activity, one page at a time.

use redis::{FromRedisValue, ParsingError, Value};

use super::call::Call;
use super::document::StoredSession;
use super::error::Result;
use super::handle::Store;
use super::keys::{self, KeyScheme};
use super::page::{Cursor, ListRequest, SessionPage};
use super::reply::{Reply, unknown_reply};
use super::script;
use crate::domain::request_context::RequestContext;

/// Id, document, message count and last seq (`None` if the messages are not a list), and activity.
type Entry = (Vec<u8>, Vec<u8>, Option<u64>, Option<u64>, i64);

/// Reply of `scripts/page.lua`.
enum ListReply {
    /// More sessions were indexed, and the script must be called again.
    Indexing,
    Page {
        next: Option<Cursor>,
        entries: Vec<Entry>,
    },
}

impl FromRedisValue for ListReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "indexing" => Ok(Self::Indexing),
            "page" => {
                let (micros, id): (i64, Vec<u8>) = (reply.next()?, reply.next()?);
                Ok(Self::Page {
                    next: (!id.is_empty()).then_some(Cursor { micros, id }),
                    entries: reply.next()?,
                })
            }
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Lists sessions, latest activity first.
    ///
    /// Takes one round trip, and one more for every 500 sessions or 1 MB that the Python version wrote since the last
    /// list. On a cluster see `cluster/list.rs`.
    pub async fn list_sessions(
        &self,
        context: &RequestContext,
        request: &ListRequest,
    ) -> Result<SessionPage> {
        let (scopes, with_system) = scopes(context, request);
        let executor = self.executor()?;
        let scheme = executor.scheme();
        if scheme == KeyScheme::Cluster {
            return executor
                .multi_slot()
                .list(context, request, &scopes, with_system)
                .await;
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
                ListReply::Page { next, entries } => return Ok(to_page(context, next, entries)),
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

fn to_page(context: &RequestContext, next: Option<Cursor>, entries: Vec<Entry>) -> SessionPage {
    let mut page = SessionPage {
        sessions: Vec::with_capacity(entries.len()),
        unreadable: Vec::new(),
        next,
    };
    for (id, document, message_count, last_seq, activity) in entries {
        let stored = StoredSession {
            // A document that is not UTF-8 is listed as unreadable.
            document: String::from_utf8(document).unwrap_or_default(),
            message_count: message_count.unwrap_or(0),
            last_seq: last_seq.unwrap_or(0),
            activity,
        };
        page.add(context, &id, &stored, message_count.is_some());
    }
    page
}
