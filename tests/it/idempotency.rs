//! `Idempotency-Key`: a repeated request takes effect once.

use serde_json::json;

use super::support::TestApp;

#[tokio::test]
async fn a_repeated_creation_answers_what_the_first_one_did() {
    let app = TestApp::start().await;
    let api = app.api.with_header("idempotency-key", "key-1");
    let body =
        json!({"name": "x", "volume": "user", "initial_message": "y", "metadata": {"a": 1.0}});

    let first = api.post("/api/sessions", &body).await.assert_status(201);
    let path = first.header("location").unwrap();
    let _ = app
        .api
        .patch(path, &json!({"name": "renamed"}))
        .await
        .assert_status(200);
    let again = api.post("/api/sessions", &body).await.assert_status(201);

    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    assert_eq!(first.body, again.body);
    for header in ["location", "etag"] {
        assert_eq!(first.header(header), again.header(header));
    }
    assert_eq!(app.redis.command::<u64>(&["SCARD", "all:sessions"]), 1);
    let ttl: u64 = app.redis.command(&["TTL", "llmos:reply:key-1"]);
    assert!((86_300..=86_400).contains(&ttl));
}

#[tokio::test]
async fn a_repeated_append_answers_what_the_first_one_did() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let path = format!("/api/sessions/{id}/messages");
    let api = app.api.with_header("idempotency-key", "key-1");
    let body = json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]});

    let first = api.post(&path, &body).await.assert_status(200);
    let _ = app.api.append(&id, "c").await.assert_status(200);
    let again = api.post(&path, &body).await.assert_status(200);

    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    assert_eq!(first.body, again.body);
    assert_eq!(
        app.redis
            .command::<u64>(&["LLEN", &format!("session:{id}:messages")]),
        3
    );
}

#[tokio::test]
async fn a_key_is_good_for_one_request_only() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let path = format!("/api/sessions/{id}/messages");
    let api = app.api.with_header("idempotency-key", "k");

    let _ = api.append(&id, "a").await.assert_status(200);
    api.append(&id, "b").await.assert_invalid("Idempotency-Key");
    let _ = api
        .post("/api/sessions", &json!({"name": "a", "volume": "user"}))
        .await
        .assert_status(201);
    api.post("/api/sessions", &json!({"name": "b", "volume": "user"}))
        .await
        .assert_invalid("Idempotency-Key");
    api.post(
        "/api/sessions?volume_id=other",
        &json!({"name": "a", "volume": "user"}),
    )
    .await
    .assert_invalid("Idempotency-Key");

    // Another session, another key: nothing to do with it.
    let other = app.api.create_session("y").await;
    let _ = api.append(&other, "b").await.assert_status(200);
    assert_eq!(
        app.api.get(&path).await.json()["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_key_is_checked() {
    let app = TestApp::start().await;
    let body = json!({"name": "x", "volume": "user"});

    for key in ["", "a b", "ä", &"x".repeat(256)] {
        let api = app.api.with_header("idempotency-key", key);
        let _ = api
            .post("/api/sessions", &body)
            .await
            .assert_error(400, "invalid_request");
    }
    for key in ["!", "~", &"x".repeat(255)] {
        let _ = app
            .api
            .with_header("idempotency-key", key)
            .post("/api/sessions", &body)
            .await
            .assert_status(201);
    }
}

#[tokio::test]
async fn repeats_at_the_same_moment_have_one_effect() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let api = app.api.with_header("idempotency-key", "k");

    let repeats = (0..32).map(|_| {
        let (api, id) = (api.clone(), id.clone());
        tokio::spawn(async move { api.append(&id, "a").await.assert_status(200).body })
    });
    let mut bodies = Vec::new();
    for repeat in repeats.collect::<Vec<_>>() {
        bodies.push(repeat.await.unwrap());
    }

    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        app.redis
            .command::<u64>(&["LLEN", &format!("session:{id}:messages")]),
        1
    );
}

#[tokio::test]
async fn expired_replies_are_forgotten() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let (replies, expiries) = (
        format!("llmos:replies:{id}"),
        format!("llmos:reply-expiries:{id}"),
    );
    for key in ["a", "b"] {
        let _ = app
            .api
            .with_header("idempotency-key", key)
            .append(&id, "x")
            .await
            .assert_status(200);
    }
    let ttl: u64 = app.redis.command(&["TTL", &replies]);
    assert!((86_300..=86_400).contains(&ttl));

    app.redis.command::<()>(&["ZADD", &expiries, "1", "a"]);
    let repeated = app
        .api
        .with_header("idempotency-key", "a")
        .append(&id, "x")
        .await
        .assert_status(200);

    assert_eq!(repeated.header("idempotency-replayed"), None);
    assert_eq!(repeated.json()["message_count"], 3);
    app.redis.command::<()>(&["ZADD", &expiries, "1", "b"]);
    let _ = app
        .api
        .with_header("idempotency-key", "c")
        .append(&id, "x")
        .await
        .assert_status(200);
    let mut keys: Vec<String> = app.redis.command(&["HKEYS", &replies]);
    keys.sort();
    assert_eq!(keys, ["a", "c"]);
}

#[tokio::test]
async fn a_repeat_after_the_session_is_gone_is_404() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let api = app.api.with_header("idempotency-key", "k");
    let _ = api.append(&id, "a").await.assert_status(200);
    let _ = app
        .api
        .delete(&format!("/api/sessions/{id}"))
        .await
        .assert_status(200);

    let _ = api.append(&id, "a").await.assert_error(404, "not_found");

    assert_eq!(app.redis.keys(), [""; 0]);
}

one_redis! {
#[tokio::test]
async fn a_repeated_creation_after_the_session_is_gone_creates_none() {
    let app = TestApp::start().await;
    let api = app.api.with_header("idempotency-key", "k");
    let body = json!({"name": "private", "volume": "user", "initial_message": "private"});
    let created = api.post("/api/sessions", &body).await.assert_status(201);
    let path = created.header("location").unwrap();
    let _ = app.api.delete(path).await.assert_status(200);

    let _ = api
        .post("/api/sessions", &body)
        .await
        .assert_error(409, "conflict");

    assert_eq!(app.redis.keys(), ["llmos:reply:k"]);
    let kept: Vec<String> = app.redis.command(&["HKEYS", "llmos:reply:k"]);
    assert_eq!(kept, ["fingerprint"]);
}
}

#[tokio::test]
async fn a_reply_that_redis_lost_is_no_reply() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let api = app.api.with_header("idempotency-key", "k");
    let _ = api.append(&id, "a").await.assert_status(200);

    app.redis
        .command::<()>(&["DEL", &format!("llmos:replies:{id}")]);

    let again = api.append(&id, "a").await.assert_status(200);
    assert_eq!(again.json()["message_count"], 2);
}

#[tokio::test]
async fn two_keys_are_none() {
    let app = TestApp::start().await;
    let api = app
        .api
        .with_header("idempotency-key", "a")
        .with_header("idempotency-key", "b");

    let body = json!({"name": "x", "volume": "user"});
    let _ = api
        .post("/api/sessions", &body)
        .await
        .assert_error(400, "invalid_request");
}
