//! The one connection to Redis: made at the first command, shared by all requests, remade by itself.
//!
//! `cluster` has what it is to a cluster; the rest of this is the same there.
//!
//! What it does when Redis is not well:
//! - dead: a refused connection fails at once, after one more try;
//! - closed while we were idle or frozen: the command is sent again on a new connection;
//! - hung: a command fails after [`RESPONSE_TIMEOUT`], and the connection is dropped, because one that
//!   lost its peer without a word would time out for ever.

pub(super) mod address;
pub(super) mod cluster;
mod node;
pub(super) mod transport;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use once_cell::sync::OnceCell;
use redis::{
    Cmd, ErrorKind, FromRedisValue, ProtocolVersion, RedisError, RedisResult, ServerErrorKind,
    Value,
};

use self::transport::{Settings, Transport};
use super::error::Result;
use super::keys::Names;
use super::script::{self, Script};
use crate::domain::request_context::RequestContext;

/// How long a connection may take to be made, name look-up, TLS and authentication included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long Redis may take to answer a command.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether a command may be sent again when its answer was lost on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Twice has the same effect as once.
    Safe,
    /// Only if it certainly never arrived.
    Never,
}

/// What puts the arguments into a call, and is told whether it repeats one whose answer was lost.
pub(super) type Arguments<'a> = dyn Fn(&mut Cmd, bool) + Sync + 'a;

/// What is left to try of one command.
#[derive(Default)]
struct Retry {
    /// The one retry is used up.
    used: bool,
    /// The command may have run before.
    repeats: bool,
    /// The server refused RESP3, which is no failure yet.
    with_resp2: bool,
}

/// A connection that is made when it is first needed.
pub(super) struct Connection {
    names: Names,
    settings: Settings,
    current: OnceCell<Mutex<Current>>,
}

/// The connection in use. The number tells whether it is still the one that failed.
struct Current {
    number: u64,
    protocol: ProtocolVersion,
    transport: Transport,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Prepares a connection to `url`; `ca_certificate` is PEM text of the authorities to
    /// trust instead of the public ones.
    pub(super) fn new(url: String, ca_certificate: Option<String>) -> Self {
        Self {
            names: if address::is_cluster(&url) {
                Names::Tagged
            } else {
                Names::Plain
            },
            settings: Settings {
                url,
                ca_certificate,
            },
            current: OnceCell::new(),
        }
    }

    /// How keys are named there.
    pub(super) fn names(&self) -> Names {
        self.names
    }

    /// Sends one command.
    pub(super) async fn command<T: FromRedisValue>(
        &self,
        command: &Cmd,
        repeat: Repeat,
    ) -> Result<T> {
        let mut retry = Retry::default();
        loop {
            let (number, mut transport) = self.current()?;
            match transport.send(command).await {
                Ok(answer) => return self.read(number, answer),
                Err(error) => self.recover(number, error, repeat, &mut retry)?,
            }
        }
    }

    /// Runs a script for a caller. `add_arguments` puts the number of keys, the keys and the arguments into the call,
    /// and is told whether this repeats a call whose answer was lost.
    ///
    /// All our scripts can be repeated: each finds out whether it has already run.
    pub(super) async fn script<T: FromRedisValue>(
        &self,
        script: &Script,
        context: &RequestContext,
        add_arguments: impl Fn(&mut Cmd, bool) + Sync,
    ) -> Result<T> {
        let returned = self.run_for(context, script, &add_arguments).await?;
        Ok(T::from_redis_value(returned)?)
    }

    /// The same without what each script adds to a program that is the same for all.
    async fn run_for(
        &self,
        context: &RequestContext,
        script: &Script,
        add: &Arguments<'_>,
    ) -> Result<Value> {
        match self.names {
            Names::Plain => {
                let limit = context.rate_limit.take();
                let complete = |call: &mut Cmd, is_repeated| {
                    add(call, is_repeated);
                    script::add_caller(call, context, limit);
                };
                script::read_answer(self.run(script, &complete).await?, &context.rate_limit)
            }
            Names::Tagged => self.run_in_steps(script, context, add).await,
        }
    }

