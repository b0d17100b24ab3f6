//! Malformed values of the expected Redis type, and stored keys that name foreign keys.

use serde_json::{Value, json};

use crate::support::{Redis, SkillsApp, TestApp, write_python_session};

/// Returns every key with its dump.
fn contents(redis: &Redis) -> Vec<(String, Vec<u8>)> {
    let dump = |key: String| {
        let content = redis.command(&["DUMP", &key]);
        (key, content)
    };
    redis.keys().into_iter().map(dump).collect()
}

#[tokio::test]
async fn stored_reply_that_names_a_foreign_key_leaves_that_key_alone() {
    let app = TestApp::start().await;
    let kept = app.api.session("kept").await;
    let document = kept.key();
    for foreign in [document.as_str(), "all:sessions", "of another program"] {
        app.redis.command::<()>(&["SET", "of another program", "x"]);
        let session = app.session().await;
        app.redis
            .command::<()>(&["SET", &format!("llmos:origin:{}", session.id), foreign]);
        let path = session.path();
        app.api.delete(&path).await.assert_status(200);

        assert!(app.redis.keys().iter().any(|key| key == foreign));
        let path = kept.path();
        app.api.get(&path).await.assert_status(200);
    }
}

#[tokio::test]
async fn empty_stored_reply_is_treated_as_missing() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let with_key = app.api.with_header("idempotency-key", "key");
    let replies = format!("llmos:replies:{id}");
    let texts = [
        "no json",
        "5",
        "null",
        "[]",
        "{}",
        r#"{"fingerprint":1,"first":"x"}"#,
        r#"{"fingerprint":1,"first":1.5,"last":1e300}"#,
    ];
    for (index, text) in texts.into_iter().enumerate() {
        app.redis.command::<()>(&["HSET", &replies, "key", text]);
        let appended = with_key.append(&id, "x").await.assert_status(200).json();
        assert_eq!(appended["messages"][0]["seq"], index + 1, "{text}");
    }
    let again = with_key.append(&id, "x").await.assert_status(200).json();
    assert_eq!(again["messages"][0]["seq"], texts.len());
}

#[tokio::test]
async fn malformed_creation_reply_is_an_error_and_creates_nothing() {
    let app = TestApp::start().await;
    let with_key = app.api.with_header("idempotency-key", "key");
    let body = json!({"name": "x", "volume": "user"});
    with_key
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    for (field, text) in [("document", "no json"), ("document", "{}")] {
        app.redis
            .command::<()>(&["HSET", "llmos:reply:key", field, text]);
        let before = contents(&app.redis);
        let again = with_key.post("/api/sessions", &body).await;
        again.assert_error(500, "internal");
        assert_eq!(contents(&app.redis), before, "{field} {text}");
    }
    let other = app.api.with_header("idempotency-key", "other");
    let created = other.post("/api/sessions", &body).await;
    created.assert_status(201);
}

#[tokio::test]
async fn append_to_a_malformed_session_stores_nothing() {
    let app = TestApp::start().await;
    let good = app.api.create_session("good").await;
    let bad = app.api.session("bad").await;
    let key = bad.key();
    for text in ["no json", "[]", "{}", "null", "5", "\"text\"", "{\"id\":"] {
        app.redis.command::<()>(&["SET", &key, text]);
        let before = contents(&app.redis);
        let refused = app.api.append(&bad.id, "x").await;
        refused.assert_error(500, "internal");
        assert_eq!(contents(&app.redis), before, "{text}");
        app.api.append(&good, "x").await.assert_status(200);
    }
}

#[tokio::test]
async fn malformed_index_progress_restarts_indexing() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    for text in ["garbage", "-1", "99999999999999999999", "", "1.5"] {
        app.redis.command::<()>(&["DEL", "llmos:indexed:all"]);
        app.redis
            .command::<()>(&["SET", "llmos:indexing:all", text]);
        let listed = app.api.get("/api/sessions").await.assert_status(200).json();
        assert_eq!(listed["sessions"][0]["id"], id.as_str(), "{text}");
    }
    for text in ["garbage", "-5", "9223372036854775807", "1.5"] {
        app.redis.command::<()>(&["SET", "llmos:indexed:all", text]);
        let _ = app.api.create_session("y").await;
        let listed = app.api.get("/api/sessions").await.assert_status(200).json();
        assert_eq!(
            listed["sessions"].as_array().unwrap().last().unwrap()["id"],
            id.as_str()
        );
    }
}

