//! Vercel's side of a function: the socket for its reports, and the ids of each request.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{Process, clear_configuration};
use super::{Client, ReservedPort, http_client};

/// A function that runs as on Vercel, and its reports.
#[derive(Debug)]
pub struct Runtime {
    pub process: Process,
    _port: ReservedPort,
    _directory: TempDir,
    base: String,
    reports: Arc<Mutex<Vec<Report>>>,
}

/// One message from the function to its runtime.
#[derive(Clone, Debug)]
pub struct Report {
    pub received: DateTime<Utc>,
    pub message: Value,
}

impl Runtime {
    pub async fn start(program: &str, environment: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let socket = directory.path().join("ipc.sock");
        let reports = Arc::<Mutex<Vec<Report>>>::default();
        listen(UnixListener::bind(&socket).unwrap(), reports.clone());
        let port = ReservedPort::new();
        let mut command = Command::new(program);
        clear_configuration(&mut command);
        command
            .env("VERCEL_IPC_PATH", &socket)
            .env("ALLOW_ANONYMOUS", "true")
            .env("VERCEL_DEV_PORT", port.to_string())
            .envs(environment.iter().copied());
        let base = format!("http://127.0.0.1:{port}");
        let number = port.number();
        let runtime = Self {
            process: Process::spawn(&mut command),
            _port: port,
            _directory: directory,
            base,
            reports,
        };
        let started = runtime.wait_for("server-started").await;
        assert_eq!(started.message["payload"]["httpPort"], number);
        runtime
    }

    /// Returns a request with the headers of Vercel and this id.
    pub fn get(&self, path: &str, id: u64) -> reqwest::RequestBuilder {
        http_client()
            .build()
            .unwrap()
            .get(format!("{}{path}", self.base))
            .header(
                "x-vercel-internal-invocation-id",
                format!("invocation-{id}"),
            )
            .header("x-vercel-internal-request-id", id.to_string())
    }

    /// Returns a client for tests that ignore the reports: all requests have the same id.
    pub fn client(&self) -> Client {
        Client::http(self.base.clone())
            .with_header("x-vercel-internal-invocation-id", "invocation-0")
            .with_header("x-vercel-internal-request-id", "0")
    }

    /// Waits for a message of this type and returns the first.
    pub async fn wait_for(&self, kind: &str) -> Report {
        let started = Instant::now();
        loop {
            let reports = self.reports.lock().unwrap().clone();
            let found = reports.iter().find(|report| report.message["type"] == kind);
            if let Some(report) = found {
                return report.clone();
            }
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(20), "no {kind} in {reports:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns the types of all messages so far, in order.
    pub fn kinds(&self) -> Vec<String> {
        let reports = self.reports.lock().unwrap();
        let kinds = reports.iter().map(|report| &report.message["type"]);
        kinds
            .map(|kind| kind.as_str().unwrap().to_owned())
            .collect()
    }
}

impl Report {
    /// Checks that the message belongs to the request with this id.
    #[track_caller]
    pub fn assert_of_request(&self, id: u64) {
        assert_eq!(
            self.message["payload"]["context"],
            json!({"invocationId": format!("invocation-{id}"), "requestId": id})
        );
    }

    /// Decodes the log line of a `log` message.
    pub fn log_line(&self) -> Value {
        let encoded = self.message["payload"]["message"].as_str().unwrap();
        serde_json::from_slice(&STANDARD.decode(encoded).unwrap()).unwrap()
    }
}

/// Collects the messages of the function: JSON texts, each terminated by a NUL.
fn listen(listener: UnixListener, reports: Arc<Mutex<Vec<Report>>>) {
    std::thread::spawn(move || {
        let Ok((stream, _)) = listener.accept() else {
            return;
        };
        for text in BufReader::new(stream).split(0).map_while(Result::ok) {
            reports.lock().unwrap().push(Report {
                received: Utc::now(),
                message: serde_json::from_slice(&text).unwrap(),
            });
        }
    });
}
