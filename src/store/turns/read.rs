//! Reads and stops turns.

use std::collections::HashMap;

use redis::{FromRedisValue, ParsingError, Value};

use crate::domain::chat::turn::{Operation, Turn, TurnId, TurnStatus};
use crate::domain::message::MessageId;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::time::now;

/// What is known of the turn of a session.
#[derive(Debug)]
pub enum TurnState {
    /// The session has had no turn, or its record expired.
    None,
    /// The current or last turn.
    Turn(Box<Turn>),
    /// The caller may only read the session.
    ReadOnly,
}

impl FromRedisValue for TurnState {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "none" => Ok(Self::None),
            "read-only" => Ok(Self::ReadOnly),
            "turn" => {
                let now = reply.next()?;
                let turn = turn_of(now, &reply.next()?);
                Ok(turn.map_or(Self::None, |turn| Self::Turn(Box::new(turn))))
            }
            other => Err(unknown_reply(other)),
        }
    }
}

/// Returns the turn with these fields; `None` if they are malformed or missing, as after the record was lost.
pub(super) fn turn_of(now: i64, fields: &HashMap<String, String>) -> Option<Turn> {
    let text = |name: &str| fields.get(name).map(String::as_str);
    let number = |name: &str| text(name)?.parse::<i64>().ok();
    let message_id = |name: &str| MessageId::parse(text(name)?);
    Some(Turn {
        id: TurnId::parse(text("id")?)?,
        operation: Operation::parse(text("operation")?)?,
        status: TurnStatus::parse(text("status")?)?,
        model: text("model")?.to_owned(),
        client: text("client").unwrap_or_default().to_owned(),
        message_id: message_id("message_id")?,
        user_message_id: message_id("user_message_id")?,
        user_seq: number("user_seq")?.try_into().ok()?,
        base: number("base")?.try_into().ok()?,
        last_entry: number("seq")?.try_into().ok()?,
        beat: number("beat")?,
        started: number("started")?,
        deadline: number("deadline")?,
        ended: number("ended"),
        error: text("error")
            .filter(|code| !code.is_empty())
            .map(str::to_owned),
        now,
    })
}

impl Store {
    /// Reads the turn of a session; `None` if the session does not exist or the caller may not read it.
    pub async fn find_turn(
        &self,
        context: &RequestContext,
        id: &SessionId,
    ) -> Result<Option<TurnState>> {
        let call = Call::new(&script::FIND_TURN, Vec::new());
        self.turn_call(context, id, call).await
    }

    /// Asks the producer of a turn to stop, and returns the turn after that; `None` if the session does not exist or the
    /// caller may not read it. Without `turn` the current one is stopped; another one than `turn` is left as it is.
    pub async fn stop_turn(
        &self,
        context: &RequestContext,
        id: &SessionId,
        turn: Option<&TurnId>,
    ) -> Result<Option<TurnState>> {
        let call = Call::new(&script::STOP_TURN, Vec::new())
            .arg(turn.map_or("", TurnId::as_str))
            .arg(context.caller.name());
        self.turn_call(context, id, call).await
    }

    async fn turn_call(
        &self,
        context: &RequestContext,
        id: &SessionId,
        call: Call<'_>,
    ) -> Result<Option<TurnState>> {
        let executor = self.executor()?;
        let keys = vec![executor.scheme().turn(id)];
        let call = call.number(now().timestamp_millis());
        executor.execute_on_messages(context, id, keys, call).await
    }
}
