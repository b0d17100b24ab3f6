//! Lists on a cluster: which sessions come next is read from the slots of their scopes, then what they are from the
//! slots of their own, at once. What an operation broke off between its steps is put right on the way.

use std::cmp::Reverse;

use futures_util::future::try_join_all;
use tokio::time::{Instant, timeout_at};

use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::request_context::RequestContext;
use crate::store::cluster::entry::Entry;
use crate::store::connection::cluster::late;
use crate::store::connection::{Connection, RESPONSE_TIMEOUT};
use crate::store::document::State;
use crate::store::error::Result;
use crate::store::listing::{Cursor, ListRequest, SessionPage};
use crate::store::script::{self, Reply, unknown_reply};
use crate::util::metrics::count_as_one;

/// How often a page is put together again because sessions on it turn out to be gone, or to stand elsewhere.
const MAX_ATTEMPTS: usize = 20;
/// The same where sessions on it were only touched: others may touch them all the time.
const MAX_ATTEMPTS_FOR_ORDER: usize = 2;
/// A document that is larger is read when it is certain that the page has room for it.
const MAX_BYTES_AT_ONCE: usize = 64 * 1024;

/// A session as an index has it.
pub(super) struct Candidate<'a> {
    pub(super) scope: &'a [u8],
    pub(super) id: Vec<u8>,
    pub(super) micros: i64,
    pub(super) bucket: Vec<u8>,
}

/// What one go at a list came to.
enum Outcome {
    /// Some more of a set is indexed.
    Indexed,
    /// A page that differs from what the index said, which is right by now.
    Repaired { page: SessionPage, is_false: bool },
    /// A page.
    Done(SessionPage),
}

impl Connection {
    /// Lists sessions of some scopes, and of the system's volumes if that is asked for.
    ///
    /// Two steps, and a third where documents are large; one before them to find the system's volumes, and further
    /// ones to index what is not indexed, or to put right what is not as the index has it.
    pub(in crate::store) async fn list_in_steps(
        &self,
        context: &RequestContext,
        request: &ListRequest,
        scopes: &[String],
        with_system: bool,
    ) -> Result<SessionPage> {
        if let Some(limit) = context.rate_limit.take() {
            self.count(context, limit).await?;
        }
        let mut scopes: Vec<Vec<u8>> = scopes.iter().map(|it| it.clone().into_bytes()).collect();
        if with_system {
            scopes.extend(self.system_scopes().await?);
        }
        scopes.sort();
        scopes.dedup();
        let mut deadline = Instant::now() + RESPONSE_TIMEOUT;
        let mut attempts = 0;
        loop {
            let outcome = timeout_at(deadline, self.try_to_list(context, request, &scopes));
            match outcome.await.map_err(|_| late())?? {
                Outcome::Indexed => deadline = Instant::now() + RESPONSE_TIMEOUT,
                Outcome::Repaired { page, is_false } => {
                    attempts += 1;
                    let most = if is_false {
                        MAX_ATTEMPTS
                    } else {
                        MAX_ATTEMPTS_FOR_ORDER
                    };
                    if attempts >= most {
                        return Ok(page);
                    }
                }
                Outcome::Done(page) => return Ok(page),
            }
        }
    }

