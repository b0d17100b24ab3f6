//! Ends turns: the answer, the last entry of the log and the status are one step.

use redis::{FromRedisValue, ParsingError, Value};

use super::{ENDED_LOG, LEASE, millis};
use crate::domain::chat::turn::{TurnId, TurnStatus};
use crate::domain::message::NewMessage;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::messages::attempt::{AppendReply, Attempt, Outcome};
use crate::store::messages::{Rejected, Replacement, Stored};
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::time::now;

/// The end of a turn.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    /// The turn.
    pub turn: &'a TurnId,
    /// The secret of its producer; empty for a turn that has lost its producer.
    pub owner: &'a str,
    /// The number of the last entry; with an empty `owner` that of the last known entry.
    pub entry: u64,
    /// How it ended.
    pub status: TurnStatus,
    /// The code of the failure.
    pub error: Option<&'a str>,
    /// The closing chunks, one per line.
    pub closing: &'a str,
    /// The answer, unless it is missing or continued.
    pub message: Option<&'a NewMessage>,
    /// The continued answer.
    pub replacement: Option<&'a Replacement>,
    /// Whether a turn without a secret is ended before its lease is over.
    pub is_forced: bool,
}

/// Result of ending a turn.
#[derive(Debug)]
pub enum Committed {
    /// The turn ended.
    Done(Box<Stored>),
    /// The turn had ended before, so.
    Already(TurnStatus),
    /// Another turn began, or another process ended this one.
    Superseded,
    /// The producer is alive.
    Alive,
    /// The log has this last entry.
    Moved(u64),
    /// The answer cannot be stored. The turn has not ended.
    Rejected(Box<Rejected>),
}

/// Reply of `scripts/commit_turn.lua`.
enum CommitReply {
    Committed(Committed),
    Appended(AppendReply),
}

impl FromRedisValue for CommitReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value.clone())?;
        let committed = match reply.next::<String>()?.as_str() {
            "superseded" | "fenced" => Committed::Superseded,
            "already" => {
                let status: String = reply.next()?;
                let status = TurnStatus::parse(&status);
                Committed::Already(status.ok_or_else(|| unknown_reply("the status of a turn"))?)
            }
            "alive" => Committed::Alive,
            "gap" | "moved" => Committed::Moved(reply.next()?),
            _ => return AppendReply::from_redis_value(value).map(Self::Appended),
        };
        Ok(Self::Committed(committed))
    }
}

impl Store {
    /// Ends a turn; `None` if the session was deleted. The caller must have checked the access to the session.
    pub async fn commit_turn(
        &self,
        id: &SessionId,
        commit: Commit<'_>,
    ) -> Result<Option<Committed>> {
        let mut attempts = Attempt::list(commit.message);
        loop {
            let reply = self.try_commit(id, &commit, &attempts).await?;
            let reply = match reply {
                None => return Ok(None),
                Some(CommitReply::Committed(committed)) => return Ok(Some(committed)),
                Some(CommitReply::Appended(reply)) => reply,
            };
            let Some(outcome) = reply.resolve(&mut attempts)? else {
                continue;
            };
            return Ok(Some(match outcome {
                Outcome::Stored(reply) => Committed::Done(Box::new(reply.into_stored(attempts))),
                Outcome::Stale => return Err(unknown_reply("stale").into()),
                Outcome::Rejected(rejected) => Committed::Rejected(Box::new(rejected)),
            }));
        }
    }

    async fn try_commit(
        &self,
        id: &SessionId,
        commit: &Commit<'_>,
        attempts: &[Attempt<'_>],
    ) -> Result<Option<CommitReply>> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let keys = vec![scheme.turn(id), scheme.turn_log(id, commit.turn)];
        let now = now();
        let script = &script::COMMIT_TURN;
        let call = Attempt::begin_call(script, now, None, "", attempts, commit.replacement)
            .arg(commit.turn.as_str())
            .arg(commit.owner)
            .number(commit.entry)
            .arg(commit.status.as_str())
            .arg(commit.error.unwrap_or_default())
            .arg(commit.closing)
            .number(now.timestamp_millis())
            .number(millis(LEASE))
            .number(millis(ENDED_LOG))
            .flag(commit.is_forced);
        executor
            .execute_on_messages(&RequestContext::internal(), id, keys, call)
            .await
    }
}
