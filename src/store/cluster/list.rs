//! Lists sessions on a cluster: reads the indexes of the scopes, then the sessions from their own slots, and repairs
//! the index where they differ.

use std::cmp::Reverse;

use futures_util::future::try_join_all;
use tokio::time::{Instant, timeout_at};

use super::entry::Entry;
use super::multi_slot::MultiSlot;
use super::repair::Repair;
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::request_context::RequestContext;
use crate::store::connection::timeouts::{RESPONSE_TIMEOUT, deadline_exceeded};
use crate::store::document::StoredSession;
use crate::store::error::Result;
use crate::store::page::{Cursor, ListRequest, SessionPage};
use crate::util::metrics::count_as_one;

/// Maximum number of times that a page is read again because its sessions are missing or have another status.
const MAX_ATTEMPTS: usize = 20;
/// Maximum number of times that a page is read again because its sessions have a later activity. Appends can change
/// the order all the time.
const MAX_ATTEMPTS_FOR_ORDER: usize = 2;
/// Larger documents are read once it is certain that they fit on the page.
const MAX_BYTES_AT_ONCE: usize = 64 * 1024;

/// Result of one attempt to read a page.
enum Outcome {
    /// Members of a set were indexed.
    Indexed,
    /// The page differed from the index, which is repaired now.
    Repaired { page: SessionPage, was_wrong: bool },
    /// The page matches the index.
    Done(SessionPage),
}

impl MultiSlot<'_> {
    /// Lists sessions of some scopes, with those of the system volumes if `with_system` is set.
    ///
    /// Takes two steps: the indexes, and the sessions. Before them, one step reads the system volumes. Further steps
    /// read large documents, index what is not indexed, and repair the index.
    pub(in crate::store) async fn list(
        self,
        context: &RequestContext,
        request: &ListRequest,
        scopes: &[String],
        with_system: bool,
    ) -> Result<SessionPage> {
        self.charge_rate_limit(context).await?;
        let mut scopes: Vec<Vec<u8>> = scopes
            .iter()
            .map(|scope| scope.clone().into_bytes())
            .collect();
        if with_system {
            scopes.extend(self.system_scopes().await?);
        }
        scopes.sort();
        scopes.dedup();
        let mut deadline = Instant::now() + RESPONSE_TIMEOUT;
        let mut attempts = 0;
        loop {
            let outcome = timeout_at(deadline, self.try_list(context, request, &scopes));
            match outcome.await.map_err(|_| deadline_exceeded())?? {
                Outcome::Indexed => deadline = Instant::now() + RESPONSE_TIMEOUT,
                Outcome::Repaired { page, was_wrong } => {
                    attempts += 1;
                    let max_attempts = if was_wrong {
                        MAX_ATTEMPTS
                    } else {
                        MAX_ATTEMPTS_FOR_ORDER
                    };
                    if attempts >= max_attempts {
                        return Ok(page);
                    }
                }
                Outcome::Done(page) => return Ok(page),
            }
        }
    }

    async fn try_list(
        self,
        context: &RequestContext,
        request: &ListRequest,
        scopes: &[Vec<u8>],
    ) -> Result<Outcome> {
        let by_scope = scopes.iter().map(|scope| self.candidates(request, scope));
        let mut candidates = Vec::new();
        for in_scope in count_as_one(try_join_all(by_scope)).await? {
            match in_scope {
                Some(in_scope) => candidates.extend(in_scope),
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
        let Repair {
            was_wrong,
            was_late,
        } = self.repair(shown, &entries).await?;
        for (candidate, entry) in shown.iter().zip(entries) {
            let Some(entry) = entry else { continue };
            let has_status = request
                .status
                .is_none_or(|status| status.as_str().as_bytes() == entry.bucket);
            if has_status {
                let document = entry.document.unwrap_or_default();
                let stored = StoredSession {
                    // A document that is not UTF-8 is listed as unreadable.
                    document: String::from_utf8(document).unwrap_or_default(),
                    message_count: entry.message_count.unwrap_or(0),
                    last_seq: entry.last_seq.unwrap_or(0),
                    activity: candidate.micros.max(entry.activity),
                };
                page.add(
                    context,
                    &candidate.id,
                    &stored,
                    entry.message_count.is_some(),
                );
            }
        }
        Ok(if was_wrong || was_late {
            Outcome::Repaired { page, was_wrong }
        } else {
            Outcome::Done(page)
        })
    }
}

/// Returns how many sessions fit on a page, at least one. Missing sessions take no room.
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
