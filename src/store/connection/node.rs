//! The connection to one node. The crate's client of clusters sends a command again where its answer was lost;
//! only whoever knows what the command does can tell whether it may.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::Connect;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, IntoConnectionInfo, Pipeline, RedisError, RedisFuture,
    Value, pipe,
};

/// A connection that says by its errors whether a command may have run.
#[derive(Clone)]
pub(super) struct Node {
    connection: MultiplexedConnection,
    /// It lost an answer, and whatever else is sent on it would be lost, too.
    is_broken: Arc<AtomicBool>,
    /// The next command goes to a slot that is on its way here.
    asking: bool,
}

/// What an error of this kind says of a command that may have run and whose answer did not come. The crate passes
/// such errors on.
const LOST: ErrorKind = ErrorKind::Client;
const BROKEN: &str = "the connection broke before the answer";
const LATE: &str = "no answer in time";

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
            // Other requests' commands go over the same connection: between ASKING and the command that it
            // is for, none may.
            if command.args_iter().next() == Some(redis::Arg::Simple(b"ASKING")) {
                self.asking = true;
                return Ok(Value::Okay);
            }
            if std::mem::take(&mut self.asking) {
                let mut both = pipe();
                both.cmd("ASKING").add_command(command.clone());
                let answers = self.req_packed_commands(&both, 1, 1).await?;
                return Ok(answers.into_iter().next().unwrap_or(Value::Nil));
            }
            self.refuse_if_broken()?;
            let answer = self.connection.req_packed_command(command).await;
            answer.map_err(|error| self.lost(error))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            self.refuse_if_broken()?;
            let answers = self.connection.req_packed_commands(commands, offset, count);
            answers.await.map_err(|error| self.lost(error))
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

impl Node {
    /// Nothing is sent on a broken connection, so that the crate makes a new one and sends it there.
    fn refuse_if_broken(&self) -> Result<(), RedisError> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::NotConnected).into());
        }
        Ok(())
    }

    fn lost(&self, error: RedisError) -> RedisError {
        if !error.is_io_error() {
            return error;
        }
        self.is_broken.store(true, Ordering::Relaxed);
        let how = if error.is_timeout() { LATE } else { BROKEN };
        (LOST, "the answer was lost", how.to_owned()).into()
    }
}

/// An error as it was before the crate had to pass it on.
pub(super) fn as_it_was(error: RedisError) -> RedisError {
    match error.detail() {
        Some(BROKEN) if error.kind() == LOST => io::Error::from(io::ErrorKind::BrokenPipe).into(),
        Some(LATE) if error.kind() == LOST => io::Error::from(io::ErrorKind::TimedOut).into(),
        _ => error,
    }
}
