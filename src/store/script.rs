//! Lua scripts: each is one atomic step. A process sends its text once, which teaches Redis its hash, and
//! the hash from then on; the text again where Redis forgot it. Behind each stands the count of its caller's
//! requests, so that counting takes no round trip of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use once_cell::sync::OnceCell;
use redis::{Cmd, FromRedisValue, ParsingError, ServerErrorKind, Value};

use super::error::{Error, Result};
use super::keys::{self, Names};
use crate::domain::rate_limit::{RateLimit, RateLimitState, RateLimitStatus};
use crate::domain::request_context::RequestContext;

/// How many arguments a call has about, and of how many bytes in all.
const CALL_ARGUMENTS: usize = 24;
const CALL_BYTES: usize = 1024;

/// A script, which reads otherwise on a cluster.
#[derive(Debug)]
pub(super) struct Script {
    plain: Text,
    tagged: Text,
}

/// What is sent of a script: operations, put together with the functions that all share at the first call.
#[derive(Debug)]
struct Text {
    operation: &'static [&'static str],
    whole: OnceCell<(String, String)>,
    was_sent: AtomicBool,
}

/// A script of files in `scripts/`, read at compile time.
macro_rules! script {
    ($($file:literal),+) => {
        script!(plain: $($file),+; cluster: $($file),+)
    };
    (plain: $($plain:literal),+; cluster: $($cluster:literal),+) => {
        Script {
            plain: Text::new(&[$(include_str!(concat!("scripts/", $plain))),+]),
            tagged: Text::new(&[$(include_str!(concat!("scripts/", $cluster))),+]),
        }
    };
}

pub(super) static CREATE: Script = script!(plain: "create.lua"; cluster: "cluster/create.lua");
pub(super) static FIND: Script = script!("find.lua");
pub(super) static LIST: Script = script!(
    plain: "time.lua", "list.lua", "page.lua";
    cluster: "list.lua", "cluster/candidates.lua"
);
pub(super) static UPDATE: Script = script!("update.lua");
pub(super) static DELETE: Script = script!("delete.lua");
pub(super) static APPEND: Script = script!("append.lua");
pub(super) static READ_SKILLS: Script = script!("read_skills.lua");
pub(super) static REMEMBER_SKILLS: Script = script!("remember_skills.lua");
pub(super) static REMEMBER_NEW_SKILL: Script = script!("remember_new_skill.lua");
pub(super) static FORGET_SKILL: Script = script!("forget_skill.lua");
pub(super) static COUNT_USAGE: Script = script!("count_usage.lua");
pub(super) static ADMIT: Script = script!(plain: "admit.lua"; cluster: "cluster/count.lua");
pub(super) static RESERVE: Script = script!("cluster/reserve.lua");
pub(super) static ENTER: Script = script!("cluster/enter.lua");
pub(super) static FORGET: Script = script!("cluster/forget.lua");
pub(super) static NOTE: Script = script!("cluster/note.lua");
pub(super) static ENTRY: Script = script!("time.lua", "cluster/entry.lua");
pub(super) static INDEX_MEMBERS: Script = script!("cluster/index_members.lua");

impl Script {
    /// The start of a call.
    pub(super) fn call(&self, names: Names) -> Cmd {
        let text = self.text(names);
        if !text.was_sent.load(Ordering::Relaxed) {
            return self.call_with_text(names);
        }
        let mut call = Cmd::with_capacity(CALL_ARGUMENTS, CALL_BYTES);
        call.arg("EVALSHA").arg(&text.whole(names).1);
        call
    }

    /// The start of a call for a Redis that does not know the script.
    pub(super) fn call_with_text(&self, names: Names) -> Cmd {
        let text = self.text(names);
        text.was_sent.store(true, Ordering::Relaxed);
        let mut call = redis::cmd("EVAL");
        call.arg(&text.whole(names).0);
        call
    }

    fn text(&self, names: Names) -> &Text {
        match names {
            Names::Plain => &self.plain,
            Names::Tagged => &self.tagged,
        }
    }

    /// Whether Redis answered a call by hash that it does not know the script.
    pub(super) fn is_unknown_to(answer: &Value) -> bool {
        matches!(answer, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
    }
}

impl Text {
    const fn new(operation: &'static [&'static str]) -> Self {
        Self {
            operation,
            whole: OnceCell::new(),
            was_sent: AtomicBool::new(false),
        }
    }

