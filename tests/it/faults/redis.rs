//! Redis itself is not well: dead, hung, full, locked, old or forgetful.

use std::time::Duration;

use axum::http::Method;

use super::{PERSISTENT, ROUTES, assert_recovered, assert_unavailable, call};
use crate::support::{Redis, TestApp, config, in_process};

#[tokio::test]
async fn a_dead_redis_is_told_within_a_second_and_used_again_when_it_is_back() {
    let mut redis = Redis::start_with(&PERSISTENT).await;
    let api = in_process(config(&redis.url()));
    let id = api.create_session("x").await;

    redis.kill();
    assert_unavailable(&api, &id, Duration::from_secs(1)).await;
    redis.restart().await;
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_frozen_redis_is_told_within_three_seconds_and_used_again_when_it_thaws() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;

    app.redis.freeze();
    assert_unavailable(&app.api, &id, Duration::from_secs(3)).await;
    app.redis.thaw();
    // What Redis had received before, it does after the thaw; the deletion of this session, too.
    let id = app.api.create_session("y").await;
    assert_recovered(&app.api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_redis_that_hangs_in_a_command_is_told_and_used_again() {
    let redis = Redis::start_with(&["--enable-debug-command", "yes"]).await;
    let api = in_process(config(&redis.url()));
    let id = api.create_session("x").await;

    let url = redis.url();
    let sleeper = std::thread::spawn(move || {
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        redis::cmd("DEBUG")
            .arg("SLEEP")
            .arg("4")
            .exec(&mut connection)
            .unwrap();
    });
    redis.wait_until_it_hangs().await;
    let response = api.append(&id, "x").await;
    assert!(
        response.elapsed < Duration::from_secs(3),
        "{:?}",
        response.elapsed
    );
    let _ = response.assert_error(503, "storage_unavailable");

    sleeper.join().unwrap();
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_redis_without_memory_refuses_writes_and_still_reads() {
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
            // It frees memory, so Redis does it; nothing else happened until now.
            assert_eq!(app.redis.keys(), keys);
        }
        let response = call(&app.api, &id, route).await;
        if method == Method::GET || method == Method::DELETE {
            let _ = response.assert_status(200);
        } else {
            let _ = response.assert_error(503, "storage_unavailable");
        }
    }
    app.redis
        .command::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    let id = app.api.create_session("y").await;
    assert_recovered(&app.api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_changed_password_is_told_and_the_old_one_works_again() {
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
async fn a_server_that_only_speaks_resp2_is_spoken_to_in_resp2() {
    let redis = Redis::start_with(&["--rename-command", "HELLO", ""]).await;
    let api = in_process(config(&redis.url()));

    let id = api.create_session("x").await;
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_sent_again() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let _ = app.api.append(&id, "x").await.assert_status(200);

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
