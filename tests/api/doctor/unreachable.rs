//! Reports of the doctor if it cannot connect to Redis.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::{doctor, doctor_with, unix_url};
use crate::support::{Proxy, Redis, ReservedPort, config, in_process};

/// Starts a server that replies to every command of a connection with this error, and returns its address.
fn replying(error: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                    // One for each command of the connection setup.
                    let _ = stream.write_all(format!("-{error}\r\n").repeat(3).as_bytes());
                }
            });
        }
    });
    address.to_string()
}

#[tokio::test]
async fn doctor_reports_a_missing_url() {
    let run = doctor_with(&[], "").await;
    run.assert_failed(
        "REDIS_URL",
        "REDIS_URL is not set",
        "set REDIS_URL to redis://",
    );
}

#[tokio::test]
async fn doctor_reports_a_malformed_url_without_printing_it() {
    for (url, cause) in [
        ("hidden", "it has no scheme: write redis://"),
        (
            "https://:hidden@127.0.0.1",
            "it is the address of an HTTP API: copy",
        ),
        (
            "redis://:hidden@127.0.0.1:port",
            "it is malformed: use redis://",
        ),
        (
            "redis://:p@ss/hidden@127.0.0.1",
            "an @ follows the host: use redis://",
        ),
        (
            "redis://user:12#hidden@127.0.0.1",
            "an @ follows the host: use redis://",
        ),
        ("redis://:hidden@", "percent-encode"),
        (
            "'redis://:hidden@127.0.0.1'",
            "it is in quotes: remove the quotes",
        ),
        (
            "redis-cli --tls -u redis://:hidden@127.0.0.1",
            "it is a command: use only the URL after -u",
        ),
        (":hidden@127.0.0.1:6379", "it has no scheme: write redis://"),
        (
            "redis://:hidden@127.0.0.1/3?db=15",
            "the parameter db contradicts another part",
        ),
        (
            "rediss://:hidden@127.0.0.1?ssl_cert_reqs=none",
            "the parameter ssl_cert_reqs must be required",
        ),
        (
            "redis://:hidden@127.0.0.1?max_connections=5",
            "the parameter max_connections is unknown: remove it",
        ),
    ] {
        let run = doctor(url).await;
        run.assert_failed(
            "configuration",
            "REDIS_URL is \"***\": ",
            "correct the value in",
        );
        run.assert_failed("configuration", cause, ".env");
        assert_eq!((run.count('✗'), run.count('✓')), (1, 0), "{}", run.output);
    }
}

#[tokio::test]
async fn doctor_reports_the_database_of_either_form() {
    let port = ReservedPort::new();
    let _redis = Redis::start_with(&["--port", &port.to_string()]).await;
    for end in ["/15", "/?db=15", "/15?db=15&protocol=resp2"] {
        let run = doctor(&format!("redis://127.0.0.1:{port}{end}")).await;
        let line = format!("Redis at redis://127.0.0.1:{port}/15\n");
        assert!(run.output.contains(&line), "{}", run.output);
        assert_eq!(
            run.from('✓', "connection")[0],
            "✓ connection       database 15"
        );
        assert_eq!(run.code, Some(0), "{}", run.output);
    }
}

#[tokio::test]
async fn sessions_are_stored_in_the_database_of_the_parameter() {
    let redis = Redis::start().await;
    let proxy = Proxy::start(redis.socket()).await;
    let api = in_process(config(&format!("{}/?db=15", proxy.url())));
    let _ = api.create_session("x").await;
    assert!(redis.keys().is_empty());
    let url = format!("{}?db=15", redis.url());
    let mut client = redis::Client::open(url).unwrap().get_connection().unwrap();
    assert_eq!(
        redis::cmd("EXISTS").arg("all:sessions").query(&mut client),
        Ok(1)
    );
}

#[tokio::test]
async fn doctor_reports_an_invalid_dotenv_line_without_its_value() {
    let run = doctor_with(&[], "REDIS_URL=redis://:hidden word@127.0.0.1\n").await;
    run.assert_failed("configuration", "a line is not NAME=value", ".env");
}

#[tokio::test]
async fn doctor_reports_an_unknown_host() {
    let run = doctor("redis://:hidden@no-such-host.invalid").await;
    run.assert_cannot_connect(
        "host name in REDIS_URL does not resolve",
        "check its spelling",
    );
    assert!(
        run.output.starts_with(
            "variables from the environment: REDIS_URL, LLMOS_LOCAL_MODEL\nRedis at redis://:***@no-such-host.invalid:6379/0\n"
        )
    );
}

#[tokio::test]
async fn doctor_reports_a_rejected_connection() {
    let port = ReservedPort::new();
    for url in [
        format!("redis://127.0.0.1:{port}"),
        "redis+unix:///no/such.sock".to_owned(),
    ] {
        let run = doctor(&url).await;
        run.assert_cannot_connect("the connection was refused: ", "start the server");
        assert!(run.output.contains("(os error "), "{}", run.output);
    }
}

