//! Appends messages to sessions.

use redis::{FromRedisValue, ParsingError, Value};

use super::call::Call;
use super::error::Result;
use super::handle::Store;
use super::idempotency::{Idempotency, REPLY_SECONDS};
use super::reply::{Reply, unknown_reply};
use super::script;
use crate::domain::message::{Message, NewMessage, StoredMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::util::time::now;

/// Result of appending messages.
#[derive(Debug)]
pub enum Appended {
    /// The messages are stored; the `seq` of the last one is the session's message count.
    Done(Vec<Message>),
    /// An earlier request with the same `Idempotency-Key` stored these messages.
    Replayed(Vec<Message>),
    /// The `Idempotency-Key` belongs to a different request.
    IdempotencyMismatch,
    /// Nothing is stored: the caller may only read the session.
    ReadOnly,
}

/// Reply of `scripts/append.lua`.
enum AppendReply {
    Appended { first: u64 },
    Replayed { first: u64, messages: Vec<Vec<u8>> },
    IdempotencyMismatch,
    ReadOnly,
}

impl FromRedisValue for AppendReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "appended" => Ok(Self::Appended {
                first: reply.next()?,
            }),
            "replayed" => Ok(Self::Replayed {
                first: reply.next()?,
                messages: reply.next()?,
            }),
            "mismatch" => Ok(Self::IdempotencyMismatch),
            "read-only" => Ok(Self::ReadOnly),
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Appends 1–100 messages, all or none; `None` if the session does not exist or the caller may not read it.
    pub async fn append_messages(
        &self,
        context: &RequestContext,
        id: &SessionId,
        messages: Vec<NewMessage>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Option<Appended>> {
        let now = now();
        let stored: Vec<StoredMessage> = messages
            .into_iter()
            .map(|message| message.into_stored(now))
            .collect();
        let (key, fingerprint) = idempotency.map_or(("", ""), |idempotency| {
            (&idempotency.key, &idempotency.fingerprint)
        });
        let executor = self.executor()?;
        let keys = executor.scheme().append_keys(id, idempotency.is_some());
        let call = Call::new(&script::APPEND, keys)
            .arg(id.as_str())
            .number(now.timestamp_micros())
            .arg(key)
            .arg(fingerprint)
            .number(REPLY_SECONDS)
            .args(stored.iter().map(StoredMessage::as_str));
        let reply: Option<AppendReply> = executor.execute(context, &call).await?;
        Ok(reply.map(|reply| match reply {
            AppendReply::Appended { first } => {
                let messages = (first..).zip(stored);
                Appended::Done(messages.map(|(seq, stored)| stored.with_seq(seq)).collect())
            }
            AppendReply::Replayed { first, messages } => {
                Appended::Replayed(read_messages(first, messages))
            }
            AppendReply::IdempotencyMismatch => Appended::IdempotencyMismatch,
            AppendReply::ReadOnly => Appended::ReadOnly,
        }))
    }
}

/// Reads consecutive stored messages; `first` is the `seq` of the first one.
pub(super) fn read_messages(first: u64, texts: impl IntoIterator<Item = Vec<u8>>) -> Vec<Message> {
    (first..)
        .zip(texts)
        .map(|(seq, text)| Message::from_stored(text, seq))
        .collect()
}
