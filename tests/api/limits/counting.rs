//! Which requests pass a rate limit and which are rejected.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use super::super::support::{Client, Process, Redis, Runtime, TestApp, in_process};
use super::{UNKNOWN, assert_limited, create, left, limited, list};

/// Uses up a limit of five and checks the headers of each response.
async fn check_limit_of_five(api: &Client) {
    for remaining in (0..5).rev() {
        let response = list(api).await.assert_status(200);
        let (said, reset) = left(&response, 5);
        assert_eq!(said, remaining);
        // At five per minute one request takes 12 seconds to refill.
        let used = u64::from(5 - remaining) * 12;
        assert!((used - 2..=used).contains(&reset), "{response:?}");
        assert_eq!(response.header("retry-after"), None);
    }
    let pause = assert_limited(list(api).await, 5);
    assert!((10..=12).contains(&pause.as_secs()), "{pause:?}");
}

#[tokio::test]
async fn burst_up_to_the_limit_passes_and_the_next_request_is_429() {
    let redis = Redis::start().await;
    check_limit_of_five(&in_process(limited(&redis, 5))).await;
}

#[tokio::test]
async fn function_reads_its_limit_from_the_environment() {
    let redis = Redis::start().await;
    let environment = [("REDIS_URL", &*redis.url()), ("RATE_LIMIT", "5")];
    let (_process, api) = Process::function(env!("CARGO_BIN_EXE_sessions"), &environment).await;
    check_limit_of_five(&api).await;
    assert!(redis.keys().iter().all(|key| key == UNKNOWN));
}

#[tokio::test]
async fn function_on_vercel_has_a_default_limit_that_can_be_disabled() {
    let redis = Redis::start().await;
    for (rate_limit, expected) in [(None, Some("\"requests\";q=600;w=60")), (Some("off"), None)] {
        let url = redis.url();
        let mut environment = vec![("REDIS_URL", &*url), ("VERCEL", "1")];
        environment.extend(rate_limit.map(|limit| ("RATE_LIMIT", limit)));
        let runtime = Runtime::start(env!("CARGO_BIN_EXE_sessions"), &environment).await;
        let request = runtime.get("/api/sessions", 1);
        let request = request.header("x-vercel-forwarded-for", "203.0.113.9");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let policy = answer.headers().get("ratelimit-policy");
        assert_eq!(policy.map(|it| it.to_str().unwrap()), expected);
    }
}

#[tokio::test]
async fn allowance_refills_at_the_rate_of_the_limit() {
    let redis = Redis::start().await;
    let api = in_process(limited(&redis, 600));
    list(&api).await.assert_status(200);
    use_up(&redis);
    assert_limited(list(&api).await, 600);

    // At one per 100 ms, 250 ms refill two requests and not a third.
    tokio::time::sleep(Duration::from_millis(150)).await;
    list(&api).await.assert_status(200);
    assert_limited(list(&api).await, 600);
    tokio::time::sleep(Duration::from_millis(110)).await;
    list(&api).await.assert_status(200);
}

/// Sets the caller's GCRA time one minute ahead, as 600 requests at once do.
fn use_up(redis: &Redis) {
    let script = "local now = redis.call('TIME') \
        redis.call('SET', KEYS[1], string.format('%.0f', (now[1] + 60) * 1000000 + now[2]))";
    redis.command::<()>(&["EVAL", script, "1", UNKNOWN]);
}

#[tokio::test]
async fn concurrent_requests_over_the_limit_pass_up_to_the_limit() {
    let redis = Redis::start().await;
    let api = in_process(limited(&redis, 50));
    let requests = (0..100).map(|_| list(&api));
    let answers = futures_util::future::join_all(requests).await;
    let passed = answers.iter().filter(|it| it.status == 200).count();
    let refused = answers.iter().filter(|it| it.status == 429).count();
    assert_eq!(passed + refused, 100);
    // One request refills every 1.2 s.
    assert!((50..=52).contains(&passed), "{passed}");
}

#[tokio::test]
async fn rate_limited_request_has_no_effect() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let api = in_process(limited(&app.redis, 1));
    list(&api).await.assert_status(200);
    let before = contents(&app.redis);

    let path = session.path();
    assert_limited(create(&api).await, 1);
    let keyed = api.with_header("idempotency-key", "k");
    assert_limited(create(&keyed).await, 1);
    assert_limited(api.append(&session.id, "y").await, 1);
    assert_limited(api.patch(&path, &json!({"name": "y"})).await, 1);
    assert_limited(api.delete(&path).await, 1);
    let skill = json!({"name": "A", "description": "x", "code": "x"});
    assert_limited(api.post("/api/skills", &skill).await, 1);
    let put = api.send(Method::PUT, "/api/files/a.txt", b"x".to_vec());
    assert_limited(put.await, 1);
    assert_eq!(contents(&app.redis), before);

    // The idempotency key of the rejected request stays unused.
    app.redis.command::<()>(&["DEL", UNKNOWN]);
    create(&keyed).await.assert_status(201);
}

/// Returns every key with its dump, without the rate limit keys.
fn contents(redis: &Redis) -> Vec<(String, Vec<u8>)> {
    let keys = redis.keys().into_iter();
    let keys = keys.filter(|key| !key.starts_with("llmos:rate:"));
    keys.map(|key| (key.clone(), redis.command(&["DUMP", &key])))
        .collect()
}

#[tokio::test]
async fn rejected_requests_do_not_extend_the_wait() {
    let redis = Redis::start().await;
    let api = in_process(limited(&redis, 1));
    list(&api).await.assert_status(200);
    let due: String = redis.command(&["GET", UNKNOWN]);
    for _ in 0..20 {
        assert_limited(list(&api).await, 1);
    }
    assert_eq!(redis.command::<String>(&["GET", UNKNOWN]), due);
}

#[tokio::test]
async fn rate_limit_key_expires_when_the_allowance_is_full() {
    let redis = Redis::start().await;
    let api = in_process(limited(&redis, 600));
    for _ in 0..5 {
        list(&api).await.assert_status(200);
    }
    let lifetime: i64 = redis.command(&["PTTL", UNKNOWN]);
    assert!((1..=501).contains(&lifetime), "{lifetime}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(redis.keys(), [""; 0]);
}
