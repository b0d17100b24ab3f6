//! The connection to Redis: opened by the first command, shared by all requests of the process, replaced on failure.
//!
//! A function instance serves few requests at once, and Redis runs commands one after another. So one pipelined
//! connection is as fast as a pool, and a cold start opens only one.
//!
//! Failure modes:
//! - Redis is down: a refused connection fails after one retry;
//! - the connection was closed while the process was idle or frozen: the command is sent again on a new connection;
//! - Redis hangs: the command fails after [`timeouts::RESPONSE_TIMEOUT`], and the connection is dropped. Its peer may
//!   be gone without notice, and then every further command would time out.

pub(super) mod address;
mod cluster;
pub(super) mod context;
mod node;
mod parameters;
mod rejection;
pub(super) mod timeouts;
mod transport;
pub(super) mod url;
pub(super) mod url_error;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use once_cell::sync::OnceCell;
use redis::{
    Cmd, ErrorKind, FromRedisValue, Pipeline, ProtocolVersion, RedisError, ServerErrorKind, Value,
};

pub(super) use self::transport::Request;
use self::transport::{ConnectOptions, Transport};
use super::error::{Error, Result};
use crate::util::once_per_minute::warn_once_a_minute;

/// Whether a command may be sent again after its reply was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idempotence {
    /// Running the command twice has the same effect as running it once.
    Safe,
    /// The command may be sent again only if it certainly did not reach Redis.
    Unsafe,
}

/// State of the retries of one command.
#[derive(Debug, Default)]
pub(super) struct RetryState {
    /// The one retry is used up.
    is_used: bool,
    /// The command may have run before.
    is_repeated: bool,
    /// The server rejected RESP3, so RESP2 is used.
    with_resp2: bool,
}

impl RetryState {
    /// Returns whether the next attempt repeats a command that may have run.
    pub(super) fn is_repeated(&self) -> bool {
        self.is_repeated
    }
}

/// A connection that is opened when it is first needed.
pub(super) struct Connection {
    is_cluster: bool,
    options: ConnectOptions,
    // Lazy, because reading the URL can fail: the error belongs to the request, and the process starts without Redis.
    active: OnceCell<Mutex<ActiveConnection>>,
}

/// The transport in use. Each replacement has a new number, so that a failure is handled once.
struct ActiveConnection {
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
    /// Prepares a connection to `url`. `ca_certificate` is PEM text of the authorities to trust instead of the public
    /// ones.
    pub(super) fn new(url: String, ca_certificate: Option<String>) -> Self {
        Self {
            is_cluster: url::is_cluster(&url),
            options: ConnectOptions {
                url,
                ca_certificate,
            },
            active: OnceCell::new(),
        }
    }

    /// Returns whether the URL names a Redis Cluster.
    pub(super) fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// Sends a command and decodes its reply.
    pub(super) async fn command<T: FromRedisValue>(
        &self,
        command: &Cmd,
        idempotence: Idempotence,
    ) -> Result<T> {
        let mut retry = RetryState::default();
        loop {
            let attempt = self.attempt(Request::Command(command), idempotence, &mut retry);
            if let Some(reply) = attempt.await? {
                return Ok(T::from_redis_value(reply)?);
            }
        }
    }

    /// Sends commands that may be repeated in one round trip, and returns their replies; errors of single commands are
    /// among them. Other clients' commands may run between them. Not on a cluster.
    /// `commands` returns the commands; `true` means that earlier ones may have run.
    pub(super) async fn pipeline(
        &self,
        commands: impl Fn(bool) -> Pipeline + Send + Sync,
    ) -> Result<Vec<Value>> {
        let mut retry = RetryState::default();
        loop {
            let commands = commands(retry.is_repeated());
            let attempt = self.attempt(Request::Pipeline(&commands), Idempotence::Safe, &mut retry);
            if let Some(reply) = attempt.await? {
                return Ok(match reply {
                    Value::Array(replies) => replies,
                    other => vec![other],
                });
            }
        }
    }

    /// Returns the error with the words of the server, if it closed the connection because it accepts no further one.
    pub(super) async fn explain_closed(&self, error: Error) -> Error {
        match &error {
            Error::Unavailable(cause) if cause.is_connection_dropped() => {
                let rejection = self.options.rejection().await;
                rejection.map_or(error, Error::Unavailable)
            }
            _ => error,
        }
    }

