//! Lists sessions on a cluster: reads the indexes of the scopes, then the sessions from their own slots, and repairs
//! the index where they differ.

use futures_util::future::try_join_all;
use tokio::time::{Instant, timeout_at};

use super::candidates::InScope;
use super::entry::{Candidate, Entry};
use super::multi_slot::MultiSlot;
use super::repair::Repair;
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::request_context::RequestContext;
use crate::domain::session_filter::SortOrder;
use crate::store::connection::timeouts::{RESPONSE_TIMEOUT, deadline_exceeded};
use crate::store::error::Result;
use crate::store::page::{Cursor, Part, PartEntry, PartRequest, Source};
use crate::util::metrics::count_as_one;

/// Maximum number of times that a page is read again because its sessions are missing or have another status.
const MAX_ATTEMPTS: usize = 20;
/// Maximum number of times that a page is read again because its sessions have a later activity. Appends can change
/// the order all the time.
const MAX_ATTEMPTS_FOR_ORDER: usize = 2;
/// Larger documents are read once it is certain that they fit on the page.
const MAX_BYTES_AT_ONCE: usize = 64 * 1024;
/// The limit for the documents that are read at once together. It makes the former limit smaller if they are many.
const MAX_BYTES_IN_ALL: usize = 16 * 1024 * 1024;

/// Result of one attempt to read a page.
enum Outcome {
    /// Members of a set were indexed.
    Indexed,
    /// The part differed from the index, which is repaired now.
    Repaired { part: Part, was_wrong: bool },
    /// The part matches the index.
    Done(Part),
    /// There are more pinned sessions than requested.
    TooMany,
}

impl MultiSlot<'_> {
    /// Reads a part of the list of some scopes, with those of the system volumes if `with_system` is set; `None` if it
    /// has more pinned sessions than requested.
    ///
    /// Takes two steps: the indexes, and the sessions. Before them, one step reads the system volumes. Further steps
    /// read large documents, index what is not indexed, and repair the index.
    pub(in crate::store) async fn list(
        self,
        context: &RequestContext,
        request: &PartRequest<'_>,
        scopes: &[String],
        with_system: bool,
    ) -> Result<Option<Part>> {
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
            let outcome = timeout_at(deadline, self.try_list(request, &scopes));
            match outcome.await.map_err(|_| deadline_exceeded())?? {
                Outcome::Indexed => deadline = Instant::now() + RESPONSE_TIMEOUT,
                Outcome::Repaired { part, was_wrong } => {
                    attempts += 1;
                    let max_attempts = if was_wrong {
                        MAX_ATTEMPTS
                    } else {
                        MAX_ATTEMPTS_FOR_ORDER
                    };
                    if attempts >= max_attempts {
                        return Ok(Some(part));
                    }
                }
                Outcome::Done(part) => return Ok(Some(part)),
                Outcome::TooMany => return Ok(None),
            }
        }
    }

    async fn try_list(self, request: &PartRequest<'_>, scopes: &[Vec<u8>]) -> Result<Outcome> {
        let by_scope = scopes.iter().map(|scope| self.candidates(request, scope));
        let (mut candidates, mut total) = (Vec::new(), 0);
        for in_scope in count_as_one(try_join_all(by_scope)).await? {
            match in_scope {
                InScope::Found(in_scope, count) => {
                    candidates.extend(in_scope);
                    total += count;
                }
                InScope::TooMany => return Ok(Outcome::TooMany),
                InScope::Indexed => return Ok(Outcome::Indexed),
            }
        }
        if request.source == Source::Pinned && candidates.len() > request.size {
            return Ok(Outcome::TooMany);
        }
        candidates.sort_by(|a, b| (a.micros, &a.id).cmp(&(b.micros, &b.id)));
        if request.list.order == SortOrder::Desc {
            candidates.reverse();
        }
        candidates.truncate(request.size + 1);
        let shown = &candidates[..candidates.len().min(request.size)];
        let at_once = (MAX_BYTES_IN_ALL / shown.len().max(1)).min(MAX_BYTES_AT_ONCE);
        let mut entries = self.entries(shown, at_once).await?;

        let end = end_of_page(&entries);
        if request.source == Source::Pinned && end < entries.len() {
            return Ok(Outcome::TooMany);
        }
        entries.truncate(end);
        let shown = &shown[..end];
        self.read_large_documents(shown, &mut entries).await?;

        let Repair {
            was_wrong,
            was_late,
        } = self.repair(shown, &entries).await?;
        let read = shown.iter().zip(entries);
        let part = Part {
            entries: read
                .filter_map(|(candidate, entry)| Some(part_entry(candidate, entry?)))
                .collect(),
            next: (0 < end && end < candidates.len()).then(|| Cursor {
                micros: candidates[end - 1].micros,
                id: candidates[end - 1].id.clone(),
            }),
            total,
        };
        Ok(if was_wrong || was_late {
            Outcome::Repaired { part, was_wrong }
        } else {
            Outcome::Done(part)
        })
    }
}

fn part_entry(candidate: &Candidate<'_>, entry: Entry) -> PartEntry {
    PartEntry {
        id: candidate.id.clone(),
        document: entry.document.unwrap_or_default(),
        message_count: entry.message_count,
        last_seq: entry.last_seq,
        activity: match candidate.is_recent() {
            true => candidate.micros.max(entry.activity),
            false => entry.activity,
        },
        micros: candidate.micros,
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
