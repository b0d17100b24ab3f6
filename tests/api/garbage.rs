//! Values of an unexpected Redis type: an error for that item only, and no partial writes.

use serde_json::json;

use crate::support::{SkillsApp, TestApp};

/// Replaces the value of a key by a list.
fn misplace(app: &TestApp, key: &str) {
    app.redis.command::<()>(&["DEL", key]);
    app.redis.command::<()>(&["RPUSH", key, "garbage"]);
}

#[tokio::test]
async fn malformed_session_document_is_an_error_of_that_session_only() {
    let app = TestApp::start().await;
    let good = app.api.session("good").await;
    let huge = "x".repeat(100 << 20);
    let texts = ["no json", "[]", "{}", "null", "\"text\"", "{\"id\":", &huge];
    for text in texts {
        let bad = app.api.session("bad").await;
        app.redis.command::<()>(&["SET", &bad.key(), text]);
        let path = bad.path();

        let found = app.api.get(&path).await;
        assert!(found.elapsed.as_secs() < 3);
        found.assert_error(500, "internal");
        let change = json!({"name": "x"});
        app.api
            .patch(&path, &change)
            .await
            .assert_error(500, "internal");
        let listed = app
            .api
            .get("/api/sessions?volume=user")
            .await
            .assert_status(200)
            .json();
        assert_eq!(listed["unreadable"], json!([bad.id]));
        assert_eq!(listed["sessions"][0]["id"], good.id.as_str());
        app.api.delete(&path).await.assert_status(200);
    }
    for (command, arguments) in [
        ("RPUSH", &["x"][..]),
        ("HSET", &["a", "b"]),
        ("XADD", &["*", "a", "b"]),
    ] {
        let bad = app.api.session("bad").await;
        let key = bad.key();
        app.redis.command::<()>(&["DEL", &key]);
        let all: Vec<&str> = [command, &key]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        app.redis.command::<redis::Value>(&all);
        let path = bad.path();
        app.api.get(&path).await.assert_error(500, "internal");
        app.api
            .append(&bad.id, "x")
            .await
            .assert_error(500, "internal");
        app.api.delete(&path).await.assert_status(200);
    }
    app.api.get(&good.path()).await.assert_status(200);
}

#[tokio::test]
async fn malformed_messages_do_not_affect_other_sessions() {
    let app = TestApp::start().await;
    let (good, bad) = (
        app.api.create_session("good").await,
        app.api.create_session("bad").await,
    );
    let messages = format!("session:{bad}:messages");
    app.redis.command::<()>(&["SET", &messages, "text"]);
    let before = app.redis.keys();

    for path in ["", "/messages"] {
        let found = app.api.get(&format!("/api/sessions/{bad}{path}")).await;
        found.assert_error(500, "internal");
    }
    app.api
        .append(&bad, "x")
        .await
        .assert_error(500, "internal");
    assert_eq!(app.redis.keys(), before);
    app.api.append(&good, "x").await.assert_status(200);

    app.redis.command::<()>(&["DEL", &messages]);
    let huge = format!("{{\"content\":\"{}\"}}", "x".repeat(100 << 20));
    app.redis.command::<()>(&["RPUSH", &messages, &huge]);
    app.redis.command::<()>(&["RPUSH", &messages, "no json"]);
    let latest = app
        .api
        .get(&format!("/api/sessions/{bad}/messages"))
        .await
        .assert_status(200);
    assert!(latest.elapsed.as_secs() < 3);
    let latest = latest.json();
    assert_eq!(latest["messages"][0]["unreadable"], true);
    assert_eq!(latest["has_more"], true);
}

