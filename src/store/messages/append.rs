//! Appends messages to a session and replaces others, all or none.

use chrono::{DateTime, Utc};
use redis::{FromRedisValue, ParsingError, Value};

use super::expected::Expected;
use crate::domain::message::{Members, Message, MessageId, NewMessage, Parent, StoredMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId};
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::idempotency::{Idempotency, REPLY_SECONDS};
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script::{self, Script};
use crate::util::hash::sha1;
use crate::util::time::now;

/// What to append and to replace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Append<'a> {
    /// The messages to append, at most 200.
    pub messages: &'a [NewMessage],
    /// The messages to replace.
    pub replacements: &'a [Replacement],
    /// The caller's `Idempotency-Key`.
    pub idempotency: Option<&'a Idempotency>,
    /// The versions of the session that the caller expects.
    pub expected: Option<&'a [String]>,
    /// The state of the session that the messages were compared with, as [`MessagesById`](super::MessagesById) has it,
    /// if the session must still have it.
    pub state: Option<&'a str>,
}

/// A message to replace in place.
#[derive(Clone, Debug)]
pub struct Replacement {
    seq: u64,
    /// The SHA-1 of the text that is replaced.
    sha: String,
    text: String,
}

impl Replacement {
    /// Returns the replacement of the text of `stored` by `text`.
    pub fn new(stored: &Message, text: String) -> Self {
        Self {
            seq: stored.seq(),
            sha: sha1(stored.text()),
            text,
        }
    }

    fn add_to<'c>(&'c self, call: Call<'c>) -> Call<'c> {
        call.number(self.seq).arg(&self.sha).arg(&self.text)
    }
}

/// The messages of a call that is done.
#[derive(Debug, Default)]
pub struct Stored {
    /// The messages, in the order of the request.
    pub messages: Vec<Message>,
    /// The ids of those that were stored before.
    pub deduplicated: Vec<String>,
    /// The number of messages of the active branch.
    pub message_count: u64,
    /// The `seq` of the last message of the session.
    pub last_seq: u64,
}

/// The maximum size of the messages of one call as they are stored, in bytes: the response contains all of them, and that of
/// a Vercel function is limited to 4.5 MB.
const MAX_STORED_BYTES: usize = 4_400_000;

/// Why nothing is stored. Positions are those in the request, from 0.
#[derive(Debug)]
pub enum Rejected {
    /// Another message of the session has this id.
    Exists(MessageId),
    /// A deleted message of the session has this id.
    Deleted(MessageId),
    /// The parent of this message does not exist.
    NoParent(usize),
    /// This message has an id of the form `msg_1`, which only names messages that are there.
    ReservedId(usize),
    /// The session has as many branches as it can have.
    TooManyBranches,
    /// The messages as they are stored are larger than a response can be.
    TooLarge,
    /// A message to replace was changed meanwhile; it has this text now.
    Changed(Vec<u8>),
    /// The session's version, which is this one, is not an expected one.
    Stale(Box<SessionAndVersion>),
    /// The `Idempotency-Key` belongs to a different request.
    IdempotencyMismatch,
    /// The caller may only read the session.
    ReadOnly,
}

/// Result of appending messages.
#[derive(Debug)]
pub enum Appended {
    /// The messages are stored.
    Done(Stored),
    /// An earlier request with the same `Idempotency-Key` stored these messages.
    Replayed(Stored),
    /// Nothing is stored.
    Rejected(Box<Rejected>),
}

impl From<Rejected> for Appended {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}

/// Reply of `scripts/append.lua`.
pub(in crate::store) enum AppendReply {
    Stored(StoredReply),
    /// Number, seq and text of messages whose ids are taken.
    Exists(Vec<(usize, u64, Vec<u8>)>),
    Deleted(usize),
    Stale,
    Rejected(Rejected),
}

pub(in crate::store) struct StoredReply {
    is_replayed: bool,
    message_count: u64,
    last_seq: u64,
    /// Seq, id of the parent, and the text unless it was appended.
    entries: Vec<(u64, Option<String>, Option<Vec<u8>>)>,
}