    /// The text as it is sent, and its hash.
    fn whole(&self, names: Names) -> &(String, String) {
        self.whole.get_or_init(|| {
            let [around, index, answer] = match names {
                Names::Plain => [
                    "local OPEN, CLOSE = '', ''\n",
                    include_str!("scripts/index.lua"),
                    include_str!("scripts/answer.lua"),
                ],
                Names::Tagged => [
                    "local OPEN, CLOSE = '{', '}'\n",
                    include_str!("scripts/cluster/index.lua"),
                    include_str!("scripts/cluster/answer.lua"),
                ],
            };
            let parts = [
                around,
                include_str!("scripts/prelude.lua"),
                index,
                include_str!("scripts/access.lua"),
                include_str!("scripts/limit.lua"),
                "local function operate()\n",
                &self.operation.concat(),
                "end\n",
                answer,
            ];
            let text = parts.concat();
            let hash = redis::Script::new(&text).get_hash().to_owned();
            (text, hash)
        })
    }
}

/// Puts who calls behind the arguments of a call, where `prelude.lua` takes it from, and counts the call where
/// it is the request's first one.
pub(super) fn add_caller(call: &mut Cmd, context: &RequestContext, limit: Option<&RateLimit>) {
    let scopes = match context.caller.volumes() {
        None => "*".to_owned(),
        Some(volumes) => {
            let scopes: Vec<String> = volumes.iter().map(keys::scope).collect();
            scopes.join("\n")
        }
    };
    call.arg(scopes).arg(u8::from(context.caller.can_write()));
    match limit {
        Some(limit) => call
            .arg(keys::rate(&limit.caller))
            .arg(u64::try_from(limit.interval().as_micros()).unwrap_or(u64::MAX))
            .arg(limit.requests),
        None => call.arg("").arg(0).arg(0),
    };
}

/// The same on a cluster, where such a call counts nothing. `standing` is whether the session stands in sets of
/// the caller's, as `cluster/index.lua` has it.
pub(super) fn add_caller_on_cluster(call: &mut Cmd, context: &RequestContext, standing: &str) {
    call.arg(standing);
    add_caller(call, context, None);
}

/// Puts the same behind a call that we make for ourselves.
pub(super) fn add_nobody(call: &mut Cmd) {
    call.arg("").arg("*").arg(1).arg("").arg(0).arg(0);
}

/// What a script returned, and what is left of its caller's limit.
pub(super) fn read_answer(answer: Value, rate_limit: &RateLimitState) -> Result<Value> {
    let [counted, returned, _] = parts_of(answer)?;
    record_rate_limit(counted, rate_limit)?;
    Ok(returned)
}

/// What a script returned on a cluster, and what has to follow in other slots.
pub(super) fn read_answer_of_step(answer: Value) -> Result<(Value, Vec<Vec<u8>>)> {
    let [_, returned, follow_up] = parts_of(answer)?;
    Ok((returned, Vec::from_redis_value(follow_up)?))
}

/// Notes what counting a request answered: what is left of its caller's limit.
pub(super) fn record_rate_limit(counted: Value, rate_limit: &RateLimitState) -> Result<()> {
    let counted: Option<Reply> = Option::from_redis_value(counted)?;
    let Some(mut counted) = counted else {
        return Ok(());
    };
    match counted.next::<String>()?.as_str() {
        "allowed" => {
            rate_limit.record(RateLimitStatus {
                remaining: counted.next()?,
                reset: Duration::from_micros(counted.next()?),
            });
            Ok(())
        }
        "limited" => {
            let pause = Duration::from_micros(counted.next()?);
            rate_limit.record(RateLimitStatus {
                remaining: 0,
                reset: pause,
            });
            Err(Error::RateLimited(pause))
        }
        other => Err(unknown_reply(other)),
    }
}

/// The parts of an answer; nothing for those that are not there.
fn parts_of(answer: Value) -> Result<[Value; 3]> {
    let Value::Array(parts) = answer else {
        return Err(Error::Unreadable(format!("a script answered {answer:?}")));
    };
    let mut parts = parts.into_iter();
    Ok([(); 3].map(|()| parts.next().unwrap_or(Value::Nil)))
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
