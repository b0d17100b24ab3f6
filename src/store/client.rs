//! A small typed client: plain commands on Redis, whose values are any serde type and go through JSON.
//!
//! Its names are those of the Python version's client. The session operations do not use it: each of
//! theirs is one script.

use std::time::Duration;

use redis::{Cmd, FromRedisValue, ToRedisArgs, cmd};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::{Connection, Repeat};
use super::error::Result;
use super::keys::Names;

/// Plain commands on the shared connection. Made by [`Store::client`](super::Store::client).
#[derive(Debug)]
pub struct RedisClient<'a> {
    connection: &'a Connection,
}

impl<'a> RedisClient<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Stores `value` under `key`, for the time of `expiry` (milliseconds) if one is given.
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
        self.connection.command(&command, Repeat::Safe).await
    }

    /// The value under `key`, if there is one.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let text: Option<Vec<u8>> = self
            .connection
            .command(cmd("GET").arg(key), Repeat::Safe)
            .await?;
        text.map(|text| Ok(serde_json::from_slice(&text)?))
            .transpose()
    }

    /// Deletes `key`; whether it was there.
    pub async fn delete(&self, key: &str) -> Result<bool> {
        self.connection
            .command(cmd("DEL").arg(key), Repeat::Never)
            .await
    }

    /// Adds `member` to a set; whether it is new there.
    pub async fn sadd(&self, key: &str, member: &impl Serialize) -> Result<bool> {
        self.with_value("SADD", key, member).await
    }

    /// The members of a set, in no order.
    pub async fn smembers<T: DeserializeOwned>(&self, key: &str) -> Result<Vec<T>> {
        let mut command = cmd("SMEMBERS");
        command.arg(key);
        self.values(&command).await
    }

    /// Removes `member` from a set; whether it was there.
    pub async fn srem(&self, key: &str, member: &impl Serialize) -> Result<bool> {
        self.with_value("SREM", key, member).await
    }

    /// Appends `value` to a list and gives the list's new length.
    pub async fn rpush(&self, key: &str, value: &impl Serialize) -> Result<u64> {
        self.with_value("RPUSH", key, value).await
    }

    /// The values of a list from index `start` to `stop`, both included; negative ones count from the end.
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

    /// How many values a list has.
    pub async fn llen(&self, key: &str) -> Result<u64> {
        self.connection
            .command(cmd("LLEN").arg(key), Repeat::Safe)
            .await
    }

    /// Runs a Lua script that reads or writes the one key `KEYS[1]`.
    pub async fn eval<T: FromRedisValue>(
        &self,
        script: &str,
        key: &str,
        arguments: impl ToRedisArgs,
    ) -> Result<T> {
        let mut command = cmd("EVAL");
        command.arg(script).arg(1).arg(key).arg(arguments);
        self.connection.command(&command, Repeat::Never).await
    }

    /// Writes and deletes a key in one step: what every write of ours needs. On a cluster all masters have to answer,
    /// too.
    pub async fn probe(&self) -> Result<()> {
        let script =
            "redis.call('SET', KEYS[1], '1', 'PX', 1000) return redis.call('DEL', KEYS[1])";
        let mut command = cmd("EVAL");
        command.arg(script).arg(1).arg("llmos:probe");
        let written = self.connection.command(&command, Repeat::Safe);
        match self.connection.names() {
            Names::Plain => written.await,
            Names::Tagged => tokio::try_join!(written, self.ping()).map(|((), ())| ()),
        }
    }

    /// Asks for an answer and nothing else; on a cluster all its masters.
    pub async fn ping(&self) -> Result<()> {
        self.connection.command(&cmd("PING"), Repeat::Safe).await
    }

    /// Tells the server to write its data and stop. It closes the connection instead of answering.
    pub async fn shutdown(&self) -> Result<()> {
        self.connection
            .command(&cmd("SHUTDOWN"), Repeat::Never)
            .await
    }

    /// A section of the server's description of itself (`server`, `memory`, …) as it writes it; on a cluster that of any
    /// node.
    pub async fn info(&self, section: &str) -> Result<String> {
        self.connection
            .command(cmd("INFO").arg(section), Repeat::Safe)
            .await
    }

    /// What a node of a cluster says about it.
    pub(super) async fn cluster_info(&self) -> Result<String> {
        let mut command = cmd("CLUSTER");
        self.connection
            .command(command.arg("INFO"), Repeat::Safe)
            .await
    }

    /// Sends a command whose answer depends on how often it ran.
    async fn with_value<T: FromRedisValue>(
        &self,
        name: &str,
        key: &str,
        value: &impl Serialize,
    ) -> Result<T> {
        let mut command = cmd(name);
        command.arg(key).arg(serde_json::to_vec(value)?);
        self.connection.command(&command, Repeat::Never).await
    }

    /// Sends a command that reads several values.
    async fn values<T: DeserializeOwned>(&self, command: &Cmd) -> Result<Vec<T>> {
        let texts: Vec<Vec<u8>> = self.connection.command(command, Repeat::Safe).await?;
        texts
            .iter()
            .map(|text| Ok(serde_json::from_slice(text)?))
            .collect()
    }
}
