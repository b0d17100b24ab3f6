//! The service process is frozen, stopped, or out of file descriptors.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{PERSISTENT, assert_recovered};
use crate::support::{Client, Process, Redis, Response, Runtime};

#[tokio::test]
async fn first_request_after_a_freeze_succeeds() {
    let mut redis = Redis::start_with(&PERSISTENT).await;
    for protocol in ["", "?protocol=resp2"] {
        let url = format!("{}{protocol}", redis.url());
        let (process, api) = Process::function(
            env!("CARGO_BIN_EXE_sessions"),
            &[("REDIS_URL", &url), ("VERCEL_ENV", "production")],
        )
        .await;
        let id = api.create_session("x").await;

        process.signal("-STOP");
        redis.kill();
        redis.restart().await;
        process.signal("-CONT");
        assert_recovered(&api, &id, Duration::from_secs(1)).await;
    }
}

/// Starts a read that Redis answers after `pause`.
async fn start_slow_read(redis: &Redis, api: &Client, pause: &str) -> JoinHandle<Response> {
    let session = api.session("x").await;
    redis.command::<()>(&["CLIENT", "PAUSE", pause, "ALL"]);
    let api = api.clone();
    let read = tokio::spawn(async move { api.get(&session.path()).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    read
}

#[tokio::test]
async fn stopping_process_answers_requests_in_flight() {
    let redis = Redis::start().await;
    let (mut process, api) = Process::function(
        env!("CARGO_BIN_EXE_sessions"),
        &[("REDIS_URL", &redis.url())],
    )
    .await;
    let read = start_slow_read(&redis, &api, "500").await;

    process.signal("-TERM");
    read.await.unwrap().assert_status(200);
    assert_eq!(process.exit_code(Duration::from_secs(3)).await, Some(0));
}

/// A process reports its start to Vercel once, so one that cannot accept connections must exit to be replaced.
#[tokio::test]
async fn function_without_file_descriptors_answers_requests_in_flight_and_exits() {
    let redis = Redis::start().await;
    let mut runtime = Runtime::start(
        env!("CARGO_BIN_EXE_sessions"),
        &[("REDIS_URL", &redis.url())],
    )
    .await;
    let read = start_slow_read(&redis, &runtime.client(), "1000").await;

    runtime.process.limit_descriptors(20);
    let address = runtime.client().address().to_owned();
    let connections = (0..20).map(|_| TcpStream::connect(&address));
    let _connections = join_all(connections).await;
    read.await.unwrap().assert_status(200);
    let ended = runtime.process.exit_code(Duration::from_secs(3)).await;
    assert_eq!(ended, Some(1));
}