impl FromRedisValue for AppendReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let case = reply.next::<String>()?;
        Ok(match case.as_str() {
            "appended" | "replayed" => Self::Stored(StoredReply {
                is_replayed: case == "replayed",
                message_count: reply.next()?,
                last_seq: reply.next()?,
                entries: reply.triples()?,
            }),
            "exists" => Self::Exists(reply.triples()?),
            "deleted" => Self::Deleted(reply.next()?),
            "stale" => Self::Stale,
            "no-parent" => Self::Rejected(Rejected::NoParent(reply.next()?)),
            "no-place" => Self::Rejected(Rejected::ReservedId(reply.next()?)),
            "too-many-branches" => Self::Rejected(Rejected::TooManyBranches),
            "changed" => Self::Rejected(Rejected::Changed(reply.next()?)),
            "mismatch" => Self::Rejected(Rejected::IdempotencyMismatch),
            "read-only" => Self::Rejected(Rejected::ReadOnly),
            other => return Err(unknown_reply(other)),
        })
    }
}

/// A new message, and whether the stored message with its id is known to be the same.
pub(in crate::store) struct Attempt<'a> {
    new: &'a NewMessage,
    stored: StoredMessage,
    parent: String,
    is_known: bool,
}

/// The new messages of a call.
pub(in crate::store) type Attempts<'a> = Vec<Attempt<'a>>;

impl<'a> Attempt<'a> {
    pub(in crate::store) fn new(new: &'a NewMessage, stored: StoredMessage) -> Self {
        let parent = match &new.parent_id {
            Parent::Newest => String::new(),
            Parent::Root => "null".to_owned(),
            Parent::Message(id) => format!("={id}"),
        };
        Self {
            new,
            stored,
            parent,
            is_known: false,
        }
    }

    fn add_to<'c>(&'c self, call: Call<'c>) -> Call<'c> {
        call.arg(self.stored.own_id())
            .arg(self.stored.head())
            .arg(self.stored.rest())
            .arg(&self.parent)
            .flag(self.new.activate.unwrap_or(true))
            .flag(self.is_known)
    }

    /// Returns a call of a script that begins with `append.lua`, without an `Idempotency-Key` and an expected state.
    pub(in crate::store) fn begin_call<'c>(
        script: &'static Script,
        now: DateTime<Utc>,
        attempts: &'c [Self],
        replacement: Option<&'c Replacement>,
    ) -> Call<'c> {
        let call = Call::new(script, Vec::new())
            .number(now.timestamp_micros())
            .arg("")
            .arg("")
            .number(REPLY_SECONDS)
            .arg("")
            .number(attempts.len());
        let call = attempts
            .iter()
            .fold(call, |call, attempt| attempt.add_to(call));
        match replacement {
            Some(replacement) => replacement.add_to(call),
            None => call,
        }
    }

    /// Returns the id, which the message must have.
    pub(in crate::store) fn id(&self) -> MessageId {
        let id = self.new.id.clone();
        id.expect("only a message with an id of its own can have a stored one")
    }
}

