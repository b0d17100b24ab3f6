//! Reports of the doctor if it cannot connect to Redis.

use super::{doctor, doctor_with, unix_url};
use crate::support::{Redis, ReservedPort};

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
    for url in [
        "hidden",
        "https://:hidden@127.0.0.1",
        "redis://:hidden@127.0.0.1:port",
        "redis://:p@ss/hidden@127.0.0.1",
        "redis://user:12#hidden@127.0.0.1",
        "redis://:hidden@",
    ] {
        let run = doctor(url).await;
        run.assert_cannot_connect("REDIS_URL is malformed", "percent-encode");
    }
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
        run.output
            .starts_with("Redis at redis://:***@no-such-host.invalid:6379/0\n")
    );
}

#[tokio::test]
async fn doctor_reports_a_refused_connection() {
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
