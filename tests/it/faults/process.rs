//! Our own process is frozen, stopped, and short of file descriptors.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{PERSISTENT, assert_recovered};
use crate::support::{Client, Process, Redis, Response, Runtime};

#[tokio::test]
async fn a_process_that_was_frozen_answers_its_first_request() {
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

/// Starts a read that Redis takes `pause` to answer.
async fn start_slow_read(redis: &Redis, api: &Client, pause: &str) -> JoinHandle<Response> {
    let id = api.create_session("x").await;
    redis.command::<()>(&["CLIENT", "PAUSE", pause, "ALL"]);
    let api = api.clone();
    let read = tokio::spawn(async move { api.get(&format!("/api/sessions/{id}")).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    read
}

#[tokio::test]
async fn a_process_that_is_asked_to_stop_answers_what_it_has_begun() {
    let redis = Redis::start().await;
    let (mut process, api) = Process::function(
        env!("CARGO_BIN_EXE_sessions"),
        &[("REDIS_URL", &redis.url())],
    )
    .await;
    let read = start_slow_read(&redis, &api, "500").await;

    process.signal("-TERM");
    let _ = read.await.unwrap().assert_status(200);
    assert_eq!(process.exit_code(Duration::from_secs(3)).await, Some(0));
}

/// Vercel is told once that a process has started, so one that cannot accept makes place for another one.
#[tokio::test]
async fn a_function_without_file_descriptors_answers_what_it_has_begun_and_ends() {
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
    let _ = read.await.unwrap().assert_status(200);
    let ended = runtime.process.exit_code(Duration::from_secs(3)).await;
    assert_eq!(ended, Some(1));
}
