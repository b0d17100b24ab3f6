//! Runs one script on the connection: sends the source if Redis needs it, and repeats the call after a lost reply.

use redis::Value;

use super::call::{Call, Envelope};
use super::connection::{Connection, Idempotence, Request, RetryState};
use super::error::{Error, Result};
use super::keys::KeyScheme;
use super::script::is_noscript;

/// A connection that runs scripts.
#[derive(Debug)]
pub(super) struct ScriptRunner {
    connection: Connection,
}

impl ScriptRunner {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the naming scheme of keys.
    pub(super) fn scheme(&self) -> KeyScheme {
        match self.connection.is_cluster() {
            true => KeyScheme::Cluster,
            false => KeyScheme::Single,
        }
    }

    /// Runs a script and returns its reply. Every call can be repeated: a script detects an earlier run, or
    /// has the same effect twice.
    pub(super) async fn run(&self, call: &Call<'_>, envelope: &Envelope<'_>) -> Result<Value> {
        let scheme = self.scheme();
        let mut retry = RetryState::default();
        let mut command = call.command(scheme, envelope, false, false);
        loop {
            let attempt =
                self.connection
                    .attempt(Request::Command(&command), Idempotence::Safe, &mut retry);
            let with_source = match attempt.await {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => false,
                Err(Error::Unavailable(error)) if is_noscript(&error) => true,
                Err(error) => return Err(error),
            };
            command = call.command(scheme, envelope, retry.is_repeated(), with_source);
        }
    }
}