    /// Counts a request on its caller's limit, if it was not counted yet.
    pub(super) async fn check_rate_limit(&self, context: &RequestContext) -> Result<()> {
        match self.names {
            Names::Plain => {
                let add_no_keys = |call: &mut Cmd, _| {
                    call.arg(0);
                };
                self.script(&script::ADMIT, context, add_no_keys).await
            }
            Names::Tagged => match context.rate_limit.take() {
                Some(limit) => self.count(context, limit).await,
                None => Ok(()),
            },
        }
    }

    /// Runs a script, whose call `complete` makes complete as for [`Self::script`], and gives what it answers.
    pub(super) async fn run(&self, script: &Script, complete: &Arguments<'_>) -> Result<Value> {
        let completed = |mut call: Cmd, is_repeated| {
            complete(&mut call, is_repeated);
            call
        };
        let mut retry = Retry::default();
        let mut call = completed(script.call(self.names), false);
        loop {
            let (number, mut transport) = self.current()?;
            match transport.send(&call).await {
                Ok(answer) if Script::is_unknown_to(&answer) => {
                    call = completed(script.call_with_text(self.names), retry.repeats);
                }
                Ok(answer) => return self.read(number, answer),
                Err(error) => {
                    self.recover(number, error, Repeat::Safe, &mut retry)?;
                    call = completed(script.call(self.names), retry.repeats);
                }
            }
        }
    }

    /// Reads an answer. After a failover the old primary refuses writes on a connection that is otherwise
    /// fine: the next request looks the name up again.
    fn read<T: FromRedisValue>(&self, number: u64, answer: Value) -> Result<T> {
        let answer = answer.extract_error().inspect_err(|error| {
            if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) {
                if let Err(error) = self.replace(number, false) {
                    tracing::warn!(
                        redis.error = %error,
                        "the connection to a demoted primary cannot be replaced"
                    );
                }
            }
        })?;
        Ok(T::from_redis_value(answer)?)
    }

    /// Drops the connection that failed, and passes the error on unless the command may be sent again.
    fn recover(
        &self,
        failed: u64,
        error: RedisError,
        repeat: Repeat,
        retry: &mut Retry,
    ) -> Result<()> {
        if refuses_resp3(&error) && !retry.with_resp2 {
            retry.with_resp2 = true;
            return self.replace(failed, true);
        }
        self.replace(failed, false)?;
        let never_arrived = error.is_connection_refusal();
        let may_repeat = never_arrived || (error.is_connection_dropped() && repeat == Repeat::Safe);
        if !may_repeat || retry.used {
            return Err(error.into());
        }
        retry.used = true;
        retry.repeats = !never_arrived;
        Ok(())
    }

    fn current(&self) -> Result<(u64, Transport)> {
        let current = self.current.get_or_try_init(|| -> RedisResult<_> {
            let protocol = self.settings.preferred_protocol()?;
            Ok(Mutex::new(Current {
                number: 0,
                protocol,
                transport: self.settings.lazy_transport(protocol)?,
            }))
        })?;
        let current = current.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((current.number, current.transport.clone()))
    }

    /// Puts a fresh, still unconnected transport in the place of the one that failed, if no other request
    /// did so already. The manager's own reconnecting hands a stored failure to the next command. That to a
    /// cluster stays: it is remade node by node.
    fn replace(&self, failed: u64, with_resp2: bool) -> Result<()> {
        let Some(current) = self.current.get() else {
            return Ok(());
        };
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        let is_kept =
            matches!(&current.transport, Transport::Cluster(cluster) if cluster.mends_itself());
        if current.number != failed || (is_kept && !with_resp2) {
            return Ok(());
        }
        if with_resp2 {
            current.protocol = ProtocolVersion::RESP2;
        }
        current.transport = self.settings.lazy_transport(current.protocol)?;
        current.number += 1;
        Ok(())
    }
}

/// Whether the server, or a proxy before it, does not know RESP3. The crate itself only knows the words of
/// Redis 5; the others repeat the password that was sent along, so they must not be passed on.
fn refuses_resp3(error: &RedisError) -> bool {
    let text = error.to_string();
    error.kind() == ErrorKind::RESP3NotSupported
        || text.contains("NOPROTO")
        || (text.contains("unknown command") && text.contains("HELLO"))
}
