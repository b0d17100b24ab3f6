//! `cargo run -- doctor` against real servers with real failures. Every secret in these tests contains
//! `hidden`, and no run may print that word.

mod blob;
mod cluster;
mod encryption;
mod unreachable;

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Process, Redis, ReservedPort, clear_configuration, config, in_process};

/// The output and exit code of a run.
struct Run {
    code: Option<i32>,
    output: String,
}

async fn doctor(redis_url: &str) -> Run {
    doctor_with(&[("REDIS_URL", redis_url)], "").await
}

/// Runs the doctor in a folder with this `.env` file.
async fn doctor_with(environment: &[(&str, &str)], dotenv: &str) -> Run {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join(".env"), dotenv).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_llmos"));
    clear_configuration(&mut command);
    command
        .arg("doctor")
        .envs(environment.iter().copied())
        .current_dir(&directory);
    let mut process = Process::spawn(&mut command);
    let code = process.exit_code(Duration::from_secs(60)).await;
    let is_whole = |output: &str| output.contains("everything works") || output.contains(" failed");
    for _ in 0..500 {
        if is_whole(&process.output()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let output = process.output();
    assert!(is_whole(&output), "{output}");
    assert!(!output.contains("hidden"), "{output}");
    Run { code, output }
}

impl Run {
    /// Returns the lines from the line of this check on.
    #[track_caller]
    fn from(&self, mark: char, check: &str) -> Vec<&str> {
        let start = format!("{mark} {check} ");
        let lines = self.output.lines().map(str::trim_end);
        let found: Vec<&str> = lines
            .skip_while(|line| !format!("{line} ").starts_with(&start))
            .collect();
        assert!(!found.is_empty(), "no {start} in\n{}", self.output);
        found
    }

    /// That this check failed, with this in the lines of its cause and its remedy.
    #[track_caller]
    fn assert_failed(&self, check: &str, cause: &str, remedy: &str) {
        let lines = self.from('✗', check);
        assert!(lines[0].contains(cause), "{}", self.output);
        assert!(lines[1].contains("→"), "{}", self.output);
        assert!(lines[1].contains(remedy), "{}", self.output);
        assert_eq!(self.code, Some(1));
    }

    /// Checks that nothing else was checked after the connection failed.
    #[track_caller]
    fn assert_cannot_connect(&self, cause: &str, remedy: &str) {
        self.assert_failed("connection", cause, remedy);
        let rest = &self.from('✗', "connection")[2..];
        let end = [
            "nothing else can be checked until this works",
            "Blob is not checked: BLOB_READ_WRITE_TOKEN is not set",
            "1 failed (✗)",
        ];
        assert_eq!(rest, end, "{}", self.output);
    }

    /// Counts the lines with this mark.
    fn count(&self, mark: char) -> usize {
        self.output
            .lines()
            .filter(|line| line.starts_with(mark))
            .count()
    }
}

fn unix_url(redis: &Redis, user: &str, password: &str) -> String {
    format!("{}?user={user}&pass={password}", redis.url())
}

/// The checks that write to Redis.
const WRITING: [&str; 5] = [
    "set and get",
    "JSON object",
    "set operations",
    "list operations",
    "Lua script",
];

#[tokio::test]
async fn doctor_passes_on_a_healthy_server_and_leaves_nothing_behind() {
    let redis = Redis::start_with(&["--requirepass", "hidden"]).await;
    let url = unix_url(&redis, "default", "hidden");

    let run = doctor_with(&[], &format!("REDIS_URL='{url}'")).await;

    assert_eq!(run.code, Some(0), "{}", run.output);
    assert_eq!(
        (run.count('✓'), run.count('✗'), run.count('!')),
        (10, 0, 0),
        "{}",
        run.output
    );
    assert!(run.output.ends_with("everything works\n"), "{}", run.output);
    assert!(
        run.output.contains("?db=0&user=***&pass=***\n"),
        "{}",
        run.output
    );
    assert!(
        run.from('✓', "version")[0].contains(" 7.")
            || run.from('✓', "version")[0].contains("Valkey")
    );
    let mut client = redis::Client::open(url).unwrap().get_connection().unwrap();
    assert_eq!(redis::cmd("DBSIZE").query::<u64>(&mut client), Ok(0));
}

#[tokio::test]
async fn doctor_leaves_existing_data_unchanged() {
    let redis = Redis::start().await;
    redis.command::<()>(&["SET", "session:a", "b"]);
    assert_eq!(doctor(&redis.url()).await.code, Some(0));
    assert_eq!(redis.keys(), ["session:a"]);
}

#[tokio::test]
async fn doctor_reports_a_forbidden_command_and_completes_the_other_checks() {
    let redis = Redis::start().await;
    redis.command::<()>(&[
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">hidden",
        "~*",
        "+@all",
        "-smembers",
        "-@scripting",
        "-info",
    ]);

    let run = doctor(&unix_url(&redis, "app", "hidden")).await;

    for check in ["set operations", "Lua script"] {
        run.assert_failed(check, "lacks a permission: NoPerm", "ACL SETUSER");
    }
    // A check that only advises must not fail the run.
    run.from('!', "version");
    run.from('!', "memory policy");
    assert_eq!((run.count('✓'), run.count('✗')), (6, 2), "{}", run.output);
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn permissions_named_by_the_remedy_are_sufficient() {
    let redis = Redis::start().await;
    let named = [
        "~*",
        "+@read",
        "+@write",
        "+@scripting",
        "+@connection",
        "+info",
        "+time",
    ];
    redis.command::<()>(&[&["ACL", "SETUSER", "app", "on", ">hidden"], &named[..]].concat());
    let url = unix_url(&redis, "app", "hidden");

    let run = doctor(&url).await;
    assert_eq!((run.code, run.count('!')), (Some(0), 0), "{}", run.output);
    let api = in_process(config(&url));
    let session = api.session("permitted").await;
    let path = session.path();
    api.append(&session.id, "hello").await.assert_status(200);
    api.get("/api/sessions").await.assert_status(200);
    api.put(&path, &serde_json::json!({"name": "new"}))
        .await
        .assert_status(200);
    api.delete(&path).await.assert_status(200);
}

#[tokio::test]
async fn doctor_warns_about_an_evicting_server() {
    let redis = Redis::start_with(&["--maxmemory-policy", "allkeys-lru"]).await;
    let run = doctor(&redis.url()).await;
    let lines = run.from('!', "memory policy");
    assert!(
        lines[0].contains("allkeys-lru") && lines[1].contains("noeviction"),
        "{}",
        run.output
    );
    assert_eq!((run.code, run.count('!')), (Some(0), 1), "{}", run.output);
}

#[tokio::test]
async fn doctor_reports_a_read_only_replica() {
    let port = ReservedPort::new();
    let _primary = Redis::start_with(&["--port", &port.to_string()]).await;
    let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &port.to_string()]).await;
    let run = doctor(&replica.url()).await;
    for check in WRITING {
        run.assert_failed(
            check,
            "read-only replica: ReadOnly",
            "address of the primary",
        );
    }
    assert_eq!(run.count('✗'), 5, "{}", run.output);
}

#[tokio::test]
async fn doctor_reports_a_full_memory() {
    let redis = Redis::start_with(&["--maxmemory", "1"]).await;
    let run = doctor(&redis.url()).await;
    for check in WRITING {
        run.assert_failed(
            check,
            "memory of the server is full: \"OOM\"",
            "increase maxmemory",
        );
    }
    assert_eq!(run.count('✗'), 5, "{}", run.output);
}
