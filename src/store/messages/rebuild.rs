//! Rebuilds the message index of a session from its messages, after its keys were lost.

use std::collections::{BTreeMap, HashMap};

use redis::{FromRedisValue, ParsingError, Value};

use crate::domain::message::told_seq;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::call::Call;
use crate::store::error::{Error, Result};
use crate::store::executor::Executor;
use crate::store::reply::Reply;
use crate::store::script;

/// The number of messages that one call reads.
const MESSAGES_PER_CALL: usize = 500;
/// The maximum number of times that the messages change while the index is rebuilt.
const MAX_ATTEMPTS: usize = 10;

/// What the index is made of: a message's id, the parent that its text names, and whether it is deleted.
struct Scanned {
    id: String,
    /// `=` and an id, `null`, or empty.
    parent: String,
    is_deleted: bool,
}

/// Reply of `scripts/scan.lua`.
struct ScanReply {
    last_seq: usize,
    messages: Vec<Scanned>,
}

impl FromRedisValue for ScanReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let last_seq = reply.next()?;
        let messages = reply.triples::<String, String, String>()?;
        let messages = messages.into_iter().map(|(id, parent, deleted)| Scanned {
            id,
            parent,
            is_deleted: deleted == "1",
        });
        Ok(Self {
            last_seq,
            messages: messages.collect(),
        })
    }
}

impl Executor {
    /// Rebuilds the message index of a session. The active branch is then that of the newest message.
    ///
    /// Takes one round trip for every 500 messages or 1 MB.
    pub(in crate::store) async fn rebuild_index(
        &self,
        context: &RequestContext,
        id: &SessionId,
    ) -> Result<()> {
        let scheme = self.scheme();
        let mut scanned: Vec<Scanned> = Vec::new();
        for _ in 0..MAX_ATTEMPTS {
            loop {
                let call = Call::new(&script::SCAN, scheme.message_keys(id, false, Vec::new()))
                    .arg(id.as_str())
                    .flag(false)
                    .number(scanned.len() + 1)
                    .number(MESSAGES_PER_CALL);
                let reply: Option<ScanReply> = self.execute(context, &call).await?;
                let Some(reply) = reply else { return Ok(()) };
                let is_empty = reply.messages.is_empty();
                scanned.extend(reply.messages);
                if is_empty || scanned.len() >= reply.last_seq {
                    break;
                }
            }
            let index = Index::of(&scanned);
            let keys = scheme.message_keys(id, true, Vec::new());
            let call = Call::new(&script::REBUILD, keys)
                .arg(id.as_str())
                .flag(true)
                .number(scanned.len());
            let reply: Option<Vec<String>> = self.execute(context, &index.add_to(call)).await?;
            if reply.is_none_or(|reply| reply == ["rebuilt"]) {
                return Ok(());
            }
        }
        Err(Error::Unreadable(
            "the messages changed all the time while their index was rebuilt".to_owned(),
        ))
    }
}

/// A segment of messages, each one's parent the one before, apart from the first one's.
struct Segment {
    first: usize,
    parent: usize,
    /// The number of messages on the path to the parent.
    depth: usize,
    parent_id: String,
}

impl Segment {
    /// Returns the segment in the form that `messages.lua` documents.
    fn member(&self) -> String {
        format!(
            "{}:{}:{}:{}",
            self.first, self.parent, self.depth, self.parent_id
        )
    }
}

/// A message index; `messages.lua` documents its parts.
struct Index {
    has_branches: bool,
    visible: usize,
    ids: Vec<String>,
    segments: Vec<String>,
    path: Vec<String>,
    deleted: Vec<String>,
    versions: Vec<String>,
}

impl Index {
    fn of(scanned: &[Scanned]) -> Self {
        let segments = segments_of(scanned);
        let path = path_of(&segments, scanned.len());
        let visible = path.iter().map(|(first, last)| {
            let messages = scanned.get(first - 1..*last).unwrap_or_default();
            messages
                .iter()
                .filter(|message| !message.is_deleted)
                .count()
        });
        let is_on_path = |segment: &&Segment| path.iter().any(|(first, _)| *first == segment.first);
        Self {
            has_branches: segments.len() > 1 || scanned.iter().any(|message| message.is_deleted),
            visible: visible.sum(),
            ids: ids_of(scanned),
            path: segments
                .iter()
                .filter(is_on_path)
                .map(Segment::member)
                .collect(),
            deleted: deleted_of(scanned),
            versions: versions_of(&segments, scanned),
            segments: segments.iter().map(Segment::member).collect(),
        }
    }