impl Store {
    /// Appends messages and replaces others, all or none; `None` if the session does not exist or the caller may not
    /// read it.
    ///
    /// A message whose id is taken by one with the same content is not stored again. Takes one round trip; two if an id
    /// is taken, with expected versions one more, which reads the session.
    pub async fn append_messages(
        &self,
        context: &RequestContext,
        id: &SessionId,
        append: Append<'_>,
    ) -> Result<Option<Appended>> {
        let expected_state = match append.state {
            Some(state) => Some(Expected::State(state.to_owned())),
            None => self.expected_state(context, id, append.expected).await?,
        };
        let expected_state = match expected_state {
            None => return Ok(None),
            Some(Expected::State(state)) => state,
            Some(Expected::Stale(current)) => return Ok(Some(Rejected::Stale(current).into())),
        };
        let now = now();
        let attempts = append
            .messages
            .iter()
            .map(|new| Attempt::new(new, new.to_stored(now)));
        let mut attempts: Vec<Attempt<'_>> = attempts.collect();
        let bytes: usize = attempts
            .iter()
            .map(|attempt| attempt.stored.rest().len())
            .sum();
        if bytes > MAX_STORED_BYTES {
            return Ok(Some(Rejected::TooLarge.into()));
        }
        loop {
            let reply = self
                .try_append(context, id, &append, &attempts, &expected_state)
                .await?;
            let Some(reply) = reply else {
                return Ok(None);
            };
            return Ok(Some(match reply {
                AppendReply::Stored(reply) => into_appended(reply, attempts),
                AppendReply::Exists(taken) => match mark_same(&mut attempts, taken) {
                    None => continue,
                    Some(other) => Rejected::Exists(other).into(),
                },
                AppendReply::Deleted(number) => match attempts.get(number) {
                    Some(attempt) => Rejected::Deleted(attempt.id()).into(),
                    None => return Err(unknown_reply("deleted").into()),
                },
                AppendReply::Stale => match self.stale_session(context, id).await? {
                    Some(current) => Rejected::Stale(current).into(),
                    None => return Ok(None),
                },
                AppendReply::Rejected(rejected) => rejected.into(),
            }));
        }
    }

    async fn try_append(
        &self,
        context: &RequestContext,
        id: &SessionId,
        append: &Append<'_>,
        attempts: &[Attempt<'_>],
        expected_state: &str,
    ) -> Result<Option<AppendReply>> {
        let (key, fingerprint) = append.idempotency.map_or(("", ""), |idempotency| {
            (&idempotency.key, &idempotency.fingerprint)
        });
        let executor = self.executor()?;
        let call = Call::new(&script::APPEND, Vec::new())
            .number(now().timestamp_micros())
            .arg(key)
            .arg(fingerprint)
            .number(REPLY_SECONDS)
            .arg(expected_state)
            .number(attempts.len());
        let call = attempts
            .iter()
            .fold(call, |call, attempt| attempt.add_to(call));
        let replacements = append.replacements.iter();
        let call = replacements.fold(call, |call, replacement| replacement.add_to(call));
        let further = executor
            .scheme()
            .reply_keys(id, append.idempotency.is_some());
        executor
            .execute_on_messages(context, id, further, call)
            .await
    }
}

/// Marks the messages that are stored already; returns the id of one that is taken by another message.
pub(in crate::store) fn mark_same(
    attempts: &mut [Attempt<'_>],
    taken: Vec<(usize, u64, Vec<u8>)>,
) -> Option<MessageId> {
    for (number, _, text) in taken {
        let attempt = attempts.get_mut(number)?;
        let stored = Members::parse_owned(str::from_utf8(&text).unwrap_or_default());
        let is_same = stored.is_some_and(|stored| attempt.new.has_content_of(&stored));
        if !is_same {
            return Some(attempt.id());
        }
        attempt.is_known = true;
    }
    None
}

fn into_appended(reply: StoredReply, attempts: Attempts<'_>) -> Appended {
    let is_replayed = reply.is_replayed;
    let stored = stored_of(reply, attempts);
    match is_replayed {
        true => Appended::Replayed(stored),
        false => Appended::Done(stored),
    }
}

/// Returns the messages of a call that is done.
pub(in crate::store) fn stored_of(reply: StoredReply, attempts: Attempts<'_>) -> Stored {
    let mut stored = Stored {
        messages: Vec::with_capacity(reply.entries.len()),
        deduplicated: Vec::new(),
        message_count: reply.message_count,
        last_seq: reply.last_seq,
    };
    let mut attempts = attempts.into_iter();
    for (seq, parent_id, text) in reply.entries {
        let attempt = attempts.next();
        let message = match (text, attempt) {
            (None, Some(attempt)) => attempt.stored.with_seq(seq),
            (text, _) => {
                let message = Message::from_stored(text.unwrap_or_default(), seq);
                if !reply.is_replayed {
                    stored.deduplicated.push(message.id().into_owned());
                }
                message
            }
        };
        stored.messages.push(message.with_parent(parent_id));
    }
    stored
}
