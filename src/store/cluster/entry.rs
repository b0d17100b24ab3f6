//! Reads what a list returns of each session, from the session's own slot.

use futures_util::future::try_join_all;
use redis::{FromRedisValue, ParsingError, Value};

use super::index::IndexEntry;
use super::multi_slot::MultiSlot;
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::reply::Reply;
use crate::store::script;
use crate::util::metrics::count_as_one;

/// A session in an index.
pub(super) struct Candidate<'a> {
    pub(super) scope: &'a [u8],
    pub(super) id: Vec<u8>,
    pub(super) micros: i64,
    /// Empty unless the candidate is from an index by last activity.
    pub(super) bucket: Vec<u8>,
}

impl Candidate<'_> {
    /// Returns whether the candidate is from an index by last activity.
    pub(super) fn is_recent(&self) -> bool {
        !self.bucket.is_empty()
    }
}

/// A session in its own slot: see `scripts/cluster/entry.lua`.
pub(super) struct Entry {
    /// `None` if the document is larger than requested.
    pub(super) document: Option<Vec<u8>>,
    pub(super) size: usize,
    /// `None` if the messages are not a list.
    pub(super) message_count: Option<u64>,
    /// `None` in the same case.
    pub(super) last_seq: Option<u64>,
    pub(super) activity: i64,
    pub(super) updated: i64,
    pub(super) created: i64,
    pub(super) bucket: Vec<u8>,
    /// `1` or `0`.
    pub(super) pinned: Vec<u8>,
    pub(super) system_volume: Vec<u8>,
}

impl Entry {
    /// Returns the time of the last activity, or of the last update if that is unknown.
    pub(super) fn latest(&self) -> i64 {
        match self.activity {
            0 => self.updated,
            activity => activity,
        }
    }

    /// Returns the entry that the index must contain.
    pub(super) fn in_index(&self, id: &[u8]) -> IndexEntry {
        IndexEntry {
            id: id.to_owned(),
            micros: self.activity.to_string().into_bytes(),
            bucket: self.bucket.clone(),
            details: self.pinned.clone(),
            created: self.created.to_string().into_bytes(),
        }
    }
}

impl FromRedisValue for Entry {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        Ok(Self {
            document: reply.next()?,
            size: reply.next()?,
            message_count: reply.next()?,
            last_seq: reply.next()?,
            activity: reply.next()?,
            updated: reply.next()?,
            created: reply.next()?,
            bucket: reply.next()?,
            pinned: reply.next()?,
            system_volume: reply.next()?,
        })
    }
}

impl MultiSlot<'_> {
    /// Reads the sessions of candidates; documents of more than `max_bytes` are left out.
    pub(super) async fn entries(
        self,
        candidates: &[Candidate<'_>],
        max_bytes: usize,
    ) -> Result<Vec<Option<Entry>>> {
        let entries = candidates
            .iter()
            .map(|candidate| self.entry(&candidate.id, max_bytes));
        count_as_one(try_join_all(entries)).await
    }

    /// Reads a session; `None` if it does not exist.
    pub(super) async fn entry(self, id: &[u8], max_bytes: usize) -> Result<Option<Entry>> {
        let call = Call::new(&script::ENTRY, self.scheme().entry_keys(id))
            .arg(id)
            .number(max_bytes);
        self.query(&call).await
    }

    /// Reads the documents that [`Self::entries`] left out.
    pub(super) async fn read_large_documents(
        self,
        candidates: &[Candidate<'_>],
        entries: &mut [Option<Entry>],
    ) -> Result<()> {
        let is_large =
            |entry: &Option<Entry>| entry.as_ref().is_some_and(|entry| entry.document.is_none());
        let large: Vec<usize> = (0..entries.len())
            .filter(|index| is_large(&entries[*index]))
            .collect();
        let read = large
            .iter()
            .map(|index| self.entry(&candidates[*index].id, usize::MAX / 2));
        for (index, entry) in large.iter().zip(count_as_one(try_join_all(read)).await?) {
            entries[*index] = entry;
        }
        Ok(())
    }
}
