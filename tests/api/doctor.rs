//! `llmos doctor` against real servers with real failures. Every secret in these tests contains `hidden`, which no run
//! may print.

mod blob;
mod cluster;
mod encryption;
mod model;
mod unreachable;

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{
    Fault, Issuer, KeyServer, Process, Redis, ReservedPort, clear_configuration, config, in_process,
};

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
    doctor_in(&directory, environment).await
}

async fn doctor_in(directory: &TempDir, environment: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llmos"));
    clear_configuration(&mut command);
    command
        .arg("doctor")
        // A developer's model server must not change the tests.
        .env("LLMOS_LOCAL_MODEL", "off")
        .envs(environment.iter().copied())
        .current_dir(directory);
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
            "the other Redis checks are skipped: they need a connection",
            "Blob is not checked: BLOB_READ_WRITE_TOKEN is not set",
            "no model is checked: no provider is configured, and no local model is running (`make model`)",
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

/// The checks of the probe session that need it to exist.
const NEED_SESSION: [&str; 4] = [
    "append messages",
    "read session",
    "list sessions",
    "delete session",
];

impl Run {
    /// Asserts that only the creation of the probe session failed, and that no check that needs it passed.
    #[track_caller]
    fn assert_cannot_create(&self, cause: &str, remedy: &str) {
        self.assert_failed("create session", cause, remedy);
        let rest = self.from('✗', "create session");
        assert_eq!(
            rest[2], "append, read, list and delete are skipped: they need the session",
            "{}",
            self.output
        );
        for check in NEED_SESSION {
            let is_reported = self.output.lines().any(|line| line.contains(check));
            assert!(!is_reported, "{check} in\n{}", self.output);
        }
        assert_eq!(self.count('✗'), 1, "{}", self.output);
    }
}

#[tokio::test]
async fn doctor_checks_the_signing_keys() {
    let redis = Redis::start().await;
    let (first, second) = (Issuer::es256("a"), Issuer::eddsa("b"));
    let server = KeyServer::start(&[&first, &second]).await;
    let url = redis.url();
    let environment = [("REDIS_URL", &*url), ("AUTH_JWKS_URL", &*server.url())];
    let run = doctor_with(&environment, "").await;
    assert_eq!(run.code, Some(0), "{}", run.output);
    let line = run.from('✓', "AUTH_JWKS_URL")[0];
    assert!(line.ends_with(" 2 signing keys"), "{}", run.output);

    server.fail_with(Fault::Answer {
        status: 301,
        headers: vec![(
            "location",
            "http://id.example/hidden?hidden".replace("/hidden", "/keys"),
        )],
        body: String::new(),
    });
    let run = doctor_with(&environment, "").await;
    run.assert_failed(
        "AUTH_JWKS_URL",
        "the URL redirects to http://id.example/keys",
        "https URL",
    );
}

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
        "ACL", "SETUSER", "app", "on", ">hidden", "~*", "+@all", "-rpush", "-info",
    ]);
    let url = unix_url(&redis, "app", "hidden");

    let run = doctor(&url).await;
    run.assert_failed("append messages", "lacks a permission: ", "ACL SETUSER");
    for check in ["read session", "list sessions", "delete session"] {
        run.from('✓', check);
    }
    // Version and memory policy are optional checks.
    run.from('!', "version");
    run.from('!', "memory policy");
    assert_eq!((run.count('✓'), run.count('✗')), (7, 1), "{}", run.output);
    assert!(redis.keys().is_empty());

    redis.command::<()>(&["ACL", "SETUSER", "app", "-@scripting"]);
    let run = doctor(&url).await;
    run.assert_cannot_create("lacks a permission: NoPerm", "ACL SETUSER");
    assert_eq!((run.count('✓'), run.count('!')), (3, 2), "{}", run.output);
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn doctor_reports_the_file_of_each_variable() {
    let redis = Redis::start().await;
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: String| {
        std::fs::write(directory.path().join(name), text).unwrap();
    };
    write(".env.local", format!("REDIS_URL='{}'\n", redis.url()));
    write(
        ".env",
        "REDIS_URL=redis://unused.invalid\nSTORAGE_FALLBACK=off\nRATE_LIMIT=\n".to_owned(),
    );

    let run = doctor_in(&directory, &[("REQUEST_LOG", "off")]).await;

    let lines = "variables from the environment: REQUEST_LOG, LLMOS_LOCAL_MODEL\n\
                 variables from .env.local: REDIS_URL\n\
                 variables from .env: STORAGE_FALLBACK\n";
    assert!(run.output.starts_with(lines), "{}", run.output);
    assert_eq!(run.code, Some(0), "{}", run.output);

    write(
        ".env.development",
        "REDIS_URL=redis://:hidden word@h\n".to_owned(),
    );
    let run = doctor_in(&directory, &[]).await;
    run.assert_failed(
        "configuration",
        "cannot read .env.development: a line is not NAME=value",
        ".env",
    );
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
    run.assert_cannot_create("read-only replica: ReadOnly", "address of the primary");
}

#[tokio::test]
async fn doctor_reports_a_full_memory() {
    let redis = Redis::start_with(&["--maxmemory", "1"]).await;
    let run = doctor(&redis.url()).await;
    run.assert_cannot_create(
        "memory of the server is full: \"OOM\"",
        "increase maxmemory",
    );
}
