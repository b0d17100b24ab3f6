//! Begins turns: the user's message and the reservation are one step.

use std::time::Duration;

use redis::{FromRedisValue, ParsingError, Value};

use super::{ACTIVE_LOG, LEASE, millis};
use crate::domain::chat::turn::{Operation, TurnId};
use crate::domain::message::{MessageId, NewMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::idempotency::{Idempotency, REPLY_SECONDS};
use crate::store::messages::attempt::{AppendReply, Attempt, Outcome};
use crate::store::messages::{Rejected, Replacement, Stored};
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::time::now;

/// A turn to begin.
#[derive(Clone, Copy, Debug)]
pub struct Begin<'a> {
    /// The id.
    pub turn: &'a TurnId,
    /// The secret of the producer.
    pub owner: &'a str,
    /// What is done.
    pub operation: Operation,
    /// The model.
    pub model: &'a str,
    /// The id of the answer.
    pub message_id: &'a MessageId,
    /// The message of the user, for `Submit` and `Edit`.
    pub message: Option<&'a NewMessage>,
    /// The id of the stored message that is answered, for `Regenerate` and `Continue`.
    pub user_message_id: Option<&'a MessageId>,
    /// For `Edit`: the id of the message that gets a new version, and the id that the stored version gets instead.
    pub edited: Option<(&'a MessageId, &'a MessageId)>,
    /// For `Continue`: the answer with the outputs of tools.
    pub replacement: Option<&'a Replacement>,
    /// The number of parts of that answer.
    pub base: usize,
    /// The id that the newest message of the active branch must have.
    pub expected_head: Option<&'a MessageId>,
    /// The key by which a repeated request is recognized.
    pub idempotency: Option<&'a Idempotency>,
    /// The first entry of the log.
    pub entry: &'a str,
    /// The longest duration.
    pub duration: Duration,
    /// The name by which the turns of the caller are counted.
    pub client: &'a str,
    /// Whether the limits of the caller allow the turn. If not, only an earlier turn is found.
    pub has_budget: bool,
}

/// Result of beginning a turn.
#[derive(Debug)]
pub enum Begun {
    /// The turn began; these are the appended messages.
    Begun(Stored),
    /// The same request began this turn, with this answer.
    Replayed(TurnId, Option<MessageId>),
    /// This turn is active.
    Busy {
        /// The active turn.
        turn: TurnId,
        /// The id of its answer.
        message_id: String,
    },
    /// This turn has not ended, but has lost its producer. It must be ended first.
    Dead(TurnId),
    /// The message does not exist.
    NoMessage,
    /// The newest message is another one.
    HistoryChanged,
    /// The idempotency key belongs to a different request.
    IdempotencyMismatch,
    /// The limits of the caller do not allow the turn.
    NoBudget,
    /// The messages cannot be stored.
    Rejected(Rejected),
}

/// Reply of `scripts/begin_turn.lua`.
enum BeginReply {
    Begun(Begun),
    Appended(AppendReply),
}

impl FromRedisValue for BeginReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value.clone())?;
        let turn = |reply: &mut Reply| {
            let id = reply.next::<String>()?;
            TurnId::parse(&id).ok_or_else(|| unknown_reply("the id of a turn"))
        };
        let begun = match reply.next::<String>()?.as_str() {
            "turn-replayed" => {
                let id = turn(&mut reply)?;
                let message_id: Option<String> = reply.next()?;
                Begun::Replayed(id, message_id.and_then(|id| MessageId::parse(&id)))
            }
            "busy" => {
                let id = turn(&mut reply)?;
                let _status: String = reply.next()?;
                Begun::Busy {
                    turn: id,
                    message_id: reply.next()?,
                }
            }
            "dead" => Begun::Dead(turn(&mut reply)?),
            "no-message" => Begun::NoMessage,
            "stale" => Begun::HistoryChanged,
            "mismatch" => Begun::IdempotencyMismatch,
            "no-budget" => Begun::NoBudget,
            _ => return AppendReply::from_redis_value(value).map(Self::Appended),
        };
        Ok(Self::Begun(begun))
    }
}

impl Store {
    /// Begins a turn; `None` if the session does not exist or the caller may not read it.
    ///
    /// Takes one round trip; two if the message is stored already.
    pub async fn begin_turn(
        &self,
        context: &RequestContext,
        id: &SessionId,
        begin: Begin<'_>,
    ) -> Result<Option<Begun>> {
        let mut attempts = Attempt::list(begin.message);
        loop {
            let reply: Option<BeginReply> = self.try_begin(context, id, &begin, &attempts).await?;
            let reply = match reply {
                None => return Ok(None),
                // A repeated call whose first reply was lost.
                Some(BeginReply::Begun(Begun::Replayed(turn, _))) if turn == *begin.turn => {
                    return Ok(Some(Begun::Begun(Stored::default())));
                }
                Some(BeginReply::Begun(begun)) => return Ok(Some(begun)),
                Some(BeginReply::Appended(reply)) => reply,
            };
            let Some(outcome) = reply.resolve(&mut attempts)? else {
                continue;
            };
            return Ok(Some(match outcome {
                Outcome::Stored(reply) => Begun::Begun(reply.into_stored(attempts)),
                Outcome::Stale => Begun::HistoryChanged,
                Outcome::Rejected(rejected) => Begun::Rejected(rejected),
            }));
        }
    }

    async fn try_begin(
        &self,
        context: &RequestContext,
        id: &SessionId,
        begin: &Begin<'_>,
        attempts: &[Attempt<'_>],
    ) -> Result<Option<BeginReply>> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let mut keys = vec![scheme.turn(id), scheme.turn_log(id, begin.turn)];
        keys.extend(begin.idempotency.map(|it| scheme.turn_key(id, &it.key)));
        let (edited, renamed) = begin.edited.map_or(("", ""), |(edited, renamed)| {
            (edited.as_str(), renamed.as_str())
        });
        let now = now();
        let script = &script::BEGIN_TURN;
        let call = Attempt::begin_call(script, now, None, "", attempts, begin.replacement)
            .arg(begin.operation.as_str())
            .arg(begin.turn.as_str())
            .arg(begin.owner)
            .arg(begin.message_id.as_str())
            .arg(begin.model)
            .number(begin.base)
            .number(now.timestamp_millis())
            .number(millis(LEASE))
            .number(millis(begin.duration))
            .number(millis(ACTIVE_LOG))
            .arg(begin.entry)
            .arg(begin.expected_head.map_or("", |id| id.as_str()))
            .arg(begin.user_message_id.map_or("", |id| id.as_str()))
            .arg(edited)
            .arg(renamed)
            .arg(begin.idempotency.map_or("", |it| &it.fingerprint))
            .number(REPLY_SECONDS)
            .arg(begin.client)
            .flag(begin.has_budget);
        executor.execute_on_messages(context, id, keys, call).await
    }
}
