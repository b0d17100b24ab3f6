//! Appends messages to a session and replaces others, all or none.

use super::attempt::{AppendReply, Attempt, Attempts, Outcome, StoredReply};
use super::expected::Expected;
use super::outcome::{Rejected, Stored};
use super::replacement::Replacement;
use crate::domain::message::NewMessage;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::idempotency::Idempotency;
use crate::store::script;
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

/// The maximum size of the messages of one call as they are stored, in bytes: the response contains all of them, and that of
/// a Vercel function is limited to 4.5 MB.
const MAX_STORED_BYTES: usize = 4_400_000;

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
        let mut attempts = Attempt::list(append.messages);
        let bytes: usize = attempts.iter().map(Attempt::stored_bytes).sum();
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
            let Some(outcome) = reply.resolve(&mut attempts)? else {
                continue;
            };
            return Ok(match outcome {
                Outcome::Stored(reply) => Some(into_appended(reply, attempts)),
                Outcome::Stale => {
                    let current = self.stale_session(context, id).await?;
                    current.map(|current| Rejected::Stale(current).into())
                }
                Outcome::Rejected(rejected) => Some(rejected.into()),
            });
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
        let executor = self.executor()?;
        let call = Attempt::begin_call(
            &script::APPEND,
            now(),
            append.idempotency,
            expected_state,
            attempts,
            append.replacements,
        );
        let further = executor
            .scheme()
            .reply_keys(id, append.idempotency.is_some());
        executor
            .execute_on_messages(context, id, further, call)
            .await
    }
}

fn into_appended(reply: StoredReply, attempts: Attempts<'_>) -> Appended {
    let is_replayed = reply.is_replayed;
    let stored = reply.into_stored(attempts);
    match is_replayed {
        true => Appended::Replayed(stored),
        false => Appended::Done(stored),
    }
}
