//! Reads sessions with plain commands in one round trip, which cost Redis less than a script. Only on a single Redis.
//!
//! Commands of other clients may run between them, so the message count and the activity are read before and after: every
//! change of a session changes one of them. The caller's access is checked on the document before anything else is used.
//! What plain commands cannot read is left to `scripts/find.lua`: sessions with branches, pages of other ranges, sessions in
//! another bucket of the index than `active`, and malformed data.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::{FromRedisValue, Pipeline, Value};

use super::call::{Call, Envelope};
use super::document::StoredSession;
use super::error::Result;
use super::executor::Executor;
use super::keys::{self, KeyScheme};
use super::messages::page::{Part, id_in};
use super::page::is_of_another_caller;
use super::reply::read_reply;
use super::script::{self, is_noscript};
use crate::domain::message::{MAX_PAGE_BYTES, MessageRange};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::domain::volume::VolumeKind;

/// The maximum number of messages of a page that is read directly.
const MAX_MESSAGES: usize = 64;
/// The maximum size of a document that is read directly; those of this service are smaller.
const MAX_DOCUMENT_BYTES: usize = 32 * 1024;
/// A larger message is returned as an empty one, which is invalid: see `scripts/find.lua`.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// The maximum size of a small page.
const MAX_SMALL_PAGE_BYTES: usize = 512 * 1024;
/// The maximum number of known hashes.
const MAX_KNOWN: usize = 8192;

/// Hashes of what a process knows, at most a number of them.
#[derive(Debug, Default)]
pub(super) struct KnownHashes(Mutex<HashSet<u64>>);

impl KnownHashes {
    pub(super) fn contains(&self, hash: u64) -> bool {
        self.lock().contains(&hash)
    }

