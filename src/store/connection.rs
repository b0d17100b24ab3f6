//! The one connection to Redis: made at the first command, shared by all requests, remade by itself.
//!
//! What it does when Redis is not well:
//! - dead: a refused connection fails at once, after one more try;
//! - closed while we were idle or frozen: the command is sent again on a new connection;
//! - hung: a command fails after [`RESPONSE_TIMEOUT`], and the connection is dropped, because one that
//!   lost its peer without a word would time out for ever.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, ProtocolVersion, RedisError,
    RedisResult, ServerErrorKind, TlsCertificates, Value,
};

use super::address;
use super::error::Result;
use super::script::{self, Script};
use crate::caller::Caller;
use crate::meter;

/// How long a connection may take to be made, name look-up, TLS and authentication included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long Redis may take to answer a command.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How many commands may wait to be sent: more than an instance has requests at once.
const COMMANDS_IN_FLIGHT: usize = 1024;

/// Whether a command may be sent again when its answer was lost on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Twice has the same effect as once.
    Safe,
    /// Only if it certainly never arrived.
    Never,
}

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
    settings: Settings,
    current: OnceCell<Mutex<Current>>,
}

struct Settings {
    url: String,
    ca_certificate: Option<String>,
}

/// The connection in use. The number tells whether it is still the one that failed.
struct Current {
    number: u64,
    protocol: ProtocolVersion,
    manager: ConnectionManager,
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
            settings: Settings {
                url,
                ca_certificate,
            },
            current: OnceCell::new(),
        }
    }

    /// Sends one command.
    pub(super) async fn command<T: FromRedisValue>(
        &self,
        command: &Cmd,
        repeat: Repeat,
    ) -> Result<T> {
        let mut retry = Retry::default();
        loop {
            let (number, mut manager) = self.current()?;
            match send(&mut manager, command).await {
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
        by: &Caller,
        add_arguments: impl Fn(&mut Cmd, bool),
    ) -> Result<T> {
        let limit = by.quota.spend();
        let complete = |mut call: Cmd, is_repeated| {
            add_arguments(&mut call, is_repeated);
            script::add_caller(&mut call, by, limit);
            call
        };
        let mut retry = Retry::default();
        let mut call = complete(script.call(), false);
        loop {
            let (number, mut manager) = self.current()?;
            match send(&mut manager, &call).await {
                Ok(answer) if Script::is_unknown_to(&answer) => {
                    call = complete(script.call_with_text(), retry.repeats);
                }
                Ok(answer) => {
                    let returned = script::read_answer(self.read(number, answer)?, &by.quota)?;
                    return Ok(T::from_redis_value(returned)?);
                }
                Err(error) => {
                    self.recover(number, error, Repeat::Safe, &mut retry)?;
                    call = complete(script.call(), retry.repeats);
                }
            }
        }
    }

    /// Reads an answer. After a failover the old primary refuses writes on a connection that is otherwise
    /// fine: the next request looks the name up again.
    fn read<T: FromRedisValue>(&self, number: u64, answer: Value) -> Result<T> {
        let answer = answer.extract_error().inspect_err(|error| {
            if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) {
                // What cannot be replaced was said when the connection was made.
                let _ = self.replace(number, false);
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

    fn current(&self) -> Result<(u64, ConnectionManager)> {
        let current = self.current.get_or_try_init(|| -> RedisResult<_> {
            let protocol = self.settings.preferred_protocol()?;
            Ok(Mutex::new(Current {
                number: 0,
                protocol,
                manager: self.settings.lazy_manager(protocol)?,
            }))
        })?;
        let current = current.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((current.number, current.manager.clone()))
    }

    /// Puts a fresh, still unconnected manager in the place of the one that failed, if no other request
    /// did so already. The manager's own reconnecting hands a stored failure to the next command.
    fn replace(&self, failed: u64, with_resp2: bool) -> Result<()> {
        let Some(current) = self.current.get() else {
            return Ok(());
        };
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.number != failed {
            return Ok(());
        }
        if with_resp2 {
            current.protocol = ProtocolVersion::RESP2;
        }
        current.manager = self.settings.lazy_manager(current.protocol)?;
        current.number += 1;
        Ok(())
    }
}

impl Settings {
    /// RESP3, with which a closed connection is noticed before it is used; else what the URL says.
    fn preferred_protocol(&self) -> RedisResult<ProtocolVersion> {
        let info = address::parse(&self.url)?;
        if self.url.contains("protocol=") {
            return Ok(info.redis_settings().protocol());
        }
        Ok(ProtocolVersion::RESP3)
    }

    fn lazy_manager(&self, protocol: ProtocolVersion) -> RedisResult<ConnectionManager> {
        let info = address::parse(&self.url)?;
        let redis = info.redis_settings().clone().set_protocol(protocol);
        let info = info
            .set_redis_settings(redis)
            .set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let is_encrypted = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let client = match &self.ca_certificate {
            Some(pem) if is_encrypted => Client::build_with_tls(
                info,
                TlsCertificates {
                    client_tls: None,
                    root_cert: Some(pem.clone().into_bytes()),
                },
            )?,
            _ => Client::open(info)?,
        };
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_pipeline_buffer_size(COMMANDS_IN_FLIGHT);
        client.get_connection_manager_lazy(config)
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

async fn send(manager: &mut ConnectionManager, command: &Cmd) -> RedisResult<Value> {
    let started = Instant::now();
    let answer = manager.send_packed_command(command).await;
    meter::count_round_trip(started.elapsed());
    answer
}