    async fn try_to_list(
        &self,
        context: &RequestContext,
        request: &ListRequest,
        scopes: &[Vec<u8>],
    ) -> Result<Outcome> {
        let read = scopes.iter().map(|scope| self.candidates(request, scope));
        let mut candidates = Vec::new();
        for of_scope in count_as_one(try_join_all(read)).await? {
            match of_scope {
                Some(of_scope) => candidates.extend(of_scope),
                None => return Ok(Outcome::Indexed),
            }
        }
        candidates.sort_by(|a, b| Reverse((a.micros, &a.id)).cmp(&Reverse((b.micros, &b.id))));
        candidates.truncate(request.limit + 1);
        let shown = &candidates[..candidates.len().min(request.limit)];
        let mut entries = self.entries(shown, MAX_BYTES_AT_ONCE).await?;

        let end = end_of_page(&entries);
        entries.truncate(end);
        let shown = &shown[..end];
        self.read_large_documents(shown, &mut entries).await?;

        let mut page = SessionPage {
            sessions: Vec::with_capacity(end),
            unreadable: Vec::new(),
            next: (0 < end && end < candidates.len()).then(|| Cursor {
                micros: candidates[end - 1].micros,
                id: candidates[end - 1].id.clone(),
            }),
        };
        let (is_false, is_late) = self.repair(shown, &entries).await?;
        for (candidate, entry) in shown.iter().zip(entries) {
            let Some(entry) = entry else { continue };
            let is_asked_for = request
                .status
                .is_none_or(|status| status.as_str().as_bytes() == entry.bucket);
            if is_asked_for {
                let state = State {
                    // What is no text is no document.
                    document: String::from_utf8(entry.document.unwrap_or_default())
                        .unwrap_or_default(),
                    message_count: entry.message_count.unwrap_or(0),
                    activity: candidate.micros.max(entry.activity),
                };
                page.add(
                    context,
                    &candidate.id,
                    &state,
                    entry.message_count.is_some(),
                );
            }
        }
        Ok(if is_false || is_late {
            Outcome::Repaired { page, is_false }
        } else {
            Outcome::Done(page)
        })
    }

    /// The sessions of a scope that come next, one more than asked for; `None` where some more of its set had to be
    /// indexed instead.
    async fn candidates<'a>(
        &self,
        request: &ListRequest,
        scope: &'a [u8],
    ) -> Result<Option<Vec<Candidate<'a>>>> {
        let keys = self.names().of_index(scope);
        let mut reply: Reply = self
            .ask(&script::LIST, |call| {
                call.arg(keys.len()).arg(&keys);
                request.add_to(call, false);
                call.arg(scope);
            })
            .await?;
        match reply.next::<String>()?.as_str() {
            "candidates" => {
                let found: Vec<(Vec<u8>, i64, Vec<u8>)> = reply.next()?;
                let found = found.into_iter().map(|(id, micros, bucket)| Candidate {
                    scope,
                    id,
                    micros,
                    bucket,
                });
                Ok(Some(found.collect()))
            }
            "unindexed" => {
                self.index(scope, reply.next()?, reply.next()?).await?;
                Ok(None)
            }
            other => Err(unknown_reply(other)),
        }
    }

    /// Indexes members of a scope's set; `place` is where the set goes on behind them.
    async fn index(&self, scope: &[u8], place: Vec<u8>, ids: Vec<Vec<u8>>) -> Result<()> {
        let read = try_join_all(ids.iter().map(|id| self.entry(id, 0)));
        let entries = count_as_one(read).await?;
        let mut arguments = vec![place];
        for (id, entry) in ids.into_iter().zip(&entries) {
            let (bucket, micros) = match entry {
                // The time of appends is beside the document, if it is known.
                Some(entry) if entry.activity > 0 => (entry.bucket.clone(), entry.activity),
                Some(entry) => (entry.bucket.clone(), entry.updated),
                None => (Vec::new(), 0),
            };
            arguments.extend([id, bucket, micros.to_string().into_bytes()]);
        }
        let mut volumes: Vec<&[u8]> = entries
            .iter()
            .flatten()
            .map(|it| &*it.system_volume)
            .collect();
        volumes.sort_unstable();
        volumes.dedup();
        let noted = try_join_all(volumes.into_iter().map(|id| self.note_system_volume(id)));
        count_as_one(noted).await?;
        let arguments = arguments.iter().map(|argument| &**argument).collect();
        self.in_index(&script::INDEX_MEMBERS, scope, arguments)
            .await
    }
}

/// How many sessions fit on a page, the first in any case; those that are gone take no room.
fn end_of_page(entries: &[Option<Entry>]) -> usize {
    let mut bytes = 0;
    let mut is_empty = true;
    for (index, entry) in entries.iter().enumerate() {
        let Some(entry) = entry else { continue };
        bytes += entry.size;
        if bytes > MAX_PAGE_BYTES && !is_empty {
            return index;
        }
        is_empty = false;
    }
    entries.len()
}