    fn add_to(self, call: Call<'_>) -> Call<'_> {
        let state = if self.has_branches { "branches" } else { "ids" };
        let lists = [
            self.ids,
            self.segments,
            self.path,
            self.deleted,
            self.versions,
        ];
        let call = call.arg(state).number(self.visible);
        lists.into_iter().fold(call, |call, list| {
            let length = list.len();
            list.into_iter().fold(call.number(length), Call::owned)
        })
    }
}

/// Returns the ids that do not tell their seq, and that none is missing.
fn ids_of(scanned: &[Scanned]) -> Vec<String> {
    let mut ids = vec![String::new(), "complete".to_owned()];
    for (seq, message) in (1..).zip(scanned) {
        if told_seq(&message.id) != Some(seq) {
            ids.extend([message.id.clone(), seq.to_string()]);
        }
    }
    ids
}

fn segments_of(scanned: &[Scanned]) -> Vec<Segment> {
    let mut segments = vec![Segment {
        first: 1,
        parent: 0,
        depth: 0,
        parent_id: String::new(),
    }];
    let mut seqs: HashMap<&str, usize> = HashMap::new();
    for (seq, message) in (1..).zip(scanned) {
        let parent = match message.parent.strip_prefix('=') {
            // A parent that is not there: the message before, as for a message that names none.
            Some(id) => seqs.get(id).copied().unwrap_or(seq - 1),
            None if message.parent == "null" => 0,
            None => seq - 1,
        };
        if parent != seq - 1 {
            let depth = depth_of(&segments, parent);
            let parent_id = parent.checked_sub(1).map(|index| scanned[index].id.clone());
            segments.push(Segment {
                first: seq,
                parent,
                depth,
                parent_id: parent_id.unwrap_or_default(),
            });
        }
        seqs.insert(&message.id, seq);
    }
    segments
}

/// Returns the segment that contains a message.
fn segment_of(segments: &[Segment], seq: usize) -> &Segment {
    let behind = segments.partition_point(|segment| segment.first <= seq);
    &segments[behind.saturating_sub(1)]
}

/// Returns the number of messages on the path to a message.
fn depth_of(segments: &[Segment], seq: usize) -> usize {
    if seq == 0 {
        return 0;
    }
    let segment = segment_of(segments, seq);
    segment.depth + seq - segment.first + 1
}

/// Returns the first and last seq of each segment on the path to a message, the last one first.
fn path_of(segments: &[Segment], tip: usize) -> Vec<(usize, usize)> {
    let mut path = Vec::new();
    let mut seq = tip;
    while seq > 0 {
        let segment = segment_of(segments, seq);
        path.push((segment.first, seq));
        seq = segment.parent;
    }
    path
}

/// Returns the ranges of deleted messages.
fn deleted_of(scanned: &[Scanned]) -> Vec<String> {
    let mut ranges: Vec<(usize, usize)> = vec![(0, 0)];
    for (seq, _) in (1..).zip(scanned).filter(|(_, message)| message.is_deleted) {
        match ranges.last_mut() {
            Some((first, last)) if *last + 1 == seq && *first > 0 => *last = seq,
            _ => ranges.push((seq, seq)),
        }
    }
    ranges
        .iter()
        .map(|(first, last)| format!("{first}:{last}"))
        .collect()
}

/// Returns the parents that have several children, or one that is not the next message, and their children.
fn versions_of(segments: &[Segment], scanned: &[Scanned]) -> Vec<String> {
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for segment in &segments[1..] {
        children
            .entry(segment.parent)
            .or_default()
            .push(segment.first);
    }
    let mut versions = vec![String::new(), String::new()];
    for (parent, mut seqs) in children {
        let next = parent + 1;
        let begins_segment = segment_of(segments, next).first == next;
        if next == 1 || !begins_segment {
            seqs.insert(0, next);
        }
        let visible = seqs.iter().filter(|seq| !scanned[**seq - 1].is_deleted);
        let visible = visible.map(|seq| format!("{seq}:{}", scanned[*seq - 1].id));
        versions.push(parent.to_string());
        versions.push(visible.collect::<Vec<_>>().join(" "));
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(messages: &[(&str, &str, bool)]) -> Vec<Scanned> {
        let scanned = messages.iter().map(|(id, parent, is_deleted)| Scanned {
            id: (*id).to_owned(),
            parent: (*parent).to_owned(),
            is_deleted: *is_deleted,
        });
        scanned.collect()
    }

    #[test]
    fn index_has_segments_path_versions_and_deleted_ranges() {
        // a b c, then d beside b, e behind d, f a new beginning, g behind c.
        let index = Index::of(&scan(&[
            ("a", "", false),
            ("b", "", false),
            ("c", "", true),
            ("d", "=a", false),
            ("e", "", true),
            ("f", "null", false),
            ("g", "=c", false),
        ]));
        assert_eq!(index.segments, ["1:0:0:", "4:1:1:a", "6:0:0:", "7:3:3:c"]);
        assert_eq!(index.path, ["1:0:0:", "7:3:3:c"]);
        assert_eq!(index.visible, 3);
        assert_eq!(index.deleted, ["0:0", "3:3", "5:5"]);
        assert_eq!(
            index.versions,
            ["", "", "0", "1:a 6:f", "1", "2:b 4:d", "3", "7:g"]
        );
        assert!(index.has_branches);
    }

    #[test]
    fn ids_that_tell_their_seq_are_not_indexed() {
        let index = Index::of(&scan(&[
            ("msg_1", "", false),
            ("msg_0a-2", "", false),
            ("msg_0a-2x", "", false),
            ("msg_9", "", false),
        ]));
        assert_eq!(index.ids, ["", "complete", "msg_0a-2x", "3", "msg_9", "4"]);
        assert!(!index.has_branches);
    }
}
