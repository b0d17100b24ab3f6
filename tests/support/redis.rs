//! A private redis-server on a unix socket that ends with the test.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::{ErrorKind, FromRedisValue, RedisError, ServerErrorKind, ToRedisArgs};
use tempfile::TempDir;

use super::process::signal;

/// A running redis-server.
#[derive(Debug)]
pub struct Redis {
    directory: TempDir,
    arguments: Vec<String>,
    process: Child,
}

impl Redis {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with further arguments, such as `["--maxmemory", "2mb"]`.
    pub async fn start_with(arguments: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let process = spawn(&directory, &arguments);
        let server = Self {
            directory,
            arguments,
            process,
        };
        server.wait_until_ready().await;
        server
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Runs one command on a new connection.
    #[track_caller]
    pub fn command<T: FromRedisValue>(&self, arguments: &[impl ToRedisArgs]) -> T {
        self.try_command(arguments).unwrap()
    }

    pub fn try_command<T: FromRedisValue>(
        &self,
        arguments: &[impl ToRedisArgs],
    ) -> redis::RedisResult<T> {
        run(&self.url(), arguments)
    }

    /// Connects a probe, before the command that blocks the server: a later connection would wait until that command has
    /// ended.
    pub fn hang_probe(&self) -> HangProbe {
        let client = redis::Client::open(self.url()).unwrap();
        let connection = client.get_connection().unwrap();
        connection
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        HangProbe(connection)
    }

    /// Returns every key, sorted.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.command(&["KEYS", "*"]);
        keys.sort();
        keys
    }

    /// Returns every key with its dump, sorted.
    pub fn dump(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let script = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
            all[#all + 1] = {key, redis.call('DUMP', key)} end return all";
        let mut all: Vec<(Vec<u8>, Vec<u8>)> = self.command(&["EVAL", script, "0"]);
        all.sort();
        all
    }

    /// Returns the number of executed commands, including those in scripts and the ones of this method.
    pub fn commands_run(&self) -> u64 {
        let statistics: String = self.command(&["INFO", "commandstats"]);
        let calls = statistics
            .lines()
            .filter_map(|line| line.split_once("calls=")?.1.split(',').next());
        calls.map(|calls| calls.parse::<u64>().unwrap()).sum()
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Restarts the server on the same socket and data.
    pub async fn restart(&mut self) {
        self.start_again();
        self.wait_until_ready().await;
    }

    /// Restarts the server and waits only until it accepts connections.
    pub async fn restart_and_let_it_load(&mut self) {
        self.start_again();
        while self
            .try_command::<String>(&["PING"])
            .is_err_and(|error| error.is_connection_refusal() || error.is_connection_dropped())
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn start_again(&mut self) {
        self.process = spawn(&self.directory, &self.arguments);
    }

    /// Stops the server process: it accepts connections and answers nothing.
    pub fn freeze(&self) {
        signal(&self.process, "-STOP");
    }

    pub fn thaw(&self) {
        signal(&self.process, "-CONT");
    }

    async fn wait_until_ready(&self) {
        for _ in 0..500 {
            // An error about a missing password is an answer as well.
            match self.try_command::<String>(&["PING"]) {
                Err(error) if is_not_ready(&error) => {}
                _ => return,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server did not answer within 5 s");
    }
}

/// Runs one command on a new connection to a server.
pub(super) fn run<T: FromRedisValue>(
    url: &str,
    arguments: &[impl ToRedisArgs],
) -> redis::RedisResult<T> {
    let mut connection = redis::Client::open(url)?.get_connection()?;
    let mut command = redis::Cmd::new();
    command.arg(arguments);
    command.query(&mut connection)
}

/// Fails the test because redis-server cannot be started.
pub(super) fn missing(error: &io::Error) -> ! {
    match error.kind() {
        io::ErrorKind::NotFound => {
            panic!("redis-server is not installed: run `make setup`, or apt install redis-server")
        }
        _ => panic!("redis-server: {error}"),
    }
}

/// Returns whether a server does not accept connections yet or is loading its data.
fn is_not_ready(error: &RedisError) -> bool {
    let is_loading = error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading);
    is_loading || error.is_connection_refusal() || error.is_connection_dropped()
}

/// A connection that detects whether a command of another connection blocks the server.
pub struct HangProbe(redis::Connection);

impl HangProbe {
    /// Waits until the server is blocked.
    pub async fn wait(mut self) {
        while redis::cmd("PING").exec(&mut self.0).is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // SIGKILL ends a frozen process as well; a process that the test killed returns an error.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(directory: &TempDir, arguments: &[String]) -> Child {
    let spawned = Command::new("redis-server")
        .args([
            "--port",
            "0",
            "--unixsocket",
            "redis.sock",
            "--save",
            "",
            "--dir",
        ])
        .arg(directory.path())
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    spawned.unwrap_or_else(|error| missing(&error))
}
