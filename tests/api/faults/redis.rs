//! Redis failure modes: dead, hung, out of memory, wrong password, old protocol, flushed scripts.

use std::time::Duration;

use axum::http::Method;

use super::{PERSISTENT, ROUTES, assert_recovered, assert_unavailable, call};
use crate::support::{Redis, TestApp, config, in_process};

#[tokio::test]
async fn dead_redis_is_503_within_a_second_and_recovers() {
    let mut redis = Redis::start_with(&PERSISTENT).await;
    let api = in_process(config(&redis.url()));
    let id = api.create_session("x").await;

    redis.kill();
    assert_unavailable(&api, &id, Duration::from_secs(1)).await;
    redis.restart().await;
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn frozen_redis_is_503_within_three_seconds_and_recovers() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;

    app.redis.freeze();
    assert_unavailable(&app.api, &id, Duration::from_secs(3)).await;
    app.redis.thaw();
    // After the thaw Redis executes the commands it had received, including the deletion of this session.
    let id = app.api.create_session("y").await;
    assert_recovered(&app.api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn redis_that_hangs_in_a_command_is_503_and_recovers() {
    let redis = Redis::start_with(&["--enable-debug-command", "yes"]).await;
    let api = in_process(config(&redis.url()));
    let id = api.create_session("x").await;

    let probe = redis.hang_probe();
    let url = redis.url();
    let sleeper = std::thread::spawn(move || {
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        redis::cmd("DEBUG")
            .arg("SLEEP")
            .arg("4")
            .exec(&mut connection)
            .unwrap();
    });
    probe.wait().await;
    let response = api.append(&id, "x").await;
    assert!(
        response.elapsed < Duration::from_secs(3),
        "{:?}",
        response.elapsed
    );
    response.assert_error(503, "storage_unavailable");

    sleeper.join().unwrap();
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn redis_without_memory_rejects_writes_and_serves_reads() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let keys = app.redis.keys();

    app.redis
        .command::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    app.redis
        .command::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    for route in ROUTES {
        let method = route.0.clone();
        if method == Method::DELETE {
            // A deletion frees memory, so Redis accepts it; no other write has succeeded.
            assert_eq!(app.redis.keys(), keys);
        }
        let response = call(&app.api, &id, route).await;
        if method == Method::GET || method == Method::DELETE {
            response.assert_status(200);
        } else {
            response.assert_error(503, "storage_unavailable");
        }
    }
    app.redis
        .command::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    let id = app.api.create_session("y").await;
    assert_recovered(&app.api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn changed_password_is_503_and_the_restored_one_works() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let url = app.redis.url();
    let admin = |arguments: [&str; 4]| {
        let mut connection = redis::Client::open(url.as_str())
            .unwrap()
            .get_connection()
            .unwrap();
        let _: redis::RedisResult<()> = redis::cmd("AUTH").arg("secret").query(&mut connection);
        redis::cmd(arguments[0])
            .arg(&arguments[1..])
            .exec(&mut connection)
            .unwrap();
    };

    admin(["CONFIG", "SET", "requirepass", "secret"]);
    admin(["CLIENT", "KILL", "TYPE", "normal"]);
    assert_unavailable(&app.api, &id, Duration::from_secs(1)).await;
    admin(["CONFIG", "SET", "requirepass", ""]);
    assert_recovered(&app.api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn server_without_resp3_is_used_with_resp2() {
    let redis = Redis::start_with(&["--rename-command", "HELLO", ""]).await;
    let api = in_process(config(&redis.url()));

    let id = api.create_session("x").await;
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn scripts_flushed_from_redis_are_sent_again() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    app.api.append(&id, "x").await.assert_status(200);

    app.redis.command::<()>(&["SCRIPT", "FLUSH"]);
    assert_eq!(
        app.api
            .append(&id, "y")
            .await
            .assert_status(200)
            .round_trips(),
        2
    );
    assert_eq!(
        app.api
            .append(&id, "z")
            .await
            .assert_status(200)
            .round_trips(),
        1
    );
}
