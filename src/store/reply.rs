//! Replies of scripts: the parts that `reply.lua` returns, and values that are decoded in order.

use std::time::Duration;

use redis::{FromRedisValue, ParsingError, Value};

use super::error::{Error, Result};
use crate::domain::rate_limit::{RateLimitState, RateLimitStatus};

/// The values of a reply. The first one usually names the case; each operation decodes its reply into an enum.
pub(super) struct Reply(std::vec::IntoIter<Value>);

impl Reply {
    /// Decodes the next value.
    pub(super) fn next<T: FromRedisValue>(&mut self) -> Result<T, ParsingError> {
        T::from_redis_value(self.0.next().unwrap_or(Value::Nil))
    }
}

impl Reply {
    /// Returns whether all values are decoded.
    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// Decodes all further values, three at a time.
    pub(super) fn triples<A, B, C>(&mut self) -> Result<Vec<(A, B, C)>, ParsingError>
    where
        A: FromRedisValue,
        B: FromRedisValue,
        C: FromRedisValue,
    {
        let mut triples = Vec::with_capacity(self.0.len() / 3);
        while !self.is_empty() {
            triples.push((self.next()?, self.next()?, self.next()?));
        }
        Ok(triples)
    }
}

impl FromRedisValue for Reply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        Vec::from_redis_value(value).map(|values| Self(values.into_iter()))
    }
}

/// Returns the error of a reply that a script does not document.
pub(super) fn unknown_reply(case: &str) -> ParsingError {
    ParsingError::from(format!("unknown reply of a script: {case}"))
}

/// Reads a reply on a single Redis: records the rate limit and returns the result of the script.
pub(super) fn read_reply(reply: Value, rate_limit: &RateLimitState) -> Result<Value> {
    let [charged, returned, _] = split_reply(reply)?;
    record_rate_limit(charged, rate_limit)?;
    Ok(returned)
}

/// Reads a reply on a cluster: the result of the script, and the follow-up in other slots.
pub(super) fn read_cluster_reply(reply: Value) -> Result<(Value, Value)> {
    let [_, returned, follow_up] = split_reply(reply)?;
    Ok((returned, follow_up))
}

/// Result of `charge_rate_limit.lua`.
enum RateLimitReply {
    Allowed { remaining: u64, reset: Duration },
    Limited { pause: Duration },
}

impl FromRedisValue for RateLimitReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "allowed" => Ok(Self::Allowed {
                remaining: reply.next()?,
                reset: Duration::from_micros(reply.next()?),
            }),
            "limited" => Ok(Self::Limited {
                pause: Duration::from_micros(reply.next()?),
            }),
            other => Err(unknown_reply(other)),
        }
    }
}

/// Records the result of charging the rate limit.
///
/// # Errors
/// [`Error::RateLimited`].
pub(super) fn record_rate_limit(charged: Value, rate_limit: &RateLimitState) -> Result<()> {
    let (remaining, reset, result) = match Option::from_redis_value(charged)? {
        None => return Ok(()),
        Some(RateLimitReply::Allowed { remaining, reset }) => (remaining, reset, Ok(())),
        Some(RateLimitReply::Limited { pause }) => (0, pause, Err(Error::RateLimited(pause))),
    };
    rate_limit.record(RateLimitStatus { remaining, reset });
    result
}

/// Splits a reply into its parts; missing parts are nil.
fn split_reply(reply: Value) -> Result<[Value; 3]> {
    let Value::Array(parts) = reply else {
        return Err(Error::Unreadable(format!("a script replied {reply:?}")));
    };
    let mut parts = parts.into_iter();
    Ok([(); 3].map(|()| parts.next().unwrap_or(Value::Nil)))
}
