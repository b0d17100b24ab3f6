//! Lua scripts: each is one atomic step. A process sends its text once, which teaches Redis its hash, and
//! the hash from then on; the text again where Redis forgot it. Behind each stands the count of its caller's
//! requests, so that counting takes no round trip of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use once_cell::sync::Lazy;
use redis::{Cmd, FromRedisValue, ParsingError, ServerErrorKind, Value};

use super::error::{Error, Result};
use super::keys;
use crate::caller::Caller;
use crate::rate_limit::{Allowance, Quota, RateLimit};

/// How many arguments a call has about, and of how many bytes in all.
const CALL_ARGUMENTS: usize = 24;
const CALL_BYTES: usize = 1024;

/// A script with the functions that all share.
#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    hash: String,
    was_sent: AtomicBool,
}

/// A script in `scripts/`, read at compile time.
macro_rules! script {
    ($file:literal) => {
        Lazy::new(|| {
            Script::new(concat!(
                include_str!("scripts/prelude.lua"),
                "\nlocal function operate()\n",
                include_str!($file),
                "\nend\n",
                include_str!("scripts/limit.lua")
            ))
        })
    };
}

pub(super) static CREATE: Lazy<Script> = script!("scripts/create.lua");
pub(super) static FIND: Lazy<Script> = script!("scripts/find.lua");
pub(super) static LIST: Lazy<Script> = script!("scripts/list.lua");
pub(super) static UPDATE: Lazy<Script> = script!("scripts/update.lua");
pub(super) static DELETE: Lazy<Script> = script!("scripts/delete.lua");
pub(super) static APPEND: Lazy<Script> = script!("scripts/append.lua");
pub(super) static READ_SKILLS: Lazy<Script> = script!("scripts/read_skills.lua");
pub(super) static REMEMBER_SKILLS: Lazy<Script> = script!("scripts/remember_skills.lua");
pub(super) static REMEMBER_NEW_SKILL: Lazy<Script> = script!("scripts/remember_new_skill.lua");
pub(super) static FORGET_SKILL: Lazy<Script> = script!("scripts/forget_skill.lua");
pub(super) static COUNT_USAGE: Lazy<Script> = script!("scripts/count_usage.lua");
pub(super) static ADMIT: Lazy<Script> = script!("scripts/admit.lua");

impl Script {
    fn new(text: &'static str) -> Self {
        let hash = redis::Script::new(text).get_hash().to_owned();
        Self {
            text,
            hash,
            was_sent: AtomicBool::new(false),
        }
    }

    /// The start of a call.
    pub(super) fn call(&self) -> Cmd {
        if !self.was_sent.load(Ordering::Relaxed) {
            return self.call_with_text();
        }
        let mut call = Cmd::with_capacity(CALL_ARGUMENTS, CALL_BYTES);
        call.arg("EVALSHA").arg(&self.hash);
        call
    }

    /// The start of a call for a Redis that does not know the script.
    pub(super) fn call_with_text(&self) -> Cmd {
        self.was_sent.store(true, Ordering::Relaxed);
        let mut call = redis::cmd("EVAL");
        call.arg(self.text);
        call
    }

    /// Whether Redis answered a call by hash that it does not know the script.
    pub(super) fn is_unknown_to(answer: &Value) -> bool {
        matches!(answer, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
    }
}

/// Puts who calls behind the arguments of a call, where `prelude.lua` takes it from, and counts the call where
/// it is the request's first one.
pub(super) fn add_caller(call: &mut Cmd, by: &Caller, limit: Option<&RateLimit>) {
    let scopes = match by.volumes() {
        None => "*".to_owned(),
        Some(volumes) => {
            let scopes: Vec<String> = volumes.iter().map(keys::scope).collect();
            scopes.join("\n")
        }
    };
    call.arg(scopes)
        .arg(u8::from(by.may_change_something().is_ok()));
    match limit {
        Some(limit) => call
            .arg(keys::rate(&limit.caller))
            .arg(u64::try_from(limit.interval().as_micros()).unwrap_or(u64::MAX))
            .arg(limit.requests),
        None => call.arg("").arg(0).arg(0),
    };
}

/// What a script returned, and what is left of its caller's limit.
pub(super) fn read_answer(answer: Value, quota: &Quota) -> Result<Value> {
    let (counted, returned): (Option<Reply>, Value) = match answer {
        Value::Array(mut parts) => {
            let returned = (parts.len() > 1).then(|| parts.swap_remove(1));
            let counted = parts.into_iter().next().unwrap_or(Value::Nil);
            (
                Option::from_redis_value(counted)?,
                returned.unwrap_or(Value::Nil),
            )
        }
        other => return Err(Error::Unreadable(format!("a script answered {other:?}"))),
    };
    let Some(mut counted) = counted else {
        return Ok(returned);
    };
    match counted.next::<String>()?.as_str() {
        "allowed" => {
            quota.note(Allowance {
                remaining: counted.next()?,
                reset: Duration::from_micros(counted.next()?),
            });
            Ok(returned)
        }
        "limited" => {
            let pause = Duration::from_micros(counted.next()?);
            quota.note(Allowance {
                remaining: 0,
                reset: pause,
            });
            Err(Error::RateLimited(pause))
        }
        other => Err(unknown_reply(other)),
    }
}

/// What a script answered: a word that says what happened, and values that belong to it.
pub(super) struct Reply(std::vec::IntoIter<Value>);

impl Reply {
    /// The next value.
    pub(super) fn next<T: FromRedisValue>(&mut self) -> Result<T> {
        Ok(T::from_redis_value(self.0.next().unwrap_or(Value::Nil))?)
    }
}

impl FromRedisValue for Reply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        Vec::from_redis_value(value).map(|values| Self(values.into_iter()))
    }
}

/// What a word says that no script of ours answers.
pub(super) fn unknown_reply(word: &str) -> Error {
    Error::Unreadable(format!("a script answered {word}"))
}
