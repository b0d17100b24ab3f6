//! Repairs index entries that differ from their sessions, because the follow-up of an operation was lost.

use futures_util::future::{join, join_all};

use super::entry::{Candidate, Entry};
use super::multi_slot::MultiSlot;
use crate::store::error::Result;
use crate::util::metrics::count_as_one;

/// Result of comparing an index with its sessions.
pub(super) struct Repair {
    /// The index contained a missing session, or one with another status.
    pub(super) was_wrong: bool,
    /// The index contained an earlier activity than the session.
    pub(super) was_late: bool,
}

impl MultiSlot<'_> {
    /// Compares candidates with their sessions, and repairs the index where they differ.
    pub(super) async fn repair(
        self,
        candidates: &[Candidate<'_>],
        entries: &[Option<Entry>],
    ) -> Result<Repair> {
        let (mut missing, mut moved, mut was_late) = (Vec::new(), Vec::new(), false);
        for (candidate, entry) in candidates.iter().zip(entries) {
            match entry {
                None => missing.push(candidate),
                // The details of the index are compared by the list itself.
                Some(_) if !candidate.is_recent() => {}
                Some(entry) if entry.bucket != candidate.bucket => moved.push((candidate, entry)),
                Some(entry) if entry.activity > candidate.micros => {
                    was_late = true;
                    moved.push((candidate, entry));
                }
                Some(_) => {}
            }
        }
        let was_wrong = !missing.is_empty()
            || moved
                .iter()
                .any(|(candidate, entry)| entry.bucket != candidate.bucket);
        let put = moved
            .iter()
            .map(|(candidate, entry)| self.put(candidate, entry));
        let removed = missing.iter().map(|candidate| self.remove(candidate));
        let (put, removed) = count_as_one(join(join_all(put), join_all(removed))).await;
        put.into_iter().chain(removed).collect::<Result<()>>()?;
        Ok(Repair {
            was_wrong,
            was_late,
        })
    }

    async fn put(self, candidate: &Candidate<'_>, entry: &Entry) -> Result<()> {
        // The session lost a later activity together with a node, and the change that it belonged to.
        let is_forced = entry.activity < candidate.micros;
        let in_index = entry.in_index(&candidate.id);
        self.index_put(candidate.scope, &in_index, is_forced).await
    }

    /// Removes a missing session from an index, and puts it back if a repeated create request stored it meanwhile.
    async fn remove(self, candidate: &Candidate<'_>) -> Result<()> {
        self.index_remove(candidate.scope, &candidate.id).await?;
        match self.entry(&candidate.id, 0).await? {
            Some(entry) => self.put(candidate, &entry).await,
            None => Ok(()),
        }
    }
}
