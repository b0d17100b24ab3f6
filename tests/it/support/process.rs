//! A process of ours, or of the Vercel CLI, that ends with the test.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Client;

/// How long a process may take until it says that it serves.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long a process may take to end when it is asked to.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running process and what it printed so far.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a program with nothing on its standard input, and collects what it prints.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().unwrap(), output.clone());
        collect(child.stderr.take().unwrap(), output.clone());
        Self { child, output }
    }

    /// Starts a built function on a free port, with `environment` and nothing else that configures it.
    pub async fn function(program: &str, environment: &[(&str, &str)]) -> (Self, Client) {
        for _ in 0..5 {
            let port = free_port();
            // Another process may have taken the port in the meantime: then try another one.
            if let Some(process) = Self::function_on(port, program, environment).await {
                return (process, Client::http(format!("http://127.0.0.1:{port}")));
            }
        }
        panic!("{program} did not start five times");
    }

    /// The same on this port; nothing where it ended by itself.
    pub async fn function_on(
        port: u16,
        program: &str,
        environment: &[(&str, &str)],
    ) -> Option<Self> {
        let mut command = Command::new(program);
        clear_configuration(&mut command);
        command
            .env("VERCEL_DEV_PORT", port.to_string())
            .envs(environment.iter().copied());
        let mut process = Self::spawn(&mut command);
        let serves = process.wait_for("Dev server listening", START_LIMIT).await;
        serves.then_some(process)
    }

    /// Starts the local server in `directory` as a person would; no client where it ended by itself.
    pub async fn local_server(
        directory: &Path,
        environment: &[(&str, &str)],
    ) -> (Self, Option<Client>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_llmos"));
        clear_configuration(&mut command);
        command
            .current_dir(directory)
            .env("PORT", "0")
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

    /// How much memory the process has in use, in bytes.
    pub fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(path).unwrap();
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        kilobytes.unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Ends the process as a crash does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sets how many file descriptors the running process may have, up to as many as it had before.
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

    /// Waits until the process has printed `text`; whether it did before it ended or time ran out.
    pub async fn wait_for(&mut self, text: &str, limit: Duration) -> bool {
        let started = Instant::now();
        while started.elapsed() < limit {
            if self.output().contains(text) {
                return true;
            }
            if self.has_ended() {
                tokio::time::sleep(Duration::from_millis(50)).await;
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

    /// Waits for the process to end by itself and gives its exit code.
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
    /// Asks first: a local server that is killed leaves its redis-server behind.
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

/// Sends a signal by the system's own program.
pub fn signal(process: &Child, name: &str) {
    let pid = process.id().to_string();
    let sent = Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(sent.success(), "kill {name} {pid}");
}

/// Takes away what configures us, so that a test does not depend on the machine it runs on.
pub fn clear_configuration(command: &mut Command) {
    for (name, _) in std::env::vars() {
        let is_ours = [
            "REDIS",
            "BLOB",
            "VERCEL",
            "LLMOS",
            "STORAGE",
            "ANTHROPIC",
            "PORT",
            "HOST",
            "AUTH_",
            "API_KEYS",
            "ALLOW_ANONYMOUS",
            "RATE_LIMIT",
            "CORS_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix));
        if is_ours {
            command.env_remove(name);
        }
    }
}

/// A port that nobody listened on a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn collect(pipe: impl Read + Send + 'static, output: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&String::from_utf8_lossy(&line));
            output.push('\n');
        }
    });
}
