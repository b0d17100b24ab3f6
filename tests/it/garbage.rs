//! What else stands under the keys in Redis: a clear error for that one item, and nothing half done.

use serde_json::json;

use crate::support::{SkillsApp, TestApp};

/// Puts a list where something else should be.
fn misplace(app: &TestApp, key: &str) {
    app.redis.command::<()>(&["DEL", key]);
    app.redis.command::<()>(&["RPUSH", key, "garbage"]);
}

#[tokio::test]
async fn a_document_that_is_none_is_an_error_of_its_own() {
    let app = TestApp::start().await;
    let good = app.api.create_session("good").await;
    let huge = "x".repeat(100 << 20);
    let texts = ["no json", "[]", "{}", "null", "\"text\"", "{\"id\":", &huge];
    for text in texts {
        let bad = app.api.create_session("bad").await;
        app.redis
            .command::<()>(&["SET", &format!("session:{bad}"), text]);
        let path = format!("/api/sessions/{bad}");

        let found = app.api.get(&path).await;
        assert!(found.elapsed.as_secs() < 3);
        let _ = found.assert_error(500, "internal");
        let change = json!({"name": "x"});
        let _ = app
            .api
            .patch(&path, &change)
            .await
            .assert_error(500, "internal");
        let listed = app
            .api
            .get("/api/sessions?volume=user")
            .await
            .assert_status(200)
            .json();
        assert_eq!(listed["unreadable"], json!([bad]));
        assert_eq!(listed["sessions"][0]["id"], good.as_str());
        let _ = app.api.delete(&path).await.assert_status(200);
    }
    for (command, arguments) in [
        ("RPUSH", &["x"][..]),
        ("HSET", &["a", "b"]),
        ("XADD", &["*", "a", "b"]),
    ] {
        let bad = app.api.create_session("bad").await;
        let key = format!("session:{bad}");
        app.redis.command::<()>(&["DEL", &key]);
        let all: Vec<&str> = [command, &key]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        app.redis.command::<redis::Value>(&all);
        let path = format!("/api/sessions/{bad}");
        let _ = app.api.get(&path).await.assert_error(500, "internal");
        let _ = app
            .api
            .append(&bad, "x")
            .await
            .assert_error(500, "internal");
        let _ = app.api.delete(&path).await.assert_status(200);
    }
    let _ = app
        .api
        .get(&format!("/api/sessions/{good}"))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn messages_that_are_none_leave_the_others_alone() {
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
        let _ = found.assert_error(500, "internal");
    }
    let _ = app
        .api
        .append(&bad, "x")
        .await
        .assert_error(500, "internal");
    assert_eq!(app.redis.keys(), before);
    let _ = app.api.append(&good, "x").await.assert_status(200);

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
async fn what_stands_in_the_place_of_ours_is_dropped_and_the_write_is_whole() {
    let app = TestApp::start().await;
    let first = app.api.create_session("first").await;
    for key in [
        "llmos:recent:all:active",
        "llmos:recent:user:default:active",
        "llmos:indexed:all",
        "llmos:indexed:user:default",
        "llmos:indexing:all",
        "llmos:system-volumes",
        "llmos:reply:key",
        &format!("llmos:replies:{first}"),
        &format!("llmos:reply-expiries:{first}"),
        &format!("llmos:origin:{first}"),
    ] {
        misplace(&app, key);
        let created = app.api.create_session("another").await;
        let with_key = app.api.with_header("idempotency-key", "key");
        let _ = with_key.append(&first, "x").await.assert_status(200);
        let change = json!({"status": "active"});
        let path = format!("/api/sessions/{first}");
        let _ = app.api.patch(&path, &change).await.assert_status(200);
        let body = json!({"name": "again", "volume": "system"});
        let _ = with_key
            .post("/api/sessions", &body)
            .await
            .assert_status(201);

        for list in ["/api/sessions?volume=user", "/api/sessions?limit=200"] {
            let listed = app.api.get(list).await.assert_status(200).json();
            let ids: Vec<&str> = listed["sessions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["id"].as_str().unwrap())
                .collect();
            assert!(
                ids.contains(&first.as_str()) && ids.contains(&created.as_str()),
                "{key}: {listed}"
            );
        }
        let _ = app
            .api
            .delete(&format!("/api/sessions/{created}"))
            .await
            .assert_status(200);
    }
}

#[tokio::test]
async fn where_a_set_of_sessions_is_none_nothing_is_half_stored() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    misplace(&app, "user:default:sessions");
    let before = app.redis.keys();

    let body = json!({"name": "x", "volume": "user", "initial_message": "x"});
    let created = app.api.post("/api/sessions", &body).await;
    let _ = created.assert_error(500, "internal");
    assert_eq!(app.redis.keys(), before);
    let listed = app.api.get("/api/sessions?volume=user").await;
    let _ = listed.assert_error(500, "internal");

    let body = json!({"name": "x", "volume": "team"});
    let _ = app
        .api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let path = format!("/api/sessions/{id}");
    let _ = app.api.get(&path).await.assert_status(200);
    let _ = app.api.append(&id, "x").await.assert_status(200);
    let _ = app.api.delete(&path).await.assert_status(200);
    let _ = app.api.get(&path).await.assert_error(404, "not_found");
}

#[tokio::test]
async fn skills_go_on_without_what_redis_should_know_of_them() {
    let app = SkillsApp::start().await;
    let body = json!({"name": "Hello", "description": "x", "code": "1", "language": "python"});
    for key in [
        "llmos:skills:user:default",
        "llmos:skill-usage:user:default",
        "llmos:skill-use:key",
    ] {
        app.redis.command::<()>(&["DEL", key]);
        app.redis.command::<()>(&["SADD", key, "garbage"]);
        let _ = app
            .api
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
        let _ = app
            .api
            .delete("/api/skills/hello?volume=user")
            .await
            .assert_status(200);
        app.redis.command::<()>(&["DEL", "llmos:skill-use:key"]);
    }
}
