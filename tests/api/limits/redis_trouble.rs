//! Rate limiting fails open: a Redis failure or a malformed counter does not reject requests.

use std::time::Duration;

use axum::http::Method;
use llmos::config::Config;
use serde_json::json;

use super::super::support::{BlobServer, Client, Redis, blob_config, config, in_process};
use super::{UNKNOWN, assert_limited, create, left, limited, list};

/// Starts a deployment with a limit of one request, and its Blob store.
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
async fn file_requests_succeed_while_redis_is_down() {
    let mut redis = Redis::start().await;
    let (api, _blobs) = with_files(&redis).await;
    redis.kill();
    put_and_get_file(&api, Duration::from_secs(1)).await;
    list(&api).await.assert_error(503, "storage_unavailable");
    redis.restart().await;
    list(&api).await.assert_status(200);
    assert_limited(list(&api).await, 1);
}

#[tokio::test]
async fn file_requests_succeed_while_redis_is_frozen() {
    let redis = Redis::start().await;
    let (api, _blobs) = with_files(&redis).await;
    redis.freeze();
    put_and_get_file(&api, Duration::from_secs(3)).await;
    redis.thaw();
}

#[tokio::test]
async fn file_requests_succeed_without_redis_url() {
    let blobs = BlobServer::start().await;
    let mut config = blobs.config();
    config.access.rate_limit = Some(1);
    put_and_get_file(&in_process(config), Duration::from_secs(1)).await;
}

#[tokio::test]
async fn reads_succeed_when_redis_is_out_of_memory() {
    let redis = Redis::start().await;
    let id = in_process(config(&redis.url())).create_session("x").await;
    let (api, _blobs) = with_files(&redis).await;
    redis.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    for _ in 0..3 {
        list(&api).await.assert_status(200);
        api
            .get(&format!("/api/sessions/{id}"))
            .await
            .assert_status(200);
        api.get("/api/files").await.assert_status(200);
        create(&api).await.assert_error(503, "storage_unavailable");
    }
    redis.command::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    list(&api).await.assert_status(200);
    assert_limited(list(&api).await, 1);
}

#[tokio::test]
async fn reads_succeed_on_a_read_only_replica() {
    let primary = Redis::start().await;
    let id = in_process(config(&primary.url())).create_session("x").await;
    let replica = Redis::start().await;
    let (api, _blobs) = with_files(&replica).await;
    // A replica of an unreachable primary keeps its data and rejects writes.
    let dump: Vec<u8> = primary.command(&["DUMP", &format!("session:{id}")]);
    let key = format!("session:{id}");
    let restore: [&[u8]; 4] = [b"RESTORE", key.as_bytes(), b"0", &dump];
    replica.command::<()>(&restore);
    replica.command::<()>(&["CONFIG", "SET", "replica-serve-stale-data", "yes"]);
    replica.command::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    for _ in 0..3 {
        let path = format!("/api/sessions/{id}");
        api.get(&path).await.assert_status(200);
        api.get("/api/files").await.assert_status(200);
        create(&api).await.assert_error(503, "storage_unavailable");
    }
}

#[tokio::test]
async fn malformed_rate_limit_value_is_ignored() {
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
        // Counting resumes with this request.
        assert_limited(list(&api).await, 1);
        let lifetime: i64 = redis.command(&["PTTL", UNKNOWN]);
        assert!((1..=60_000).contains(&lifetime), "{value:.30} {lifetime}");
    }
}

#[tokio::test]
async fn rate_limit_key_of_another_type_is_ignored() {
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
        list(&api).await.assert_status(200);
        let body = json!({"name": "x", "volume": "user"});
        redis.command::<()>(&["DEL", UNKNOWN]);
        redis.command::<()>(&value);
        api.post("/api/sessions", &body).await.assert_status(201);
    }
}

#[tokio::test]
async fn lowered_limit_applies_at_once_without_a_longer_wait() {
    let redis = Redis::start().await;
    let high = in_process(limited(&redis, 1000));
    for _ in 0..100 {
        list(&high).await.assert_status(200);
    }
    // 100 requests at 60 ms each are 6 s, which is less than one request at one per minute.
    let low = in_process(limited(&redis, 1));
    let pause = assert_limited(list(&low).await, 1);
    assert!(pause <= Duration::from_secs(7), "{pause:?}");
}
