//! Appending messages to a session.

use super::error::Result;
use super::script::{self, Reply, unknown_reply};
use super::{Idempotency, REPLY_SECONDS, Store};
use crate::domain::message::{Message, NewMessage, StoredMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::util::time::now;

/// What became of an append.
#[derive(Debug)]
pub enum Appended {
    /// The messages are stored; the last one's `seq` is the session's message count.
    Done(Vec<Message>),
    /// They were stored by an earlier request with the same `Idempotency-Key`.
    Replayed(Vec<Message>),
    /// The `Idempotency-Key` belongs to a request that says something else.
    IdempotencyMismatch,
    /// Nothing is stored: the caller may only read the session.
    ReadOnly,
}

impl Store {
    /// Appends 1–100 messages, all or none; `None` where there is no such session that the
    /// caller may see.
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
        let connection = self.connection()?;
        let keys = connection.names().of_append(id, idempotency.is_some());
        let reply: Option<Reply> = connection
            .script(&script::APPEND, context, |call, repeated| {
                call.arg(keys.len()).arg(&keys);
                call.arg(id.as_str())
                    .arg(now.timestamp_micros())
                    .arg(u8::from(repeated))
                    .arg(key)
                    .arg(fingerprint)
                    .arg(REPLY_SECONDS);
                for message in &stored {
                    call.arg(message.as_str());
                }
            })
            .await?;
        reply.map(|reply| read_reply(reply, stored)).transpose()
    }
}

fn read_reply(mut reply: Reply, sent: Vec<StoredMessage>) -> Result<Appended> {
    match reply.next::<String>()?.as_str() {
        "appended" => {
            let first: u64 = reply.next()?;
            let messages = (first..).zip(sent);
            let messages = messages.map(|(seq, message)| message.with_seq(seq));
            Ok(Appended::Done(messages.collect()))
        }
        "replayed" => {
            let first = reply.next()?;
            let messages: Vec<Vec<u8>> = reply.next()?;
            Ok(Appended::Replayed(read_messages(first, messages)))
        }
        "mismatch" => Ok(Appended::IdempotencyMismatch),
        "read-only" => Ok(Appended::ReadOnly),
        other => Err(unknown_reply(other)),
    }
}

/// Reads stored messages that stand one after another, the first at `first`.
pub(super) fn read_messages(first: u64, texts: impl IntoIterator<Item = Vec<u8>>) -> Vec<Message> {
    (first..)
        .zip(texts)
        .map(|(seq, text)| Message::from_stored(text, seq))
        .collect()
}
