//! `Idempotency-Key`: a repeated request has one effect.

use serde_json::json;

use super::support::TestApp;

#[tokio::test]
async fn repeated_creation_returns_the_first_response() {
    let app = TestApp::start().await;
    let api = app.api.with_header("idempotency-key", "key-1");
    let body =
        json!({"name": "x", "volume": "user", "initial_message": "y", "metadata": {"a": 1.0}});

    let first = api.post("/api/sessions", &body).await.assert_status(201);
    let path = first.header("location").unwrap();
    app.api
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
async fn repeated_append_returns_the_first_response() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.messages_path();
    let api = app.api.with_header("idempotency-key", "key-1");
    let body = json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]});

    let first = api.post(&path, &body).await.assert_status(200);
    app.api.append(&session.id, "c").await.assert_status(200);
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
        app.redis.command::<u64>(&["LLEN", &session.messages_key()]),
        3
    );
}

#[tokio::test]
async fn idempotency_key_used_for_another_request_is_rejected() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let path = session.messages_path();
    let api = app.api.with_header("idempotency-key", "k");

    api.append(&session.id, "a").await.assert_status(200);
    api.append(&session.id, "b")
        .await
        .assert_invalid("Idempotency-Key");
    api.post("/api/sessions", &json!({"name": "a", "volume": "user"}))
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

    // The same key for another session is a different key.
    let other = app.api.create_session("y").await;
    api.append(&other, "b").await.assert_status(200);
    assert_eq!(
        app.api.get(&path).await.json()["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn malformed_idempotency_key_is_rejected() {
    let app = TestApp::shared().await;
    let body = json!({"name": "x", "volume": "user"});

    for key in ["", "a b", "ä", &"x".repeat(256)] {
        let api = app.api.with_header("idempotency-key", key);
        api.post("/api/sessions", &body)
            .await
            .assert_error(400, "invalid_request");
    }
    for key in ["!", "~", &"x".repeat(255)] {
        app.api
            .with_header("idempotency-key", key)
            .post("/api/sessions", &body)
            .await
            .assert_status(201);
    }
}

#[tokio::test]
async fn concurrent_repeats_have_one_effect() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let api = app.api.with_header("idempotency-key", "k");

    let repeats = (0..32).map(|_| {
        let (api, id) = (api.clone(), session.id.clone());
        tokio::spawn(async move { api.append(&id, "a").await.assert_status(200).body })
    });
    let mut bodies = Vec::new();
    for repeat in repeats.collect::<Vec<_>>() {
        bodies.push(repeat.await.unwrap());
    }

    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        app.redis.command::<u64>(&["LLEN", &session.messages_key()]),
        1
    );
}

#[tokio::test]
async fn expired_replies_are_not_returned() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let (replies, expiries) = (
        format!("llmos:replies:{id}"),
        format!("llmos:reply-expiries:{id}"),
    );
    for key in ["a", "b"] {
        app.api
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
    app.api
        .with_header("idempotency-key", "c")
        .append(&id, "x")
        .await
        .assert_status(200);
    let mut keys: Vec<String> = app.redis.command(&["HKEYS", &replies]);
    keys.sort();
    assert_eq!(keys, ["a", "c"]);
}

#[tokio::test]
async fn repeated_append_after_the_session_was_deleted_is_404() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let api = app.api.with_header("idempotency-key", "k");
    api.append(&session.id, "a").await.assert_status(200);
    app.api.delete(&session.path()).await.assert_status(200);

    api.append(&session.id, "a")
        .await
        .assert_error(404, "not_found");

    assert_eq!(app.redis.keys(), [""; 0]);
}

one_redis! {
#[tokio::test]
async fn repeated_creation_after_the_session_was_deleted_creates_nothing() {
    let app = TestApp::start().await;
    let api = app.api.with_header("idempotency-key", "k");
    let body = json!({"name": "private", "volume": "user", "initial_message": "private"});
    let created = api.post("/api/sessions", &body).await.assert_status(201);
    let path = created.header("location").unwrap();
    app.api.delete(path).await.assert_status(200);

    let problem = api
        .post("/api/sessions", &body)
        .await
        .assert_error(409, "conflict");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("Send a new Idempotency-Key"), "{detail}");

    assert_eq!(app.redis.keys(), ["llmos:reply:k"]);
    let kept: Vec<String> = app.redis.command(&["HKEYS", "llmos:reply:k"]);
    assert_eq!(kept, ["fingerprint"]);
}
}

#[tokio::test]
async fn reply_evicted_from_redis_is_treated_as_missing() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let api = app.api.with_header("idempotency-key", "k");
    api.append(&id, "a").await.assert_status(200);

    app.redis
        .command::<()>(&["DEL", &format!("llmos:replies:{id}")]);

    let again = api.append(&id, "a").await.assert_status(200);
    assert_eq!(again.json()["message_count"], 2);
}

#[tokio::test]
async fn repeated_idempotency_key_header_is_rejected() {
    let app = TestApp::shared().await;
    let api = app
        .api
        .with_header("idempotency-key", "a")
        .with_header("idempotency-key", "b");

    let body = json!({"name": "x", "volume": "user"});
    api.post("/api/sessions", &body)
        .await
        .assert_error(400, "invalid_request");
}
