//! The private redis-server of one run, on a unix socket, and its statistics.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use redis::Connection;
use tempfile::TempDir;

/// A running server; stopped on drop.
pub struct RedisServer {
    directory: TempDir,
    process: Child,
    connection: Connection,
}

impl RedisServer {
    pub fn start() -> Result<Self> {
        let directory = TempDir::new()?;
        let arguments = ["--port", "0", "--unixsocket", "redis.sock", "--save", ""];
        let mut process = Command::new("redis-server")
            .args(arguments)
            .current_dir(&directory)
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server is not installed: run `make bench`, which installs it")?;
        let socket = directory.path().join("redis.sock");
        let client = redis::Client::open(format!("redis+unix://{}", socket.display()))?;
        for _ in 0..500 {
            if let Ok(connection) = client.get_connection() {
                return Ok(Self {
                    directory,
                    process,
                    connection,
                });
            }
            sleep(Duration::from_millis(10));
        }
        process.kill()?;
        bail!("redis-server did not answer within 5 s")
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Stores `bytes` bytes under `key`.
    pub fn fill(&mut self, key: &str, bytes: usize) -> Result<()> {
        let value = "x".repeat(bytes);
        Ok(redis::cmd("SET")
            .arg(key)
            .arg(value)
            .exec(&mut self.connection)?)
    }

    pub fn version(&mut self) -> Result<String> {
        self.info("server", "redis_version")
    }

    /// Returns the number of reads from clients: one per round trip if each client waits for its reply. This call
    /// adds one.
    pub fn reads(&mut self) -> Result<u64> {
        Ok(self.info("stats", "total_reads_processed")?.parse()?)
    }

    fn info(&mut self, section: &str, field: &str) -> Result<String> {
        let text: String = redis::cmd("INFO")
            .arg(section)
            .query(&mut self.connection)?;
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        let value = fields.find(|(name, _)| *name == field);
        let (_, value) = value.with_context(|| format!("INFO of this Redis has no {field}"))?;
        Ok(value.trim().to_owned())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
