//! The connection to one cluster node.
//!
//! The cluster client of the `redis` crate repeats each command whose reply was lost. Only the sender can decide
//! whether that is safe, so this connection hides such errors from the crate.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::Connect;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, IntoConnectionInfo, Pipeline, RedisError, RedisFuture,
    Value, pipe,
};

/// A connection whose errors distinguish commands that may have run from commands that were not sent.
#[derive(Clone)]
pub(super) struct Node {
    connection: MultiplexedConnection,
    /// A reply was lost, so replies to further commands would be lost as well.
    is_broken: Arc<AtomicBool>,
    /// The next command is for a slot that is being imported by this node.
    asking: bool,
}

/// Error kind of a command that may have run and whose reply was lost. The crate does not retry this kind.
const LOST: ErrorKind = ErrorKind::Client;
const BROKEN: &str = "the connection closed before the reply";
const TIMED_OUT: &str = "no reply in time";

impl Connect for Node {
    fn connect_with_config<'a, T>(info: T, config: AsyncConnectionConfig) -> RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        Box::pin(async move {
            Ok(Self {
                connection: MultiplexedConnection::connect_with_config(info, config).await?,
                is_broken: Arc::default(),
                asking: false,
            })
        })
    }
}

impl ConnectionLike for Node {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            // Requests share the connection, and ASKING applies to the next command: both are sent together, so that
            // no other command comes between them.
            if command.args_iter().next() == Some(redis::Arg::Simple(b"ASKING")) {
                self.asking = true;
                return Ok(Value::Okay);
            }
            if std::mem::take(&mut self.asking) {
                let mut pipeline = pipe();
                pipeline.cmd("ASKING").add_command(command.clone());
                let replies = self.req_packed_commands(&pipeline, 1, 1).await?;
                return Ok(replies.into_iter().next().unwrap_or(Value::Nil));
            }
            self.fail_if_broken()?;
            let reply = self.connection.req_packed_command(command).await;
            reply.map_err(|error| self.mark_lost(error))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            self.fail_if_broken()?;
            let replies = self.connection.req_packed_commands(commands, offset, count);
            replies.await.map_err(|error| self.mark_lost(error))
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

impl Node {
    /// Fails on a broken connection, so that the crate opens a new one and sends the command there.
    fn fail_if_broken(&self) -> Result<(), RedisError> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::NotConnected).into());
        }
        Ok(())
    }

    /// Converts an I/O error of a command that was sent.
    fn mark_lost(&self, error: RedisError) -> RedisError {
        if !error.is_io_error() {
            return error;
        }
        self.is_broken.store(true, Ordering::Relaxed);
        let reason = if error.is_timeout() {
            TIMED_OUT
        } else {
            BROKEN
        };
        (LOST, "the reply was lost", reason.to_owned()).into()
    }
}

/// Restores the I/O error that [`Node`] converted for the crate.
pub(super) fn restore_error(error: RedisError) -> RedisError {
    match error.detail() {
        Some(BROKEN) if error.kind() == LOST => io::Error::from(io::ErrorKind::BrokenPipe).into(),
        Some(TIMED_OUT) if error.kind() == LOST => io::Error::from(io::ErrorKind::TimedOut).into(),
        _ => error,
    }
}
