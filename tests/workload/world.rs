//! The servers of a workload: a durable Redis and two processes of the sessions function.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::fault::Fault;
use crate::support::{Client, Process, Proxy, Redis, ReservedPort};

pub(super) const FUNCTION: &str = env!("CARGO_BIN_EXE_sessions");
const PERSISTENT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];
/// The path of the library on Debian and its derivatives; the loader replaces `$LIB`.
const FAKE_TIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";
/// The time limit for a replica to connect or to take over.
const REPLICATION_LIMIT: Duration = Duration::from_secs(10);

/// The servers of one run. Faults affect the first process only.
#[derive(Debug)]
pub struct World {
    pub redis: Redis,
    pub proxy: Proxy,
    pub process: Process,
    pub apis: [Client; 2],
    /// The id of the conversation, once it is created.
    pub conversation: String,
    replica: Option<Replica>,
    other: Process,
    port: ReservedPort,
    function: &'static str,
    environment: Vec<(&'static str, String)>,
    directory: TempDir,
}

/// A second Redis, and the TCP ports of both.
#[derive(Debug)]
struct Replica {
    redis: Redis,
    port: ReservedPort,
    primary_port: ReservedPort,
}

impl World {
    pub async fn start(fault: Fault) -> Self {
        Self::start_function(FUNCTION, fault, &[]).await
    }

    /// Starts processes of this function, with further variables.
    pub async fn start_function(
        function: &'static str,
        fault: Fault,
        further: &[(&'static str, String)],
    ) -> Self {
        let directory = TempDir::new().unwrap();
        let (redis, replica) = if fault == Fault::FailedOver {
            let (redis, replica) = start_pair().await;
            (redis, Some(replica))
        } else {
            (Redis::start_with(&PERSISTENT).await, None)
        };
        let proxy = Proxy::start(redis.socket()).await;
        let url = if fault.is_of_the_network() {
            proxy.url()
        } else {
            redis.url()
        };
        let mut environment = environment(url);
        environment.extend(further.iter().cloned());
        let (other, other_api) = Process::function(function, &borrowed(&environment)).await;
        if fault == Fault::ClockJumps {
            let clock = directory.path().join("clock").display().to_string();
            environment.extend([
                ("LD_PRELOAD", FAKE_TIME.to_owned()),
                ("FAKETIME_TIMESTAMP_FILE", clock),
                ("FAKETIME_NO_CACHE", "1".to_owned()),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ]);
            std::fs::write(directory.path().join("clock"), "+0").unwrap();
        }
        let port = ReservedPort::new();
        let process = Process::function_on(&port, function, &borrowed(&environment)).await;
        let api = Client::http(format!("http://127.0.0.1:{port}"));
        Self {
            redis,
            proxy,
            process,
            apis: [api, other_api],
            replica,
            other,
            port,
            function,
            environment,
            directory,
            conversation: String::new(),
        }
    }

    /// Restarts the first process after it was killed.
    pub async fn restart_process(&mut self) {
        let environment = borrowed(&self.environment);
        self.process = Process::function_on(&self.port, self.function, &environment).await;
    }

    /// Returns the resident memory of both processes in bytes.
    pub fn memory(&self) -> u64 {
        self.process.memory() + self.other.memory()
    }

    /// Shifts the clock of the first process and checks that a shift ahead is visible.
    pub async fn set_clock(&self, offset: &str) {
        std::fs::write(self.clock(), offset).unwrap();
        if !offset.starts_with("+4") {
            return;
        }
        let started = Instant::now();
        while self.date().await < Utc::now() + TimeDelta::days(399) {
            assert!(
                started.elapsed() < Duration::from_secs(3),
                "the clock stands still: is faketime installed? (`make setup`, or apt install faketime)"
            );
        }
    }

    /// Returns the time that the first process reports.
    async fn date(&self) -> DateTime<Utc> {
        let answer = self.apis[0].get("/api/no-such-route").await;
        let date = answer.header("date").unwrap();
        DateTime::parse_from_rfc2822(date).unwrap().to_utc()
    }

    fn clock(&self) -> PathBuf {
        self.directory.path().join("clock")
    }

    /// Fails over to the replica without losing a write: the primary stops
    /// writing, waits until the replica is in sync, and becomes its replica. (A primary that dies
    /// loses acknowledged writes that were not replicated; a service cannot prevent that.)
    pub async fn fail_over(&mut self) {
        let replica = self.replica.as_mut().unwrap();
        let port = replica.port.to_string();
        self.redis
            .command::<()>(&["FAILOVER", "TO", "127.0.0.1", &port, "TIMEOUT", "5000"]);
        wait_for(&replica.redis, "role:master").await;
        self.proxy.lead_to(replica.redis.socket());
        std::mem::swap(&mut self.redis, &mut replica.redis);
        std::mem::swap(&mut replica.port, &mut replica.primary_port);
        wait_for(&replica.redis, "master_link_status:up").await;
    }
}

async fn start_pair() -> (Redis, Replica) {
    let (primary_port, port) = (ReservedPort::new(), ReservedPort::new());
    let start = async |port: &ReservedPort, further: &[&str]| {
        let port = port.to_string();
        let arguments = ["--port", &port, "--repl-diskless-sync-delay", "0"];
        Redis::start_with(&[&PERSISTENT, &arguments[..], further].concat()).await
    };
    let primary = start(&primary_port, &[]).await;
    let address = format!("127.0.0.1 {primary_port}");
    let redis = start(&port, &["--replicaof", &address]).await;
    wait_for(&redis, "master_link_status:up").await;
    let replica = Replica {
        redis,
        port,
        primary_port,
    };
    (primary, replica)
}

async fn wait_for(redis: &Redis, line: &str) {
    let started = Instant::now();
    loop {
        let replication: String = redis.command(&["INFO", "replication"]);
        if replication.lines().any(|it| it == line) {
            return;
        }
        assert!(
            started.elapsed() < REPLICATION_LIMIT,
            "no {line} in {replication}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Returns the environment of the processes.
pub(super) fn environment(redis_url: String) -> Vec<(&'static str, String)> {
    vec![
        ("REDIS_URL", redis_url),
        ("REQUEST_LOG", "off".to_owned()),
        ("STORAGE_FALLBACK", "off".to_owned()),
    ]
}

pub(super) fn borrowed<'a>(
    environment: &'a [(&'static str, String)],
) -> Vec<(&'static str, &'a str)> {
    let pairs = environment.iter();
    pairs.map(|(name, value)| (*name, value.as_str())).collect()
}
