//! The new messages of a call of a script that begins with `append.lua`, and what the script replies.

use chrono::{DateTime, Utc};
use redis::{FromRedisValue, ParsingError, Value};

use super::outcome::{Rejected, Stored};
use super::replacement::Replacement;
use crate::domain::message::{Members, Message, MessageId, NewMessage, Parent, StoredMessage};
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::idempotency::{Idempotency, REPLY_SECONDS};
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script::Script;
use crate::util::time::now;

/// Reply of `scripts/append.lua`.
pub(in crate::store) enum AppendReply {
    Outcome(Outcome),
    /// Number, seq and text of messages whose ids are taken.
    Exists(Vec<(usize, u64, Vec<u8>)>),
    Deleted(usize),
}

/// What a call did.
pub(in crate::store) enum Outcome {
    Stored(StoredReply),
    Stale,
    Rejected(Rejected),
}

pub(in crate::store) struct StoredReply {
    pub(super) is_replayed: bool,
    message_count: u64,
    last_seq: u64,
    /// Seq, id of the parent, and the text unless it was appended.
    entries: Vec<(u64, Option<String>, Option<Vec<u8>>)>,
}

impl FromRedisValue for AppendReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let case = reply.next::<String>()?;
        Ok(Self::Outcome(match case.as_str() {
            "exists" => return Ok(Self::Exists(reply.triples()?)),
            "deleted" => return Ok(Self::Deleted(reply.next()?)),
            "appended" | "replayed" => Outcome::Stored(StoredReply {
                is_replayed: case == "replayed",
                message_count: reply.next()?,
                last_seq: reply.next()?,
                entries: reply.triples()?,
            }),
            "stale" => Outcome::Stale,
            "no-parent" => Outcome::Rejected(Rejected::NoParent(reply.next()?)),
            "no-place" => Outcome::Rejected(Rejected::ReservedId(reply.next()?)),
            "too-many-branches" => Outcome::Rejected(Rejected::TooManyBranches),
            "changed" => Outcome::Rejected(Rejected::Changed(reply.next()?)),
            "mismatch" => Outcome::Rejected(Rejected::IdempotencyMismatch),
            "read-only" => Outcome::Rejected(Rejected::ReadOnly),
            other => return Err(unknown_reply(other)),
        }))
    }
}

impl AppendReply {
    /// Returns what the call did. `None` if it found only messages that are stored already, which are now known: then it
    /// must be repeated.
    pub(in crate::store) fn resolve(self, attempts: &mut [Attempt<'_>]) -> Result<Option<Outcome>> {
        let rejected = match self {
            Self::Outcome(outcome) => return Ok(Some(outcome)),
            Self::Exists(taken) => match mark_same(attempts, taken) {
                None => return Ok(None),
                Some(other) => Rejected::Exists(other),
            },
            Self::Deleted(number) => match attempts.get(number) {
                Some(attempt) => Rejected::Deleted(attempt.id()),
                None => return Err(unknown_reply("deleted").into()),
            },
        };
        Ok(Some(Outcome::Rejected(rejected)))
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
    /// Returns the messages of a call, created now.
    pub(in crate::store) fn list(
        messages: impl IntoIterator<Item = &'a NewMessage>,
    ) -> Attempts<'a> {
        let now = now();
        let attempts = messages.into_iter().map(|new| Self::new(new, now));
        attempts.collect()
    }

    fn new(new: &'a NewMessage, now: DateTime<Utc>) -> Self {
        let parent = match &new.parent_id {
            Parent::Newest => String::new(),
            Parent::Root => "null".to_owned(),
            Parent::Message(id) => format!("={id}"),
        };
        Self {
            new,
            stored: new.to_stored(now),
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

    /// Returns the size of the message as it is stored.
    pub(super) fn stored_bytes(&self) -> usize {
        self.stored.rest().len()
    }

    /// Returns a call of a script that begins with `append.lua`. `expected_state` is empty if any state is.
    pub(in crate::store) fn begin_call<'c>(
        script: &'static Script,
        now: DateTime<Utc>,
        idempotency: Option<&'c Idempotency>,
        expected_state: &'c str,
        attempts: &'c [Self],
        replacements: impl IntoIterator<Item = &'c Replacement>,
    ) -> Call<'c> {
        let call = Call::new(script, Vec::new())
            .number(now.timestamp_micros())
            .arg(idempotency.map_or("", |it| &it.key))
            .arg(idempotency.map_or("", |it| &it.fingerprint))
            .number(REPLY_SECONDS)
            .arg(expected_state)
            .number(attempts.len());
        let call = attempts
            .iter()
            .fold(call, |call, attempt| attempt.add_to(call));
        let replacements = replacements.into_iter();
        replacements.fold(call, |call, replacement| replacement.add_to(call))
    }

    /// Returns the id, which the message must have.
    fn id(&self) -> MessageId {
        let id = self.new.id.clone();
        id.expect("only a message with an id of its own can have a stored one")
    }
}

impl StoredReply {
    /// Returns the messages of a call that is done.
    pub(in crate::store) fn into_stored(self, attempts: Attempts<'_>) -> Stored {
        let mut stored = Stored {
            messages: Vec::with_capacity(self.entries.len()),
            deduplicated: Vec::new(),
            message_count: self.message_count,
            last_seq: self.last_seq,
        };
        let mut attempts = attempts.into_iter();
        for (seq, parent_id, text) in self.entries {
            let attempt = attempts.next();
            let message = match (text, attempt) {
                (None, Some(attempt)) => attempt.stored.with_seq(seq),
                (text, _) => {
                    let message = Message::from_stored(text.unwrap_or_default(), seq);
                    if !self.is_replayed {
                        stored.deduplicated.push(message.id().into_owned());
                    }
                    message
                }
            };
            stored.messages.push(message.with_parent(parent_id));
        }
        stored
    }
}

/// Marks the messages that are stored already; returns the id of one that is taken by another message.
fn mark_same(attempts: &mut [Attempt<'_>], taken: Vec<(usize, u64, Vec<u8>)>) -> Option<MessageId> {
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