#[tokio::test]
async fn list_includes_a_session_with_malformed_messages() {
    let app = TestApp::start().await;
    let good = app.api.create_session("good").await;
    let bad = app.api.session("bad").await;
    app.redis
        .command::<()>(&["SET", &bad.messages_key(), "text"]);
    for list in ["/api/sessions", "/api/sessions?volume=user"] {
        let listed = app.api.get(list).await.assert_status(200).json();
        assert_eq!(listed["unreadable"], json!([bad.id]), "{list}");
        let sessions = listed["sessions"].as_array().unwrap();
        assert_eq!((sessions.len(), &sessions[0]["id"]), (1, &json!(good)));
    }
    let before = contents(&app.redis);
    let path = bad.path();
    let change = json!({"name": "y"});
    let changed = app.api.patch(&path, &change).await;
    changed.assert_error(500, "internal");
    assert_eq!(contents(&app.redis), before);
    app.api.delete(&path).await.assert_status(200);
    app.api.get(&path).await.assert_error(404, "not_found");
}

#[tokio::test]
async fn non_utf8_document_is_an_error_of_that_session_only() {
    let app = TestApp::start().await;
    let good = app.api.create_session("good").await;
    let bad = app.api.session("bad").await;
    let key = bad.key();
    let document: String = app.redis.command(&["GET", &key]);
    let document = document.into_bytes();
    let at = document.windows(3).position(|it| it == b"bad").unwrap();
    app.redis.command::<()>(&[
        &b"SET"[..],
        key.as_bytes(),
        &[&document[..at], b"\xff\xc3\x28", &document[at + 3..]].concat(),
    ]);
    let before = contents(&app.redis);
    let path = bad.path();
    app.api.get(&path).await.assert_error(500, "internal");
    let change = json!({"status": "paused"});
    let changed = app.api.patch(&path, &change).await;
    changed.assert_error(500, "internal");
    assert_eq!(contents(&app.redis), before);
    let listed = app.api.get("/api/sessions").await.assert_status(200).json();
    assert_eq!(listed["unreadable"], json!([bad.id]));
    assert_eq!(listed["sessions"][0]["id"], good.as_str());
    app.api.delete(&path).await.assert_status(200);
}

#[tokio::test]
async fn oversized_stored_message_is_replaced_by_a_placeholder() {
    let app = TestApp::start().await;
    let session = app.session().await;
    app.api
        .append(&session.id, "first")
        .await
        .assert_status(200);
    let messages = session.messages_key();
    let message: String = app.redis.command(&["LINDEX", &messages, "0"]);
    let huge = message.replace("first", &"x".repeat(20 << 20));
    app.redis.command::<()>(&["RPUSH", &messages, &huge]);

    for path in [
        session.path(),
        session.messages_path(),
        format!("{}/messages?after=1", session.path()),
    ] {
        let found = app.api.get(&path).await.assert_status(200);
        assert!(found.elapsed.as_secs() < 3, "{:?}", found.elapsed);
        assert!(found.body.len() < 10_000, "{}", found.body.len());
        let found = found.json();
        let last = found["messages"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["seq"], &last["unreadable"]),
            (&json!(2), &json!(true))
        );
    }
    // Shapes of other services have no place for it: its id is listed.
    for format in ["ui", "openai"] {
        let path = format!("{}?format={format}", session.messages_path());
        let found = app.api.get(&path).await.assert_status(200).json();
        assert_eq!(found["unreadable"], json!(["msg_2"]), "{found}");
        assert_eq!(found["messages"], json!([]), "{found}");
    }
    let appended = app
        .api
        .append(&session.id, "third")
        .await
        .assert_status(200);
    assert_eq!(appended.json()["messages"][0]["seq"], 3);
}

