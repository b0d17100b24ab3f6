//! Whatever is wrong with counting, nobody is locked out by it.

use std::time::Duration;

use axum::http::Method;
use llmos::config::Config;
use serde_json::json;

use super::super::support::{BlobServer, Client, Redis, blob_config, config, in_process};
use super::{UNKNOWN, assert_limited, create, left, limited, list};

/// A deployment with a limit of one, and its files.
async fn with_files(redis: &Redis) -> (Client, BlobServer) {
    let blobs = BlobServer::start().await;
    let api = in_process(Config {
        blob: blob_config(&blobs),
        ..limited(redis, 1)
    });
    (api, blobs)
}

async fn put_and_get_file(api: &Client, limit: Duration) {
    let text = api.with_header("content-type", "text/plain");
    let put = text
        .send(Method::PUT, "/api/files/a.txt", b"x".to_vec())
        .await;
    for answer in [
        put,
        api.get("/api/files/a.txt").await,
        api.get("/api/files").await,
    ] {
        assert!(answer.elapsed < limit, "{:?}", answer.elapsed);
        assert_eq!(answer.header("ratelimit"), None);
        assert!(answer.status.is_success(), "{answer:?}");
    }
}

#[tokio::test]
async fn files_are_served_while_redis_is_dead() {
    let mut redis = Redis::start().await;
    let (api, _blobs) = with_files(&redis).await;
    redis.kill();
    put_and_get_file(&api, Duration::from_secs(1)).await;
    list(&api).await.assert_error(503, "storage_unavailable");
    redis.restart().await;
    let _ = list(&api).await.assert_status(200);
    assert_limited(list(&api).await, 1);
}

#[tokio::test]
async fn files_are_served_while_redis_is_frozen() {
    let redis = Redis::start().await;
    let (api, _blobs) = with_files(&redis).await;
    redis.freeze();
    put_and_get_file(&api, Duration::from_secs(3)).await;
    redis.thaw();
}

#[tokio::test]
async fn files_are_served_where_no_redis_is_set() {
    let blobs = BlobServer::start().await;
    let mut config = blobs.config();
    config.access.rate_limit = Some(1);
    put_and_get_file(&in_process(config), Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_redis_without_memory_still_reads() {
    let redis = Redis::start().await;
    let id = in_process(config(&redis.url())).create_session("x").await;
    let (api, _blobs) = with_files(&redis).await;
    redis.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    for _ in 0..3 {
        let _ = list(&api).await.assert_status(200);
        let _ = api
            .get(&format!("/api/sessions/{id}"))
            .await
            .assert_status(200);
        let _ = api.get("/api/files").await.assert_status(200);
        create(&api).await.assert_error(503, "storage_unavailable");
    }
    redis.command::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    let _ = list(&api).await.assert_status(200);
    assert_limited(list(&api).await, 1);
}

#[tokio::test]
async fn a_read_only_replica_still_reads() {
    let primary = Redis::start().await;
    let id = in_process(config(&primary.url())).create_session("x").await;
    let replica = Redis::start().await;
    let (api, _blobs) = with_files(&replica).await;
    // Of a primary that is away: what is there stays, and cannot be changed.
    let dump: Vec<u8> = primary.command(&["DUMP", &format!("session:{id}")]);
    let key = format!("session:{id}");
    let restore: [&[u8]; 4] = [b"RESTORE", key.as_bytes(), b"0", &dump];
    replica.command::<()>(&restore);
    replica.command::<()>(&["CONFIG", "SET", "replica-serve-stale-data", "yes"]);
    replica.command::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    for _ in 0..3 {
        let path = format!("/api/sessions/{id}");
        let _ = api.get(&path).await.assert_status(200);
        let _ = api.get("/api/files").await.assert_status(200);
        create(&api).await.assert_error(503, "storage_unavailable");
    }
}

#[tokio::test]
async fn garbage_where_requests_are_counted_locks_nobody_out() {
    let redis = Redis::start().await;
    let api = in_process(limited(&redis, 1));
    for value in [
        "",
        "nan",
        "inf",
        "-1",
        "1e99",
        "0x7fffffffffffffff",
        "9999999999999999999999999",
        &"9".repeat(400),
        "99999999999999999",
        "not a number",
        "1.5",
    ] {
        redis.command::<()>(&["SET", UNKNOWN, value]);
        let response = list(&api).await.assert_status(200);
        assert_eq!(left(&response, 1).0, 0, "{value:.30}");
        // And it is counted again from here on.
        assert_limited(list(&api).await, 1);
        let lifetime: i64 = redis.command(&["PTTL", UNKNOWN]);
        assert!((1..=60_000).contains(&lifetime), "{value:.30} {lifetime}");
    }
}

#[tokio::test]
async fn another_type_where_requests_are_counted_locks_nobody_out() {
    let redis = Redis::start().await;
    let api = in_process(limited(&redis, 1));
    let values = [
        ["RPUSH", UNKNOWN, "x", "y"],
        ["HSET", UNKNOWN, "x", "y"],
        ["ZADD", UNKNOWN, "1", "y"],
        ["SADD", UNKNOWN, "x", "y"],
    ];
    for value in values {
        redis.command::<()>(&["DEL", UNKNOWN]);
        redis.command::<()>(&value);
        let _ = list(&api).await.assert_status(200);
        let body = json!({"name": "x", "volume": "user"});
        redis.command::<()>(&["DEL", UNKNOWN]);
        redis.command::<()>(&value);
        let _ = api.post("/api/sessions", &body).await.assert_status(201);
    }
}

#[tokio::test]
async fn a_limit_that_was_lowered_holds_at_once_and_locks_nobody_out() {
    let redis = Redis::start().await;
    let high = in_process(limited(&redis, 1000));
    for _ in 0..100 {
        let _ = list(&high).await.assert_status(200);
    }
    // 100 requests of 60 ms each are worth 6 s, which is less than one request of a minute.
    let low = in_process(limited(&redis, 1));
    let pause = assert_limited(list(&low).await, 1);
    assert!(pause <= Duration::from_secs(7), "{pause:?}");
}