    /// Adds or removes a hash.
    pub(super) fn set(&self, hash: u64, is_known: bool) {
        let mut known = self.lock();
        if !is_known {
            known.remove(&hash);
        } else {
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            known.insert(hash);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sessions that callers have read by the script, and whose pages were small: hashes of the caller and the session's id.
/// Plain commands return all messages of a range, whatever their size, and the time that they take would tell a caller who
/// may not read the session that it exists. So only sessions that the caller may read, with small pages, are read directly.
/// It is a hint: each process learns it by itself.
#[derive(Debug, Default)]
pub(super) struct SmallSessions(KnownHashes);

impl SmallSessions {
    fn contains(&self, context: &RequestContext, id: &SessionId) -> bool {
        self.0.contains(hash(context, id))
    }

    /// Records how large a page of a session was.
    pub(super) fn record(&self, context: &RequestContext, id: &SessionId, bytes: usize) {
        self.0.set(hash(context, id), bytes <= MAX_SMALL_PAGE_BYTES);
    }

    fn remove(&self, context: &RequestContext, id: &SessionId) {
        self.0.set(hash(context, id), false);
    }
}

fn hash(context: &RequestContext, id: &SessionId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.as_str().hash(&mut hasher);
    for volume in context.caller.volumes().unwrap_or_default() {
        (volume.kind.as_str(), volume.id.as_str()).hash(&mut hasher);
    }
    context.caller.volumes().is_some().hash(&mut hasher);
    hasher.finish()
}

/// Messages to read: at most `limit` of a range of the active branch.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirectPage {
    pub(super) range: MessageRange,
    pub(super) limit: usize,
}

/// What a direct read found.
pub(super) enum Direct {
    /// The session does not exist, or the caller may not read it.
    Missing,
    /// The session, and whether the caller may change it.
    Found(DirectSession),
    /// The script must read the session.
    Unknown,
}

/// A session that was read directly.
pub(super) struct DirectSession {
    pub(super) can_write: bool,
    pub(super) stored: StoredSession,
    pub(super) has_more: bool,
    pub(super) part: Part,
}

/// The replies to the commands of a read.
struct Replies {
    document: Vec<u8>,
    last_seq: u64,
    /// `None` if the session is not in the bucket `active`.
    activity: Option<i64>,
    /// The message before the range, if there may be one, and those of the range.
    messages: Vec<Vec<u8>>,
}

impl Executor {
    /// Reads a session and a page of its messages.
    pub(super) async fn read_directly(
        &self,
        context: &RequestContext,
        id: &SessionId,
        page: DirectPage,
        known: &SmallSessions,
    ) -> Result<Direct> {
        let is_direct = self.scheme() == KeyScheme::Single
            && page.limit <= MAX_MESSAGES
            && known.contains(context, id);
        let Some((from, to)) = indexes(page).filter(|_| is_direct) else {
            return Ok(Direct::Unknown);
        };
        let commands = commands(id, (page.limit > 0).then_some((from, to)));
        let replies = charged_pipeline(self, context, commands).await?;
        let Some(replies) = decode(replies) else {
            known.remove(context, id);
            return Ok(Direct::Unknown);
        };
        let Some(replies) = replies else {
            return Ok(Direct::Missing);
        };
        let found = check(context, id, page, from, replies, known);
        if matches!(found, Direct::Unknown) {
            known.remove(context, id);
        }
        Ok(found)
    }
}

/// Sends commands that only read in one round trip, and charges the rate limit of the request unless an earlier call did.
/// Rate limiting fails open.
///
/// # Errors
/// [`Error::RateLimited`](super::error::Error::RateLimited).
pub(super) async fn charged_pipeline(
    executor: &Executor,
    context: &RequestContext,
    commands: Pipeline,
) -> Result<Vec<Value>> {
    let connection = executor.connection();
    let charge = context.rate_limit.take();
    if charge.is_none() {
        return connection.pipeline(|_| commands.clone()).await;
    }
    let envelope = Envelope::single(context, charge);
    let call = Call::new(&script::RATE_LIMIT, Vec::new());
    let with_charge = |is_repeated, with_source| {
        let mut commands = commands.clone();
        commands.add_command(call.command(KeyScheme::Single, &envelope, is_repeated, with_source));
        commands
    };
    let mut replies = connection
        .pipeline(|is_repeated| with_charge(is_repeated, false))
        .await?;
    let mut charged = replies.pop().unwrap_or(Value::Nil).extract_error();
    if charged.as_ref().is_err_and(is_noscript) {
        replies = connection
            .pipeline(|is_repeated| with_charge(is_repeated, true))
            .await?;
        charged = replies.pop().unwrap_or(Value::Nil).extract_error();
    }
    if let Ok(charged) = charged {
        read_reply(charged, &context.rate_limit)?;
    }
    Ok(replies)
}

/// Returns the indexes of the list to read: those of the range, and the one before it, whose message is the parent of the
/// first. `None` for a range that depends on the message count.
fn indexes(page: DirectPage) -> Option<(i64, i64)> {
    let limit = i64::try_from(page.limit).ok()?;
    let seq = |seq: u64| i64::try_from(seq).ok().filter(|seq| *seq < i64::MAX / 2);
    match page.range {
        MessageRange::Latest => Some((-limit - 1, -1)),
        MessageRange::After(after) => {
            let after = seq(after)?;
            Some(((after - 1).max(0), after + limit - 1))
        }
        MessageRange::Before(_) | MessageRange::Between(..) => None,
    }
}

fn commands(id: &SessionId, range: Option<(i64, i64)>) -> Pipeline {
    let [document, messages] = keys::single_session_keys(id);
    let mut commands = Pipeline::with_capacity(7);
    let add_state = |commands: &mut Pipeline| {
        commands.cmd("LLEN").arg(&messages);
        commands
            .cmd("ZSCORE")
            .arg(keys::ACTIVE_SESSIONS)
            .arg(id.as_str());
    };
    add_state(&mut commands);
    commands
        .cmd("GETRANGE")
        .arg(document)
        .arg(0)
        .arg(MAX_DOCUMENT_BYTES);
    if let Some((from, to)) = range {
        commands.cmd("LRANGE").arg(&messages).arg(from).arg(to);
    }
    add_state(&mut commands);
    commands
}

/// Decodes the replies. Returns `Some(None)` if the document does not exist, and `None` if a reply has an unexpected type or
/// the session changed between the commands.
#[expect(
    clippy::option_option,
    reason = "no document differs from one of another type"
)]
fn decode(replies: Vec<Value>) -> Option<Option<Replies>> {
    let mut replies = replies.into_iter();
    let state = |replies: &mut std::vec::IntoIter<Value>| {
        let last_seq = u64::from_redis_value(replies.next()?).ok()?;
        let activity = Option::<f64>::from_redis_value(replies.next()?).ok()?;
        Some((last_seq, activity))
    };
    let before = state(&mut replies)?;
    let Value::BulkString(document) = replies.next()? else {
        return None;
    };
    if document.is_empty() {
        return Some(None);
    }
    let messages = match replies.len() {
        3 => Vec::from_redis_value(replies.next()?).ok()?,
        _ => Vec::new(),
    };
    let (last_seq, activity) = state(&mut replies)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "microseconds of an index are integers"
    )]
    let replies = Replies {
        document,
        last_seq,
        activity: activity.map(|micros| micros as i64),
        messages,
    };
    (before == (last_seq, activity)).then_some(Some(replies))
}

/// Checks the caller's access, and returns the session with its page.
fn check(
    context: &RequestContext,
    id: &SessionId,
    page: DirectPage,
    from: i64,
    replies: Replies,
    known: &SmallSessions,
) -> Direct {
    let Ok(document) = String::from_utf8(replies.document) else {
        return Direct::Unknown;
    };
    let stored = StoredSession {
        document,
        message_count: replies.last_seq,
        last_seq: replies.last_seq,
        activity: replies.activity.unwrap_or_default(),
    };
    let Ok(session) = stored.session(id.clone()) else {
        return match is_of_another_caller(&stored.document, context) {
            true => Direct::Missing,
            false => Direct::Unknown,
        };
    };
    if !session.is_readable_by(&context.caller) {
        return Direct::Missing;
    }
    let is_plain = stored.document.len() <= MAX_DOCUMENT_BYTES && !stored.has_branches();
    if replies.activity.is_none() || !is_plain {
        return Direct::Unknown;
    }
    let is_system = session.volume == VolumeKind::System && context.caller.volumes().is_some();
    let (part, has_more, bytes) = page_of(page, from, stored.last_seq, replies.messages);
    known.record(context, id, bytes);
    Direct::Found(DirectSession {
        can_write: context.caller.can_write() && !is_system,
        stored,
        has_more,
        part,
    })
}

