//! `cargo run`: the local server and the Redis that it starts.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Client, Process, Redis, clear_configuration};

const LIMIT: Duration = Duration::from_secs(20);

/// Returns the process ids of the redis-servers with data in `directory`.
fn redis_processes(directory: &Path) -> Vec<String> {
    let listed = Command::new("pgrep")
        .args(["-f", &directory.join(".llmos").display().to_string()])
        .output();
    let listed = listed
        .expect("pgrep is not installed: apt install procps")
        .stdout;
    String::from_utf8(listed)
        .unwrap()
        .lines()
        .map(ToOwned::to_owned)
        .collect()
}

/// Kills the redis-server with data in `directory`.
fn kill_redis(directory: &Path) {
    for pid in redis_processes(directory) {
        let killed = Command::new("kill").args(["-KILL", &pid]).status().unwrap();
        assert!(killed.success());
    }
}

#[tokio::test]
async fn requests_of_existing_clients_work_without_configuration() {
    let directory = TempDir::new().unwrap();
    let (process, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();

    let body =
        json!({"name": "My Research Session", "volume": "user", "initial_message": "Hello!"});
    let created = api
        .post("/api/sessions", &body)
        .await
        .assert_status(201)
        .json();
    let listed = api
        .get("/api/sessions?volume=user")
        .await
        .assert_status(200)
        .json();
    let message = json!({"role": "user", "content": "Create a quantum circuit", "timestamp": "2025-12-14T10:00:00Z"});
    let path = format!("/api/sessions/{}/messages", created["id"].as_str().unwrap());
    let appended = api.post(&path, &message).await.assert_status(200).json();

    assert_eq!(listed["sessions"][0]["id"], created["id"]);
    assert_eq!(appended["message"], "Message added to session");
    api.get("/api/health").await.assert_status(200);
    api.get("/api/unknown").await.assert_error(404, "not_found");
    for path in [
        "/no-such-file",
        &format!("/{}", "x".repeat(5000)),
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
    ] {
        api.get(path).await.assert_error(404, "not_found");
    }
    let output = process.output();
    assert!(output.contains("private Redis, data in"), "{output}");
    let (base, files) = (api.address(), directory.path().canonicalize().unwrap());
    let lines = format!(
        "files      on disk in {}/.llmos/blob\n           for other programs: \
         VERCEL_BLOB_API_URL=http://{base}/_blob BLOB_READ_WRITE_TOKEN=vercel_blob_rw_local_development\n\
         not set    a model for chat: run `make model` in another terminal, or set ",
        files.display()
    );
    assert!(output.contains(&lines), "{output}");
}

#[tokio::test]
async fn data_survives_a_clean_stop_and_a_kill_of_all_processes() {
    let directory = TempDir::new().unwrap();
    let (mut process, api) = Process::local_server(directory.path(), &[]).await;
    let session = api.unwrap().session("x").await;
    let path = session.path();

    for signal in ["-INT", "-TERM", "-HUP"] {
        process.signal(signal);
        assert_eq!(process.exit_code(LIMIT).await, Some(0));
        assert_eq!(redis_processes(directory.path()), [""; 0]);
        let (next, api) = Process::local_server(directory.path(), &[]).await;
        let _ = api.unwrap().append_and_find(&path).await;
        process = next;
    }

    // Kills first only the server, then both. The next server starts at once.
    process.signal("-KILL");
    assert_eq!(process.exit_code(LIMIT).await, None);
    let (mut process, api) = Process::local_server(directory.path(), &[]).await;
    let _ = api.unwrap().append_and_find(&path).await;
    process.signal("-KILL");
    assert_eq!(process.exit_code(LIMIT).await, None);
    kill_redis(directory.path());
    let (mut process, api) = Process::local_server(directory.path(), &[]).await;
    let found = api.unwrap().append_and_find(&path).await;
    assert_eq!(found["message_count"], 5);

    process.signal("-TERM");
    assert_eq!(process.exit_code(LIMIT).await, Some(0));
    assert_eq!(redis_processes(directory.path()), [""; 0]);
}

/// Returns the process ids of the children of a process.
fn children(process: &Process) -> Vec<String> {
    let listed = Command::new("pgrep")
        .args(["-P", &process.id().to_string()])
        .output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    listed.lines().map(ToOwned::to_owned).collect()
}

/// Waits until none of the processes is running.
async fn wait_until_ended(ids: &[String], limit: Duration) {
    let started = Instant::now();
    let is_running = |id: &String| {
        let state = Command::new("ps").args(["-o", "stat=", "-p", id]).output();
        let state = String::from_utf8(state.unwrap().stdout).unwrap();
        // A container may have no process that reaps the ended ones.
        !state.trim().is_empty() && !state.trim().starts_with('Z')
    };
    while ids.iter().any(is_running) {
        assert!(started.elapsed() < limit, "{ids:?} are still running");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn redis_and_its_watcher_end_after_the_server_was_killed() {
    let directory = TempDir::new().unwrap();
    let (mut process, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();
    let session = api.session("x").await;
    let path = session.path();
    for number in 0..20 {
        api.append(&session.id, &format!("message {number}"))
            .await
            .assert_status(200);
    }
    let ids = children(&process);
    assert_eq!(ids.len(), 2, "{ids:?}");

    process.signal("-KILL");
    assert_eq!(process.exit_code(LIMIT).await, None);
    wait_until_ended(&ids, Duration::from_secs(10)).await;
    assert_eq!(redis_processes(directory.path()), [""; 0]);
    assert!(!directory.path().join(".llmos/redis/redis.sock").exists());

    let (mut process, api) = Process::local_server(directory.path(), &[]).await;
    let found = api.unwrap().append_and_find(&path).await;
    assert_eq!(found["message_count"], 21);
    let ids = children(&process);
    process.signal("-TERM");
    assert_eq!(process.exit_code(LIMIT).await, Some(0));
    wait_until_ended(&ids, Duration::from_secs(10)).await;
}

#[tokio::test]
async fn frozen_redis_ends_after_the_server_was_killed() {
    let directory = TempDir::new().unwrap();
    let (mut process, api) = Process::local_server(directory.path(), &[]).await;
    let _ = api.unwrap().create_session("x").await;
    let ids = children(&process);
    let redis = redis_processes(directory.path());
    let signal = |name: &str| {
        let sent = Command::new("kill")
            .arg(name)
            .args(&redis)
            .status()
            .unwrap();
        assert!(sent.success());
    };

    signal("-STOP");
    process.signal("-KILL");
    assert_eq!(process.exit_code(LIMIT).await, None);
    signal("-CONT");

    wait_until_ended(&ids, Duration::from_secs(10)).await;
}

#[tokio::test]
async fn interrupt_of_the_whole_process_group_stops_redis_last() {
    use std::os::unix::process::CommandExt;

    let directory = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_llmos"));
    clear_configuration(&mut command);
    command
        .current_dir(&directory)
        .env("PORT", "0")
        .process_group(0);
    let mut process = Process::spawn(&mut command);
    assert!(process.wait_for("from this machine only", LIMIT).await);
    let ids = children(&process);
    assert_eq!(ids.len(), 2, "{ids:?}");

    // As Ctrl-C in a terminal does.
    let group = format!("-{}", process.id());
    let sent = Command::new("kill").args(["-INT", "--", &group]).status();
    assert!(sent.unwrap().success());

    assert_eq!(process.exit_code(LIMIT).await, Some(0));
    wait_until_ended(&ids, Duration::ZERO).await;
}

#[tokio::test]
async fn watcher_without_a_parent_ends_and_leaves_a_used_server_running() {
    let directory = TempDir::new().unwrap();
    let (process, api) = Process::local_server(directory.path(), &[]).await;
    let session = api.as_ref().unwrap().session("x").await;
    let redis = redis_processes(directory.path());
    // A watcher of an earlier local server in the same folder.
    let data = directory
        .path()
        .join(".llmos/redis")
        .canonicalize()
        .unwrap();
    for input in [data.to_str().unwrap(), "/nowhere", ""] {
        let mut watcher = Command::new(env!("CARGO_BIN_EXE_llmos"))
            .arg("watch-redis")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = watcher.stdin.take().unwrap();
        pipe.write_all(input.as_bytes()).unwrap();
        drop(pipe);
        assert!(watcher.wait().unwrap().success(), "{input}");
    }
    assert_eq!(redis_processes(directory.path()), redis);
    api.unwrap().get(&session.path()).await.assert_status(200);
    assert_eq!(children(&process).len(), 2);
}

#[tokio::test]
async fn redis_that_exits_is_restarted() {
    let directory = TempDir::new().unwrap();
    let (mut first, api) = Process::local_server(directory.path(), &[]).await;
    let mut id = api.unwrap().create_session("x").await;
    // Without its watcher, the redis-server continues to run.
    let redis = redis_processes(directory.path());
    for id in children(&first) {
        if !redis.contains(&id) {
            let killed = Command::new("kill").args(["-KILL", &id]).status();
            assert!(killed.unwrap().success());
        }
    }
    first.signal("-KILL");
    let _ = first.exit_code(LIMIT).await;
    assert_eq!(redis_processes(directory.path()), redis);
    let (mut process, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();

    // First the redis-server that was already running, then the one that the server started.
    for _ in 0..2 {
        kill_redis(directory.path());
        let started = Instant::now();
        while api.get(&format!("/api/sessions/{id}")).await.status != 200 {
            assert!(started.elapsed() < Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        id = api.create_session("x").await;
    }
    process.signal("-TERM");
    assert_eq!(process.exit_code(LIMIT).await, Some(0));
    assert_eq!(redis_processes(directory.path()), [""; 0]);
}

#[tokio::test]
async fn second_server_in_one_folder_exits_and_leaves_the_first_running() {
    let directory = TempDir::new().unwrap();
    let (_first, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();

    let (mut second, none) = Process::local_server(directory.path(), &[]).await;
    assert!(none.is_none());
    assert_eq!(second.exit_code(LIMIT).await, Some(1));
    assert!(
        second
            .output()
            .contains("another local server is running in"),
        "{}",
        second.output()
    );
    let _ = api.create_session("x").await;

    let port = api.address().rsplit_once(':').unwrap().1.to_owned();
    let (mut third, _) = Process::local_server(directory.path(), &[("PORT", &port)]).await;
    assert_eq!(third.exit_code(LIMIT).await, Some(1));
    assert!(
        third.output().contains("set PORT to another port"),
        "{}",
        third.output()
    );
}

#[tokio::test]
async fn missing_redis_server_shows_samples_and_an_install_hint() {
    let directory = TempDir::new().unwrap();
    let (process, api) = Process::local_server(directory.path(), &[("PATH", "/nowhere")]).await;

    let list = api.unwrap().get("/api/sessions").await.assert_status(200);

    assert_eq!(list.header("x-llmos-storage"), Some("samples"));
    assert!(
        process.output().contains("install redis-server"),
        "{}",
        process.output()
    );
}

#[tokio::test]
async fn dotenv_is_read_and_sets_the_data_folder() {
    let directory = TempDir::new().unwrap();
    std::fs::write(
        directory.path().join(".env"),
        "LLMOS_DIR=elsewhere\nBLOB_READ_WRITE_TOKEN=x\n",
    )
    .unwrap();
    let (mut process, api) = Process::local_server(directory.path(), &[]).await;
    let _ = api.unwrap().create_session("x").await;
    assert!(
        directory
            .path()
            .join("elsewhere/redis/appendonlydir")
            .is_dir()
    );
    let output = process.output();
    assert!(
        output.contains("files      Vercel Blob at BLOB_READ_WRITE_TOKEN"),
        "{output}"
    );
    assert!(!directory.path().join("elsewhere/blob").exists());
    process.signal("-TERM");
    assert_eq!(process.exit_code(LIMIT).await, Some(0));

    let redis = Redis::start().await;
    let (process, api) =
        Process::local_server(directory.path(), &[("REDIS_URL", &redis.url())]).await;
    let _ = api.unwrap().create_session("x").await;
    assert_eq!(redis.command::<u64>(&["SCARD", "all:sessions"]), 1);
    assert!(
        process.output().contains("Redis at REDIS_URL"),
        "{}",
        process.output()
    );
}

#[tokio::test]
async fn dotenv_files_are_read_in_the_order_of_vercel() {
    let directory = TempDir::new().unwrap();
    // Each file also has an invalid value for the variables of the files before it. A copy of the project's variables
    // does not make the local server a deployment.
    for (file, text) in [
        (".env.development.local", "REQUEST_LOG=off\n"),
        (
            ".env.local",
            "REQUEST_LOG=no\nSTORAGE_FALLBACK=samples\nVERCEL=1\nVERCEL_ENV=production\nPORT=no\n",
        ),
        (".env.development", "STORAGE_FALLBACK=no\nRATE_LIMIT=7\n"),
        (".env", "\u{feff}RATE_LIMIT=no\nALLOW_ANONYMOUS=true\n"),
    ] {
        std::fs::write(directory.path().join(file), text).unwrap();
    }

    let (mut process, api) = Process::local_server(directory.path(), &[]).await;

    assert!(
        process.wait_for("from this machine only", LIMIT).await,
        "{}",
        process.output()
    );
    let sources = "variables  from the environment: PORT, LLMOS_LOCAL_MODEL\n           \
                   from .env.development.local: REQUEST_LOG\n           \
                   from .env.local: STORAGE_FALLBACK\n           \
                   from .env.development: RATE_LIMIT\n           \
                   from .env: ALLOW_ANONYMOUS\n";
    assert!(process.output().contains(sources), "{}", process.output());
    let listed = api.unwrap().get("/api/sessions").await.assert_status(200);
    assert_eq!(
        listed.header("ratelimit-policy"),
        Some("\"requests\";q=7;w=60")
    );
}

#[tokio::test]
async fn folder_with_a_path_too_long_for_a_socket_works() {
    let directory = TempDir::new().unwrap();
    let deep = directory.path().join("long-name/".repeat(12));
    std::fs::create_dir_all(&deep).unwrap();

    let (mut process, api) = Process::local_server(&deep, &[]).await;
    let _ = api.unwrap().create_session("x").await;
    process.signal("-TERM");
    assert_eq!(process.exit_code(LIMIT).await, Some(0));
}

#[tokio::test]
async fn invalid_value_of_a_variable_is_named() {
    let directory = TempDir::new().unwrap();
    for (name, value) in [
        ("PORT", "x"),
        ("ALLOWED_HOSTS", "dev.example.com:3000"),
        ("STORAGE_FALLBACK", "maybe"),
        ("REQUEST_LOG", "x"),
    ] {
        let (mut process, none) = Process::local_server(directory.path(), &[(name, value)]).await;
        assert!(none.is_none());
        assert_eq!(process.exit_code(LIMIT).await, Some(1));
        assert!(
            process.output().contains(&format!("{name} is \""))
                && process.output().contains("\": must be"),
            "{}",
            process.output()
        );
    }
}

#[tokio::test]
async fn parameter_of_redis_url_is_named() {
    let directory = TempDir::new().unwrap();
    let url = [("REDIS_URL", "rediss://:hidden@h?ssl_cert_reqs=none")];
    let (mut process, none) = Process::local_server(directory.path(), &url).await;
    assert!(none.is_none());
    assert_eq!(process.exit_code(LIMIT).await, Some(1));
    let said =
        "llmos cannot start: REDIS_URL is \"***\": the parameter ssl_cert_reqs must be required";
    assert!(process.output().contains(said), "{}", process.output());
}

impl Client {
    /// Appends a message to the session at `path` and returns the session.
    async fn append_and_find(&self, path: &str) -> serde_json::Value {
        self.append(path.rsplit_once('/').unwrap().1, "x")
            .await
            .assert_status(200);
        self.get(path).await.assert_status(200).json()
    }
}