#[tokio::test]
async fn malformed_usage_counts_restart_at_zero() {
    let app = SkillsApp::start().await;
    let body = json!({"name": "Hello", "description": "x", "code": "1", "language": "python"});
    let created = app.api.post("/api/skills?volume=user", &body).await;
    created.assert_status(201);
    let key = "llmos:skill-usage:user:default";
    let set = |field: &str, value: &str| {
        app.redis
            .command::<()>(&["HSET", key, &format!("{field}:hello"), value]);
    };
    for garbage in ["text", "-5", "1.5", "inf", "1e300", "9223372036854775807"] {
        for field in ["uses", "successes", "timed", "milliseconds"] {
            app.redis.command::<()>(&["DEL", key]);
            set(field, garbage);
            let listed = app.api.get("/api/skills?volume=user").await;
            let listed = listed.assert_status(200).json();
            assert_eq!(listed["skills"][0]["usage_count"], 0, "{field} {garbage}");
            let usage = json!({"success": true, "duration_ms": 5});
            let used = app.api.post("/api/skills/hello/usage", &usage).await;
            let used = used.assert_status(200).json();
            assert_eq!(used["usage_count"], 1, "{field} {garbage}");
            let rates = [Value::Null, json!(1.0)];
            assert!(rates.contains(&used["success_rate"]), "{field} {used}");
        }
    }
}

#[tokio::test]
async fn write_with_a_session_set_of_another_type_stores_nothing() {
    let app = TestApp::start().await;
    let body = json!({"name": "x", "volume": "user", "initial_message": "x"});
    for (set, command) in [
        ("user:default:sessions", &["SET", "KEY", "text"][..]),
        ("all:sessions", &["SET", "KEY", "text"]),
        ("user:default:sessions", &["HSET", "KEY", "a", "b"]),
        ("all:sessions", &["XADD", "KEY", "*", "a", "b"]),
    ] {
        app.redis.command::<()>(&["FLUSHALL"]);
        let session = app.session().await;
        app.redis.command::<()>(&["DEL", set]);
        let command: Vec<&str> = command
            .iter()
            .map(|word| if *word == "KEY" { set } else { word })
            .collect();
        app.redis.command::<redis::Value>(&command);
        let before = contents(&app.redis);

        let with_key = app.api.with_header("idempotency-key", "key");
        let created = with_key.post("/api/sessions", &body).await;
        created.assert_error(500, "internal");
        assert_eq!(contents(&app.redis), before, "{command:?}");
        let path = session.path();
        app.api.get(&path).await.assert_status(200);
        app.api.append(&session.id, "x").await.assert_status(200);
        app.api.delete(&path).await.assert_status(200);
        app.api.get(&path).await.assert_error(404, "not_found");
    }
}

#[tokio::test]
async fn document_that_cjson_rejects_is_still_served() {
    let app = TestApp::start().await;
    write_python_session(&app.redis, "sess_x_1", 0);
    let document: String = app.redis.command(&["GET", "session:sess_x_1"]);
    let document = document.replace("\"custom\"", r#""half": "\ud800", "custom""#);
    assert!(document.contains("ud800"));
    app.redis
        .command::<()>(&["SET", "session:sess_x_1", &document]);
    let path = "/api/sessions/sess_x_1";
    app.api.get(path).await.assert_status(200);
    let appended = app.api.append("sess_x_1", "third").await;
    assert_eq!(appended.assert_status(200).json()["message_count"], 3);
}

#[tokio::test]
async fn paging_continues_after_a_non_utf8_id() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    for bad in [&b"\xff"[..], b"\x80a", b"zz"] {
        let key = [&b"session:"[..], bad].concat();
        app.redis.command::<()>(&[&b"SET"[..], &key, b"{}"]);
        app.redis
            .command::<()>(&[&b"SADD"[..], b"all:sessions", bad]);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..5 {
        let path = format!("/api/sessions?limit=1&cursor={cursor}");
        let page = app.api.get(&path).await.assert_status(200).json();
        let sessions = page["sessions"].as_array().unwrap();
        seen.extend(sessions.iter().map(|it| it["id"].clone()));
        seen.extend(page["unreadable"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, [id.as_str(), "\u{fffd}", "\u{fffd}a", "zz"]);
}