/// Returns the messages of a page, whether there are more, and the size of all that were read.
fn page_of(
    page: DirectPage,
    from: i64,
    last_seq: u64,
    mut messages: Vec<Vec<u8>>,
) -> (Part, bool, usize) {
    let bytes = messages.iter().map(Vec::len).sum();
    let count = messages.len() as u64;
    let is_latest = matches!(page.range, MessageRange::Latest);
    // The seq of the first message that was read.
    let mut first = match is_latest {
        true => last_seq + 1 - count,
        false => u64::try_from(from).unwrap_or_default() + 1,
    };
    let has_before = match page.range {
        MessageRange::After(after) => after > 0,
        _ => messages.len() > page.limit,
    };
    let mut parent_id = None;
    if has_before && !messages.is_empty() {
        let before = messages.remove(0);
        parent_id = Some(id_in(&before, first));
        first += 1;
    }
    let kept = kept(&messages, is_latest);
    if is_latest && kept < messages.len() {
        let cut = messages.len() - kept;
        first += cut as u64;
        parent_id = Some(id_in(&messages[cut - 1], first - 1));
        messages.drain(..cut);
    } else {
        messages.truncate(kept);
    }
    for message in &mut messages {
        if message.len() > MAX_MESSAGE_BYTES {
            message.clear();
        }
    }
    let last = first + messages.len() as u64;
    let has_more = match (page.limit, is_latest) {
        (0, _) => last_seq > 0,
        (_, true) => first > 1,
        (_, false) => last <= last_seq,
    };
    ((first, parent_id, messages), has_more, bytes)
}

/// Returns how many messages fit on a page, at least one.
fn kept(messages: &[Vec<u8>], from_the_end: bool) -> usize {
    let (mut bytes, mut count) = (0, 0);
    let mut next = |message: &Vec<u8>| {
        bytes += message.len();
        let fits = bytes <= MAX_PAGE_BYTES || count == 0;
        count += usize::from(fits);
        fits
    };
    match from_the_end {
        true => messages.iter().rev().all(&mut next),
        false => messages.iter().all(&mut next),
    };
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(first: u64, sizes: &[usize]) -> Vec<Vec<u8>> {
        let text = |(seq, size): (u64, &usize)| {
            let mut text = format!(r#"{{"id":"m{seq}""#).into_bytes();
            text.resize((*size).max(text.len()), b' ');
            text
        };
        (first..).zip(sizes).map(text).collect()
    }

    #[track_caller]
    fn check(
        (range, limit): (MessageRange, usize),
        last_seq: u64,
        sizes: &[usize],
        expected: (u64, Option<&str>, usize, bool),
    ) {
        let page = DirectPage { range, limit };
        let (from, _) = indexes(page).unwrap();
        let first = match range {
            MessageRange::Latest => last_seq + 1 - sizes.len() as u64,
            _ => u64::try_from(from).unwrap() + 1,
        };
        let read = messages(first, sizes);
        let ((first, parent, kept), has_more, _) = page_of(page, from, last_seq, read);
        assert_eq!(
            (first, parent.as_deref(), kept.len(), has_more),
            expected,
            "{page:?} of {last_seq}"
        );
    }

    #[test]
    fn page_has_the_parent_of_its_first_message() {
        use MessageRange::{After, Latest};
        check((Latest, 2), 0, &[], (1, None, 0, false));
        check((Latest, 2), 2, &[9, 9], (1, None, 2, false));
        check((Latest, 2), 5, &[9, 9, 9], (4, Some("m3"), 2, true));
        check((Latest, 2), 3, &[9, 9, 9], (2, Some("m1"), 2, true));
        check((After(0), 2), 1, &[9], (1, None, 1, false));
        check((After(0), 2), 5, &[9, 9], (1, None, 2, true));
        check((After(3), 2), 5, &[9, 9, 9], (4, Some("m3"), 2, false));
        check((After(3), 2), 6, &[9, 9, 9], (4, Some("m3"), 2, true));
        check((After(5), 2), 5, &[9], (6, Some("m5"), 0, false));
        check((After(9), 2), 5, &[], (9, None, 0, false));
        check((Latest, 0), 5, &[], (6, None, 0, true));
    }

    #[test]
    fn page_ends_at_its_maximum_size() {
        use MessageRange::{After, Latest};
        let (half, whole) = (MAX_PAGE_BYTES / 2, MAX_PAGE_BYTES);
        check(
            (Latest, 3),
            3,
            &[half, half, half],
            (2, Some("m1"), 2, true),
        );
        check((Latest, 3), 3, &[9, 9, 2 * whole], (3, Some("m2"), 1, true));
        check((After(0), 3), 3, &[half, half, half], (1, None, 2, true));
        check(
            (After(1), 2),
            3,
            &[9, 2 * whole, 9],
            (2, Some("m1"), 1, true),
        );
    }
}
