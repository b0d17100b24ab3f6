//! A small typed client: plain Redis commands whose values are any serde type, stored as JSON.
//!
//! Its methods have the names of the Python version's client. The session operations do not use it, since each of them
//! is one script.

use std::time::Duration;

use redis::{Cmd, FromRedisValue, cmd};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::{Connection, Idempotence};
use super::error::Result;

/// Plain commands on the shared connection. Returned by [`Store::client`](super::Store::client).
#[derive(Debug)]
pub struct RedisClient<'a> {
    connection: &'a Connection,
}

impl<'a> RedisClient<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Stores `value` under `key`. It expires after `expiry`, in whole milliseconds, if given.
    pub async fn set(
        &self,
        key: &str,
        value: &impl Serialize,
        expiry: Option<Duration>,
    ) -> Result<()> {
        let mut command = cmd("SET");
        command.arg(key).arg(serde_json::to_vec(value)?);
        if let Some(expiry) = expiry {
            command
                .arg("PX")
                .arg(u64::try_from(expiry.as_millis()).unwrap_or(u64::MAX));
        }
        self.connection.command(&command, Idempotence::Safe).await
    }

    /// Returns the value under `key`, if it exists.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let text: Option<Vec<u8>> = self
            .connection
            .command(cmd("GET").arg(key), Idempotence::Safe)
            .await?;
        text.map(|text| Ok(serde_json::from_slice(&text)?))
            .transpose()
    }

    /// Deletes `key` and returns whether it existed.
    pub async fn delete(&self, key: &str) -> Result<bool> {
        self.connection
            .command(cmd("DEL").arg(key), Idempotence::Unsafe)
            .await
    }

    /// Adds `member` to a set and returns whether it is new.
    pub async fn sadd(&self, key: &str, member: &impl Serialize) -> Result<bool> {
        self.with_value("SADD", key, member).await
    }

    /// Returns the members of a set, in no order.
    pub async fn smembers<T: DeserializeOwned>(&self, key: &str) -> Result<Vec<T>> {
        let mut command = cmd("SMEMBERS");
        command.arg(key);
        self.values(&command).await
    }

    /// Removes `member` from a set and returns whether it was a member.
    pub async fn srem(&self, key: &str, member: &impl Serialize) -> Result<bool> {
        self.with_value("SREM", key, member).await
    }

    /// Appends `value` to a list and returns the new length of the list.
    pub async fn rpush(&self, key: &str, value: &impl Serialize) -> Result<u64> {
        self.with_value("RPUSH", key, value).await
    }

    /// Returns the values of a list from index `start` to `stop`, both included. Negative indexes count from the end.
    pub async fn lrange<T: DeserializeOwned>(
        &self,
        key: &str,
        start: i64,
        stop: i64,
    ) -> Result<Vec<T>> {
        let mut command = cmd("LRANGE");
        command.arg(key).arg(start).arg(stop);
        self.values(&command).await
    }

    /// Returns the length of a list.
    pub async fn llen(&self, key: &str) -> Result<u64> {
        self.connection
            .command(cmd("LLEN").arg(key), Idempotence::Safe)
            .await
    }

    /// Writes and deletes a key in a script, as every write does. On a cluster, also sends PING to all masters.
    pub async fn probe(&self) -> Result<()> {
        let script =
            "redis.call('SET', KEYS[1], '1', 'PX', 1000) return redis.call('DEL', KEYS[1])";
        let mut command = cmd("EVAL");
        command.arg(script).arg(1).arg("llmos:probe");
        let written = self.connection.command(&command, Idempotence::Safe);
        let probed = match self.connection.is_cluster() {
            false => written.await,
            true => tokio::try_join!(written, self.ping()).map(|((), ())| ()),
        };
        self.explained(probed).await
    }

    /// Sends PING; on a cluster to all masters.
    pub async fn ping(&self) -> Result<()> {
        let command = cmd("PING");
        let reply = self.connection.command(&command, Idempotence::Safe).await;
        self.explained(reply).await
    }

    async fn explained(&self, result: Result<()>) -> Result<()> {
        match result {
            Err(error) => Err(self.connection.explain_closed(error).await),
            Ok(()) => Ok(()),
        }
    }

    /// Sends SHUTDOWN: the server saves its data, stops, and closes the connection without a reply.
    pub async fn shutdown(&self) -> Result<()> {
        self.connection
            .command(&cmd("SHUTDOWN"), Idempotence::Unsafe)
            .await
    }

    /// Returns a section of INFO (`server`, `memory`, …); on a cluster from any node.
    pub async fn info(&self, section: &str) -> Result<String> {
        self.connection
            .command(cmd("INFO").arg(section), Idempotence::Safe)
            .await
    }

    /// Returns CLUSTER INFO of a node.
    pub(super) async fn cluster_info(&self) -> Result<String> {
        let mut command = cmd("CLUSTER");
        self.connection
            .command(command.arg("INFO"), Idempotence::Safe)
            .await
    }

    /// Sends a command with a value. The command must not run twice.
    async fn with_value<T: FromRedisValue>(
        &self,
        name: &str,
        key: &str,
        value: &impl Serialize,
    ) -> Result<T> {
        let mut command = cmd(name);
        command.arg(key).arg(serde_json::to_vec(value)?);
        self.connection.command(&command, Idempotence::Unsafe).await
    }

    /// Sends a command that returns several values.
    async fn values<T: DeserializeOwned>(&self, command: &Cmd) -> Result<Vec<T>> {
        let texts: Vec<Vec<u8>> = self.connection.command(command, Idempotence::Safe).await?;
        texts
            .iter()
            .map(|text| Ok(serde_json::from_slice(text)?))
            .collect()
    }
}