#[tokio::test]
async fn doctor_reports_a_server_that_does_not_answer() {
    let redis = Redis::start().await;
    redis.freeze();
    let run = doctor(&redis.url()).await;
    run.assert_cannot_connect("no reply in time: timed out", "host, port and firewall");
}

#[tokio::test]
async fn doctor_reports_a_missing_or_wrong_password() {
    let redis = Redis::start_with(&["--requirepass", "hidden"]).await;
    let run = doctor(&redis.url()).await;
    run.assert_cannot_connect(
        "requires a password: \"NOAUTH\"",
        "redis://:password@host:port",
    );

    let url = unix_url(&redis, "default", "hidden-other");
    for url in [url.clone(), format!("{url}&protocol=resp2")] {
        let run = doctor(&url).await;
        run.assert_cannot_connect(
            "user or password in REDIS_URL is wrong",
            "copy the URL from the provider again",
        );
    }
}

#[tokio::test]
async fn doctor_connects_without_hello_and_never_prints_the_password() {
    let redis =
        Redis::start_with(&["--rename-command", "HELLO", "", "--requirepass", "hidden"]).await;
    let run = doctor(&unix_url(&redis, "default", "hidden")).await;
    assert_eq!(run.code, Some(0), "{}", run.output);

    let run = doctor(&unix_url(&redis, "default", "hidden-other")).await;
    run.assert_cannot_connect(
        "user or password in REDIS_URL is wrong",
        "copy the URL from the provider again",
    );
}

#[tokio::test]
async fn doctor_reports_a_server_that_is_loading() {
    // The server sleeps 10 ms after each of 1,000 keys and serves commands in between.
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
    redis.restart_and_let_it_load().await;
    let run = doctor(&redis.url()).await;
    run.assert_cannot_connect(
        "the server is loading its data: BusyLoading",
        "wait and try again",
    );
}

#[tokio::test]
async fn doctor_reports_a_user_name_on_a_server_with_a_password_only() {
    let redis = Redis::start_with(&["--requirepass", "hidden"]).await;
    let proxy = Proxy::start(redis.socket()).await;
    let host = proxy.url().replace("redis://", "");
    for url in [
        format!("redis://h:hidden@{host}"),
        format!("redis://h:hidden@{host}?protocol=resp2"),
        unix_url(&redis, "h", "hidden"),
    ] {
        let run = doctor(&url).await;
        run.assert_cannot_connect(
            "the user name or password in REDIS_URL is wrong: ",
            "remove the user name if the server has a password only: redis://:password@host:port",
        );
    }
    let run = doctor(&format!("redis://default:hidden@{host}")).await;
    assert_eq!(run.code, Some(0), "{}", run.output);
}

#[tokio::test]
async fn doctor_reports_a_server_with_too_many_clients() {
    let redis = Redis::start_with(&["--maxclients", "1"]).await;
    let client = redis::Client::open(redis.url()).unwrap();
    let _only = client.get_connection().unwrap();
    let run = doctor(&redis.url()).await;
    run.assert_cannot_connect("limit of clients: ", "increase maxclients");
    assert!(
        run.output.contains("max number of clients reached"),
        "{}",
        run.output
    );
}

#[tokio::test]
async fn doctor_reports_known_replies_with_the_words_of_the_server() {
    for (reply, cause, remedy) in [
        (
            "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.",
            "a quota of the Redis plan is used up: ",
            "upgrade the plan",
        ),
        (
            "ERR max daily request limit exceeded",
            "a quota of the Redis plan is used up: ",
            "upgrade the plan",
        ),
        (
            "ERR DB capacity quota exceeded",
            "a quota of the Redis plan is used up: ",
            "upgrade the plan",
        ),
        (
            "ERR max concurrent connections exceeded",
            "the server has reached its limit of clients: ",
            "close idle clients",
        ),
        (
            "DENIED Redis is running in protected mode",
            "the server is in protected mode: ",
            "requirepass",
        ),
        (
            "MISCONF Redis is configured to save RDB snapshots",
            "the server cannot write its data to disk: ",
            "free disk space",
        ),
        (
            "MASTERDOWN Link with MASTER is down",
            "a replica without a connection to its primary: ",
            "address of the primary",
        ),
        (
            "BUSY Redis is busy running a script",
            "a script of another client blocks the server: ",
            "SCRIPT KILL",
        ),
        (
            "NOREPLICAS Not enough good replicas to write",
            "fewer replicas than its settings require: ",
            "min-replicas-to-write",
        ),
    ] {
        let run = doctor(&format!("redis://{}", replying(reply))).await;
        run.assert_cannot_connect(cause, remedy);
        let (_, words) = reply.split_once(' ').unwrap();
        assert!(run.output.contains(words), "{}", run.output);
    }
}

#[tokio::test]
async fn password_in_the_reply_of_a_server_is_cut_out() {
    let address = replying("ERR cannot log in as app with hidden-secret");
    for user in ["", "app"] {
        let run = doctor(&format!("redis://{user}:hidden-secret@{address}")).await;
        assert!(
            run.from('✗', "connection")[0].contains("cannot log in as app with ***"),
            "{}",
            run.output
        );
    }
}
