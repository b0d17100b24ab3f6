//! Reserves turns of callers.

use std::time::Duration;

use chrono::NaiveDate;
use redis::{FromRedisValue, ParsingError, Value};

use crate::domain::chat::limits::ChatLimits;
use crate::domain::chat::turn::TurnId;
use crate::domain::chat::usage::dollars_and_units;
use crate::domain::message::MessageId;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::time::now;

/// A turn that is to begin, and what it uses at most.
#[derive(Clone, Copy, Debug)]
pub struct Reservation<'a> {
    /// The name by which callers are told apart.
    pub client: &'a str,
    /// The turn.
    pub turn: &'a TurnId,
    /// The day to whose sums it belongs.
    pub day: NaiveDate,
    /// The session, and the id of the answer.
    pub answer: (&'a SessionId, &'a MessageId),
    /// The longest duration of the turn.
    pub duration: Duration,
    /// The most input and output tokens.
    pub tokens: u64,
    /// The highest cost, in units of 10⁻¹² dollars.
    pub cost: u128,
    /// Whether the turn is reserved already, and only the amounts change.
    pub is_change: bool,
}

/// The result of reserving a turn.
#[derive(Debug)]
pub enum Reserved {
    /// The turn may use that much. These earlier turns were not settled.
    Done(Vec<Unsettled>),
    /// A limit does not allow it.
    Exhausted(Exhausted),
}

/// The limit that does not allow a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Its name in `CHAT_LIMITS`.
    pub limit: String,
    /// The time until the turn is allowed again, at the latest.
    pub wait: Duration,
    /// Whether it is allowed as soon as another turn of the caller ends.
    pub ends_with_turn: bool,
}

/// A turn that should have ended and was not settled: its process died at the wrong time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// The turn.
    pub turn: TurnId,
    /// The day on which it began.
    pub day: NaiveDate,
    /// The id of its answer.
    pub message_id: MessageId,
    /// Its session.
    pub session: SessionId,
}

impl Unsettled {
    fn of(turn: &str, record: &str) -> Option<Self> {
        let mut words = record.splitn(3, ' ');
        Some(Self {
            turn: TurnId::parse(turn)?,
            day: words.next()?.parse().ok()?,
            message_id: MessageId::parse(words.next()?)?,
            session: SessionId::parse(words.next()?)?,
        })
    }
}

impl FromRedisValue for Reserved {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "reserved" => {
                let mut unsettled = Vec::new();
                while !reply.is_empty() {
                    let (turn, record): (String, String) = (reply.next()?, reply.next()?);
                    unsettled.extend(Unsettled::of(&turn, &record));
                }
                Ok(Self::Done(unsettled))
            }
            "exhausted" => Ok(Self::Exhausted(Exhausted {
                limit: reply.next()?,
                wait: Duration::from_millis(reply.next()?),
                ends_with_turn: reply.next()?,
            })),
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Reserves a turn within the limits of its caller, in one step.
    pub async fn reserve_turn(
        &self,
        context: &RequestContext,
        reservation: Reservation<'_>,
        limits: &ChatLimits,
    ) -> Result<Reserved> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let keys = vec![
            scheme.client_turns(reservation.client),
            scheme.client_usage(reservation.client),
        ];
        let (session, message_id) = reservation.answer;
        let day = reservation.day;
        let text = |limit: Option<u64>| limit.map_or_else(String::new, |limit| limit.to_string());
        let [most_dollars, most_units] = dollars_and_units(reservation.cost);
        let cost = limits.cost_per_day.map(dollars_and_units);
        let call = Call::new(&script::RESERVE_TURN, keys)
            .arg(reservation.turn.as_str())
            .owned(day.to_string())
            .number(now().timestamp_millis())
            .number(u64::try_from(reservation.duration.as_millis()).unwrap_or(u64::MAX))
            .owned(format!("{day} {message_id} {session}"))
            .flag(reservation.is_change)
            .number(reservation.tokens)
            .number(most_dollars)
            .number(most_units)
            .number(limits.concurrent_turns)
            .owned(text(limits.turns_per_minute.map(u64::from)))
            .owned(text(limits.tokens_per_day))
            .owned(text(cost.map(|[dollars, _]| dollars)))
            .owned(text(cost.map(|[_, units]| units)));
        executor.execute(context, &call).await
    }
}
