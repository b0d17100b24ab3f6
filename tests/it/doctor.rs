//! `cargo run --bin doctor` against real servers with real troubles. Whatever is secret here contains
//! `hidden`, and no run may print that.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Process, Redis, TlsRedis, clear_configuration, free_port, in_process};

/// What a run printed, and ended with.
struct Run {
    code: Option<i32>,
    output: String,
}

async fn doctor(redis_url: &str) -> Run {
    doctor_with(&[("REDIS_URL", redis_url)], "").await
}

/// Runs the doctor in a folder with this `.env`.
async fn doctor_with(environment: &[(&str, &str)], dotenv: &str) -> Run {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join(".env"), dotenv).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_doctor"));
    clear_configuration(&mut command);
    command
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
    /// The lines from the one of this check on.
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

    /// That nothing else was checked after the connection failed.
    #[track_caller]
    fn assert_cannot_connect(&self, cause: &str, remedy: &str) {
        self.assert_failed("connection", cause, remedy);
        let rest = &self.from('✗', "connection")[2..];
        let end = [
            "nothing else can be checked until this works",
            "1 failed (✗)",
        ];
        assert_eq!(rest, end, "{}", self.output);
    }

    /// How many lines start with this mark.
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

#[tokio::test]
async fn on_a_healthy_server_all_is_well_and_nothing_is_left() {
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
async fn the_data_of_the_server_stays_as_it_is() {
    let redis = Redis::start().await;
    redis.command::<()>(&["SET", "session:a", "b"]);
    assert_eq!(doctor(&redis.url()).await.code, Some(0));
    assert_eq!(redis.keys(), ["session:a"]);
}

#[tokio::test]
async fn a_url_that_is_not_set_is_said() {
    let run = doctor_with(&[], "").await;
    run.assert_failed(
        "REDIS_URL",
        "REDIS_URL is not set",
        "set REDIS_URL to redis://",
    );
}

#[tokio::test]
async fn a_malformed_url_is_said_and_none_of_it_is_shown() {
    for url in [
        "hidden",
        "https://:hidden@127.0.0.1",
        "redis://:hidden@127.0.0.1:port",
        "redis://:p@ss/hidden@127.0.0.1",
        "redis://user:12#hidden@127.0.0.1",
        "redis://:hidden@",
    ] {
        let run = doctor(url).await;
        run.assert_cannot_connect("REDIS_URL cannot be understood", "percent-encoded");
    }
}

#[tokio::test]
async fn a_line_of_dotenv_that_cannot_be_read_is_said_without_its_value() {
    let run = doctor_with(&[], "REDIS_URL=redis://:hidden word@127.0.0.1\n").await;
    run.assert_failed("configuration", "a line is not NAME=value", ".env");
}

#[tokio::test]
async fn an_unknown_host_is_said() {
    let run = doctor("redis://:hidden@no-such-host.invalid").await;
    run.assert_cannot_connect("host name in REDIS_URL is not known", "check its spelling");
    assert!(
        run.output
            .starts_with("Redis at redis://:***@no-such-host.invalid:6379/0\n")
    );
}

#[tokio::test]
async fn a_refused_connection_is_said() {
    let port = free_port();
    for url in [
        format!("redis://127.0.0.1:{port}"),
        "redis+unix:///no/such.sock".to_owned(),
    ] {
        let run = doctor(&url).await;
        run.assert_cannot_connect("nothing listens there: ", "start the server");
        assert!(run.output.contains("(os error "), "{}", run.output);
    }
}

#[tokio::test]
async fn a_hung_server_is_said() {
    let redis = Redis::start().await;
    redis.freeze();
    let run = doctor(&redis.url()).await;
    run.assert_cannot_connect("no answer in time: timed out", "host, port and firewall");
}

#[tokio::test]
async fn a_missing_or_wrong_password_is_said() {
    let redis = Redis::start_with(&["--requirepass", "hidden"]).await;
    let run = doctor(&redis.url()).await;
    run.assert_cannot_connect(
        "wants a password: \"NOAUTH\"",
        "redis://:password@host:port",
    );

    let url = unix_url(&redis, "default", "hidden-other");
    for url in [url.clone(), format!("{url}&protocol=resp2")] {
        let run = doctor(&url).await;
        run.assert_cannot_connect(
            "user or password in REDIS_URL is wrong",
            "copy the URL again",
        );
    }
}

#[tokio::test]
async fn a_server_without_hello_is_served_and_its_error_never_repeats_the_password() {
    let redis =
        Redis::start_with(&["--rename-command", "HELLO", "", "--requirepass", "hidden"]).await;
    let run = doctor(&unix_url(&redis, "default", "hidden")).await;
    assert_eq!(run.code, Some(0), "{}", run.output);

    let run = doctor(&unix_url(&redis, "default", "hidden-other")).await;
    run.assert_cannot_connect(
        "user or password in REDIS_URL is wrong",
        "copy the URL again",
    );
}

#[tokio::test]
async fn a_forbidden_command_is_said_hides_no_other_check_and_leaves_no_key() {
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
        run.assert_failed(check, "may not do this: NoPerm", "ACL SETUSER");
    }
    // It is only advice that cannot be given.
    run.from('!', "version");
    run.from('!', "memory policy");
    assert_eq!((run.count('✓'), run.count('✗')), (6, 2), "{}", run.output);
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn the_permissions_that_the_remedy_names_are_enough() {
    let redis = Redis::start().await;
    let named = [
        "~*",
        "+@read",
        "+@write",
        "+@scripting",
        "+@connection",
        "+info",
    ];
    redis.command::<()>(&[&["ACL", "SETUSER", "app", "on", ">hidden"], &named[..]].concat());
    let url = unix_url(&redis, "app", "hidden");

    let run = doctor(&url).await;
    assert_eq!((run.code, run.count('!')), (Some(0), 0), "{}", run.output);
    let api = in_process(crate::support::config(&url));
    let id = api.create_session("permitted").await;
    let path = format!("/api/sessions/{id}");
    let _ = api.append(&id, "hello").await.assert_status(200);
    let _ = api.get("/api/sessions").await.assert_status(200);
    let _ = api
        .put(&path, &serde_json::json!({"name": "new"}))
        .await
        .assert_status(200);
    let _ = api.delete(&path).await.assert_status(200);
}

#[tokio::test]
async fn tls_where_there_is_none_and_none_where_there_is_tls_are_said() {
    let port = free_port();
    let _redis = Redis::start_with(&["--port", &port.to_string()]).await;
    let run = doctor(&format!("rediss://127.0.0.1:{port}")).await;
    run.assert_cannot_connect(
        "no answer in time",
        "use redis:// there instead of rediss://",
    );

    let server = TlsRedis::start().await;
    let run = doctor(&server.url().replace("rediss", "redis")).await;
    run.assert_cannot_connect(
        "the server closed the connection",
        "use rediss:// instead of redis://",
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_does_not_fit_is_said() {
    let server = TlsRedis::start().await;
    let run = doctor(&server.url()).await;
    run.assert_cannot_connect(
        "not signed by a trusted authority: invalid peer certificate: UnknownIssuer",
        "REDIS_CA_CERT",
    );

    let authority = server.authority.replace('\n', "\\n");
    let run = doctor_with(
        &[("REDIS_URL", &server.url()), ("REDIS_CA_CERT", &authority)],
        "",
    )
    .await;
    assert!(run.from('✓', "TLS")[0].contains("on, trusting REDIS_CA_CERT only"));
    assert_eq!(run.code, Some(0), "{}", run.output);

    let other = TlsRedis::start_for("other.example").await;
    let run = doctor_with(
        &[
            ("REDIS_URL", &other.url()),
            ("REDIS_CA_CERT", &other.authority),
        ],
        "",
    )
    .await;
    run.assert_cannot_connect(
        "does not fit: invalid peer certificate: certificate not valid for name",
        "host name",
    );
}

#[tokio::test]
async fn a_ca_certificate_that_is_none_or_not_used_is_said() {
    let server = TlsRedis::start().await;
    let nonsense = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----";
    let run = doctor_with(
        &[("REDIS_URL", &server.url()), ("REDIS_CA_CERT", nonsense)],
        "",
    )
    .await;
    run.assert_cannot_connect("REDIS_CA_CERT is not a certificate", "PEM");

    let environment = [
        ("REDIS_URL", "redis://127.0.0.1"),
        ("REDIS_CA_CERT", &server.authority),
    ];
    let run = doctor_with(&environment, "").await;
    run.assert_cannot_connect("REDIS_URL is without TLS", "use rediss://");
}

#[tokio::test]
async fn no_tls_to_another_machine_is_a_warning() {
    let port = free_port();
    let _redis = Redis::start_with(&["--port", &port.to_string()]).await;
    // This is 127.0.0.1 to the system, and a name like any other to us.
    let run = doctor(&format!("redis://127.1:{port}")).await;
    assert!(
        run.from('!', "TLS")[1].contains("use rediss://"),
        "{}",
        run.output
    );
    assert_eq!((run.code, run.count('!')), (Some(0), 1), "{}", run.output);
}

#[tokio::test]
async fn a_server_that_may_throw_keys_away_is_a_warning() {
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
async fn a_read_only_replica_is_said() {
    let port = free_port().to_string();
    let _primary = Redis::start_with(&["--port", &port]).await;
    let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &port]).await;
    let run = doctor(&replica.url()).await;
    for check in [
        "set and get",
        "JSON object",
        "set operations",
        "list operations",
        "Lua script",
    ] {
        run.assert_failed(
            check,
            "read-only replica: ReadOnly",
            "address of the primary",
        );
    }
    assert_eq!(run.count('✗'), 5, "{}", run.output);
}

#[tokio::test]
async fn a_full_memory_is_said() {
    let redis = Redis::start_with(&["--maxmemory", "1"]).await;
    let run = doctor(&redis.url()).await;
    for check in [
        "set and get",
        "JSON object",
        "set operations",
        "list operations",
        "Lua script",
    ] {
        run.assert_failed(check, "memory is full: \"OOM\"", "raise maxmemory");
    }
    assert_eq!(run.count('✗'), 5, "{}", run.output);
}

#[tokio::test]
async fn a_server_that_still_loads_its_data_is_said() {
    // It sleeps 10 ms after each of 1,000 keys, and answers after each.
    let mut redis = Redis::start_with(&[
        "--rdbcompression",
        "no",
        "--key-load-delay",
        "10000",
        "--loading-process-events-interval-bytes",
        "1024",
    ])
    .await;
    let fill = "for i = 1, 1000 do redis.call('SET', i, string.rep('x', 1024)) end";
    redis.command::<()>(&["EVAL", fill, "0"]);
    redis.command::<()>(&["SAVE"]);
    redis.kill();
    redis.restart().await;
    let run = doctor(&redis.url()).await;
    run.assert_cannot_connect(
        "the server is loading its data: BusyLoading",
        "wait, and try again",
    );
}