#[tokio::test]
async fn key_of_another_type_is_replaced_and_the_write_succeeds() {
    let app = TestApp::start().await;
    let first = app.api.session("first").await;
    for key in [
        "llmos:recent:all:active",
        "llmos:recent:user:default:active",
        "llmos:created:all",
        "llmos:created:user:default",
        "llmos:pinned:all",
        "llmos:pinned:user:default",
        "llmos:indexed:all",
        "llmos:indexed:user:default",
        "llmos:indexing:all",
        "llmos:system-volumes",
        "llmos:reply:key",
        &format!("llmos:replies:{}", first.id),
        &format!("llmos:reply-expiries:{}", first.id),
        &format!("llmos:origin:{}", first.id),
    ] {
        misplace(&app, key);
        let created = app.api.session("another").await;
        let with_key = app.api.with_header("idempotency-key", "key");
        with_key.append(&first.id, "x").await.assert_status(200);
        let change = json!({"status": "active", "pinned": true});
        let path = first.path();
        app.api.patch(&path, &change).await.assert_status(200);
        let body = json!({"name": "again", "volume": "system"});
        with_key
            .post("/api/sessions", &body)
            .await
            .assert_status(201);

        let lists = [
            "/api/sessions?volume=user",
            "/api/sessions?limit=200",
            "/api/sessions?limit=200&sort=created",
            "/api/sessions?volume=user&sort=created",
        ];
        for list in lists {
            let listed = app.api.get(list).await.assert_status(200).json();
            let ids: Vec<&str> = listed["sessions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["id"].as_str().unwrap())
                .collect();
            assert!(
                ids.contains(&first.id.as_str()) && ids.contains(&created.id.as_str()),
                "{key}: {listed}"
            );
        }
        misplace(&app, key);
        for list in ["volume=user&pinned=true", "pinned=true"] {
            let listed = app.api.get(&format!("/api/sessions?{list}")).await;
            let listed = listed.assert_status(200).json();
            assert_eq!(listed["sessions"][0]["id"], first.id, "{key} {list}");
        }
        app.api.delete(&created.path()).await.assert_status(200);
    }
}

#[tokio::test]
async fn write_with_a_malformed_session_set_stores_nothing() {
    let app = TestApp::start().await;
    let session = app.session().await;
    misplace(&app, "user:default:sessions");
    let before = app.redis.keys();

    let body = json!({"name": "x", "volume": "user", "initial_message": "x"});
    let created = app.api.post("/api/sessions", &body).await;
    created.assert_error(500, "internal");
    assert_eq!(app.redis.keys(), before);
    let listed = app.api.get("/api/sessions?volume=user").await;
    listed.assert_error(500, "internal");

    let body = json!({"name": "x", "volume": "team"});
    app.api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let path = session.path();
    app.api.get(&path).await.assert_status(200);
    app.api.append(&session.id, "x").await.assert_status(200);
    app.api.delete(&path).await.assert_status(200);
    app.api.get(&path).await.assert_error(404, "not_found");
}

#[tokio::test]
async fn skills_work_with_malformed_redis_data() {
    let app = SkillsApp::start().await;
    let body = json!({"name": "Hello", "description": "x", "code": "1", "language": "python"});
    for key in [
        "llmos:skills:user:default",
        "llmos:skill-usage:user:default",
        "llmos:skill-use:key",
    ] {
        app.redis.command::<()>(&["DEL", key]);
        app.redis.command::<()>(&["SADD", key, "garbage"]);
        app.api
            .post("/api/skills?volume=user", &body)
            .await
            .assert_status(201);
        app.redis.command::<()>(&["DEL", key]);
        app.redis.command::<()>(&["SADD", key, "garbage"]);
        let listed = app
            .api
            .get("/api/skills?volume=user")
            .await
            .assert_status(200)
            .json();
        assert_eq!(listed["skills"][0]["id"], "hello");
        let used = app
            .api
            .with_header("idempotency-key", "key")
            .post("/api/skills/hello/usage", &json!({"success": true}))
            .await;
        assert_eq!(used.assert_status(200).json()["usage_count"], 1, "{key}");
        app.api
            .delete("/api/skills/hello?volume=user")
            .await
            .assert_status(200);
        app.redis.command::<()>(&["DEL", "llmos:skill-use:key"]);
    }
}
