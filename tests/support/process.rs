//! A child process that ends with the test.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Client, ReservedPort};

/// The time limit until a process serves.
const START_LIMIT: Duration = Duration::from_secs(20);
/// The time limit for a process to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running process and its output so far.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
    open_pipes: Arc<AtomicUsize>,
    _port: Option<ReservedPort>,
}

impl Process {
    /// Starts a program with an empty standard input and collects its output.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Arc::new(Mutex::new(String::new()));
        let open_pipes = Arc::new(AtomicUsize::new(2));
        collect(child.stdout.take().unwrap(), &output, &open_pipes);
        collect(child.stderr.take().unwrap(), &output, &open_pipes);
        Self {
            child,
            output,
            open_pipes,
            _port: None,
        }
    }

    /// Starts a built function on a new port, configured by `environment` only.
    pub async fn function(program: &str, environment: &[(&str, &str)]) -> (Self, Client) {
        Self::function_with(program, |command| {
            command.envs(environment.iter().copied());
        })
        .await
    }

    /// Starts a built function on a new port, configured by `configure` only.
    pub async fn function_with(
        program: &str,
        configure: impl FnOnce(&mut Command),
    ) -> (Self, Client) {
        let port = ReservedPort::new();
        let client = Client::http(format!("http://127.0.0.1:{port}"));
        let mut process = Self::configured_function(&port, program, configure).await;
        process._port = Some(port);
        (process, client)
    }

    /// Starts a built function on this port, configured by `environment` only.
    pub async fn function_on(
        port: &ReservedPort,
        program: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let configure = |command: &mut Command| {
            command.envs(environment.iter().copied());
        };
        Self::configured_function(port, program, configure).await
    }

    async fn configured_function(
        port: &ReservedPort,
        program: &str,
        configure: impl FnOnce(&mut Command),
    ) -> Self {
        let mut command = Command::new(program);
        clear_configuration(&mut command);
        command.env("VERCEL_DEV_PORT", port.to_string());
        configure(&mut command);
        let mut process = Self::spawn(&mut command);
        let serves = process.wait_for("Dev server listening", START_LIMIT).await;
        assert!(serves, "{program} does not start: {}", process.output());
        process
    }

    /// Starts the local server in `directory`; there is no client if it exited.
    pub async fn local_server(
        directory: &Path,
        environment: &[(&str, &str)],
    ) -> (Self, Option<Client>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_llmos"));
        clear_configuration(&mut command);
        command
            .current_dir(directory)
            .env("PORT", "0")
            // A developer's model server must not change the tests.
            .env("LLMOS_LOCAL_MODEL", "off")
            .envs(environment.iter().copied());
        let mut process = Self::spawn(&mut command);
        if !process.wait_for("http://", START_LIMIT).await {
            return (process, None);
        }
        let output = process.output();
        let base = output
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        let client = Client::http(base.unwrap());
        (process, Some(client))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the resident memory of the process in bytes.
    pub fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(path).unwrap();
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        kilobytes.unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Kills the process.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lowers the limit of file descriptors of the running process.
    pub fn limit_descriptors(&self, count: u32) {
        let process = self.id();
        let limited = Command::new("prlimit")
            .args([format!("--pid={process}"), format!("--nofile={count}:")])
            .status()
            .expect("prlimit is missing: install util-linux");
        assert!(limited.success(), "prlimit {process} {count}");
    }

    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits until the process has printed `text`; returns false if it exits or the time runs out.
    pub async fn wait_for(&mut self, text: &str, limit: Duration) -> bool {
        let started = Instant::now();
        while started.elapsed() < limit {
            if self.output().contains(text) {
                return true;
            }
            // A child of the process may keep a pipe open.
            if self.has_ended() && self.open_pipes.load(Ordering::SeqCst) == 0 {
                return self.output().contains(text);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        false
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal such as `-TERM`.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for the process to exit and returns its exit code.
    pub async fn exit_code(&mut self, limit: Duration) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                started.elapsed() < limit,
                "still running: {}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    /// Sends SIGTERM first, so that a local server stops its redis-server before the test ends.
    fn drop(&mut self) {
        let started = Instant::now();
        while !self.has_ended() && started.elapsed() < STOP_LIMIT {
            self.signal("-TERM");
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal with the `kill` program.
pub fn signal(process: &Child, name: &str) {
    let pid = process.id().to_string();
    let sent = Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(sent.success(), "kill {name} {pid}");
}

/// Removes the variables of the service, so that a test does not depend on the environment.
pub fn clear_configuration(command: &mut Command) {
    for (name, _) in std::env::vars() {
        let is_ours = [
            "REDIS",
            "BLOB",
            "VERCEL",
            "LLMOS",
            "STORAGE",
            "ANTHROPIC",
            "AI_GATEWAY",
            "OPENAI_",
            "OPENROUTER_",
            "PORT",
            "HOST",
            "AUTH_",
            "API_KEYS",
            "ALLOW_ANONYMOUS",
            "CHAT_LIMITS",
            "RATE_LIMIT",
            "CORS_",
            "ALLOWED_HOSTS",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix));
        if is_ours {
            command.env_remove(name);
        }
    }
}

fn collect(
    pipe: impl Read + Send + 'static,
    output: &Arc<Mutex<String>>,
    open_pipes: &Arc<AtomicUsize>,
) {
    let (output, open_pipes) = (output.clone(), open_pipes.clone());
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&String::from_utf8_lossy(&line));
            output.push('\n');
        }
        open_pipes.fetch_sub(1, Ordering::SeqCst);
    });
}
