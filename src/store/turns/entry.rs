//! Entries of the log of a turn.

use redis::streams::StreamRangeReply;

use crate::domain::chat::turn::TurnStatus;

/// What an entry contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Chunks, after which more follow.
    Chunks,
    /// The closing chunks of a turn that ended so.
    End(TurnStatus),
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number, from 1.
    pub number: u64,
    /// What it contains.
    pub kind: EntryKind,
    /// The chunks, one JSON object per line.
    pub chunks: String,
}

/// Returns the entries of a part of a log. Malformed ones are left out.
pub(super) fn read_entries(entries: StreamRangeReply) -> Vec<Entry> {
    let entries = entries.ids.into_iter().filter_map(|entry| {
        let kind = match entry.get::<String>("k")?.as_str() {
            "f" => EntryKind::End(TurnStatus::parse(&entry.get::<String>("s")?)?),
            _ => EntryKind::Chunks,
        };
        Some(Entry {
            number: entry.id.split('-').next()?.parse().ok()?,
            kind,
            chunks: entry.get("d")?,
        })
    });
    entries.collect()
}