    /// Sends a request once and returns its reply. `None` means that the attempt failed, the connection was replaced,
    /// and the request may be sent again.
    pub(super) async fn attempt(
        &self,
        request: Request<'_>,
        idempotence: Idempotence,
        retry: &mut RetryState,
    ) -> Result<Option<Value>> {
        let (number, mut transport) = self.active()?;
        match (transport.send(request).await, request) {
            (Ok(reply), Request::Command(_)) => self.check_reply(number, reply).map(Some),
            (Ok(replies), Request::Pipeline(_)) => Ok(Some(replies)),
            (Err(error), _) => self
                .recover(number, error, idempotence, retry)
                .map(|()| None),
        }
    }

    /// Turns an error reply into an error. A primary that a failover demoted rejects writes on a working connection.
    /// The connection is replaced, so that the next request looks up the host name again.
    fn check_reply(&self, number: u64, reply: Value) -> Result<Value> {
        let reply = reply.extract_error().inspect_err(|error| {
            if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
                && let Err(error) = self.replace(number, false)
            {
                tracing::warn!(
                    redis.error = %error,
                    "the connection to a demoted primary cannot be replaced"
                );
            }
        })?;
        Ok(reply)
    }

    /// Replaces the failed connection. Returns the error unless the command may be sent again.
    fn recover(
        &self,
        failed: u64,
        error: RedisError,
        idempotence: Idempotence,
        retry: &mut RetryState,
    ) -> Result<()> {
        if is_resp3_rejected(&error) && !retry.with_resp2 {
            retry.with_resp2 = true;
            return self.replace(failed, true);
        }
        self.replace(failed, false)?;
        let never_arrived = error.is_connection_refusal();
        let may_repeat =
            never_arrived || (error.is_connection_dropped() && idempotence == Idempotence::Safe);
        if !may_repeat || retry.is_used {
            return Err(self.options.with_context(error).into());
        }
        warn_of_retry(&error);
        retry.is_used = true;
        retry.is_repeated = !never_arrived;
        Ok(())
    }

    fn active(&self) -> Result<(u64, Transport)> {
        let active = self.active.get_or_try_init(|| -> Result<_> {
            let protocol = self.options.preferred_protocol()?;
            Ok(Mutex::new(ActiveConnection {
                number: 0,
                protocol,
                transport: self.options.lazy_transport(protocol)?,
            }))
        })?;
        let active = active.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((active.number, active.transport.clone()))
    }

    /// Replaces the failed transport with a new one that is not connected yet, unless another request already did.
    ///
    /// The connection manager of the crate would return the stored failure to the next command. A cluster transport
    /// stays, because the crate reconnects its nodes one by one, unless its recovery is stuck.
    fn replace(&self, failed: u64, with_resp2: bool) -> Result<()> {
        let Some(active) = self.active.get() else {
            return Ok(());
        };
        let mut active = active.lock().unwrap_or_else(PoisonError::into_inner);
        let is_kept =
            matches!(&active.transport, Transport::Cluster(cluster) if cluster.reconnects_itself());
        if active.number != failed || (is_kept && !with_resp2) {
            return Ok(());
        }
        if with_resp2 {
            active.protocol = ProtocolVersion::RESP2;
        }
        active.transport = self.options.lazy_transport(active.protocol)?;
        active.number += 1;
        Ok(())
    }
}

/// Returns whether the server, or a proxy in front of it, does not support RESP3. The crate only recognizes the error
/// text of Redis 5. Other servers repeat the password in their error, so that error must not be returned.
fn is_resp3_rejected(error: &RedisError) -> bool {
    let text = error.to_string();
    error.kind() == ErrorKind::RESP3NotSupported
        || text.contains("NOPROTO")
        || (text.contains("unknown command") && text.contains("HELLO"))
}

/// Logs a failed command that is sent again: at most once a minute, since an outage affects every request.
fn warn_of_retry(error: &RedisError) {
    warn_once_a_minute!(redis.error = %error, "a Redis command failed and is sent again");
}
