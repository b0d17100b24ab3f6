//! Operations that are interrupted between their steps.

use serde_json::json;

use super::support::{Client, TestApp};

async fn listed(api: &Client, query: &str) -> Vec<String> {
    let list = api.get(&format!("/api/sessions?{query}")).await;
    let list = list.assert_status(200).json();
    let sessions = list["sessions"].as_array().unwrap().iter();
    sessions
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn creation_interrupted_before_the_index_is_completed_by_its_repeat() {
    let app = TestApp::start().await;
    // Load the scripts first.
    let _ = app.api.create_session("x").await;
    let index = app.redis.node_of("all:sessions");
    let frozen = index.freeze();
    let body = json!({"name": "y", "volume": "user"});
    let mut keys = Vec::new();
    for number in 0..4 {
        let keyed = app.api.with_header("idempotency-key", number.to_string());
        let refused = keyed.post("/api/sessions", &body).await;
        assert!(refused.elapsed.as_millis() < 3500, "{refused:?}");
        refused.assert_error(503, "storage_unavailable");
        keys.push(keyed);
    }
    drop(frozen);

    // Some sessions are stored on working nodes, but no list contains them.
    let documents = app
        .redis
        .keys()
        .into_iter()
        .filter(|key| key.starts_with("session:"));
    let stored = documents.count() - 1;
    assert!(stored > 0);
    let mut ids = Vec::new();
    for keyed in &keys {
        let created = keyed.post("/api/sessions", &body).await.assert_status(201);
        ids.push(created.json()["id"].as_str().unwrap().to_owned());
    }
    let (mut all, mut own) = (
        listed(&app.api, "").await,
        listed(&app.api, "volume=user").await,
    );
    assert_eq!(all.len(), 5);
    all.sort();
    own.sort();
    assert_eq!(all, own);
    assert!(ids.iter().all(|id| all.contains(id)));
}

#[tokio::test]
async fn list_repairs_the_index_after_an_interrupted_write() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(app.api.create_session(name).await);
    }
    let redis = &app.redis;
    let key = |bucket: &str| format!("llmos:recent:all:{bucket}");
    // The stale index: without the append to a, the change of b and the deletion of c.
    let micros = |id: &str| redis.command::<String>(&["ZSCORE", &key("active"), id]);
    let before: Vec<String> = ids.iter().map(|id| micros(id)).collect();
    app.api.append(&ids[0], "x").await.assert_status(200);
    let path = format!("/api/sessions/{}", ids[1]);
    let paused = json!({"status": "paused"});
    app.api.patch(&path, &paused).await.assert_status(200);
    let path = format!("/api/sessions/{}", ids[2]);
    app.api.delete(&path).await.assert_status(200);
    for (index, id) in ids.iter().enumerate().take(3) {
        redis.command::<()>(&["ZREM", &key("paused"), id]);
        redis.command::<()>(&["ZADD", &key("active"), &before[index], id]);
    }
    redis.command::<()>(&["SADD", "all:sessions", &ids[2]]);
    redis.command::<()>(&["INCR", "llmos:indexed:all"]);

    let [a, b, _, d] = &ids[..] else {
        unreachable!()
    };
    assert_eq!(
        listed(&app.api, "status=active").await,
        [a, d].map(String::clone)
    );
    assert_eq!(listed(&app.api, "status=paused").await, ids[1..2]);
    assert_eq!(listed(&app.api, "").await, [b, a, d].map(String::clone));
    let members: Vec<String> = redis.command(&["SMEMBERS", "all:sessions"]);
    assert!(!members.contains(&ids[2]));
}

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

    let kept = app.redis.dump();
    let kept: Vec<String> = kept
        .iter()
        .map(|(key, value)| String::from_utf8_lossy(&[&**key, value].concat()).into_owned())
        .collect();
    assert_eq!(kept.len(), 2);
    assert!(
        kept.iter()
            .all(|it| it.contains("llmos:") && !it.contains("private"))
    );
}

#[tokio::test]
async fn scripts_flushed_from_nodes_are_sent_again() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    app.redis.command::<()>(&["SCRIPT", "FLUSH"]);
    app.api.append(&id, "y").await.assert_status(200);
    assert_eq!(listed(&app.api, "volume=user").await, [id]);
}

#[tokio::test]
async fn large_set_is_indexed_by_concurrent_lists() {
    let app = TestApp::start().await;
    let members: Vec<String> = (0..1200).map(|number| format!("sess_{number}")).collect();
    for id in &members {
        let number: usize = id["sess_".len()..].parse().unwrap();
        let document = json!({"id": id, "name": "x", "volume": "user", "volume_id": "default", "status": "active",
            "created_at": "2025-01-01T00:00:00Z", "updated_at": format!("2025-01-01T00:{:02}:00Z", number % 60),
            "metadata": {}, "messages": ["x".repeat(if number % 60 == 59 { 350_000 } else { 0 })]});
        app.redis
            .command::<()>(&["SET", &format!("session:{id}"), &document.to_string()]);
        app.redis
            .command::<()>(&["SADD", "user:default:sessions", id]);
    }

    let lists = (0..8).map(|_| listed(&app.api, "volume=user&limit=30"));
    let lists = futures_util::future::join_all(lists).await;
    // 4 MB of documents, 350 KB each, always the same.
    assert_eq!(lists[0].len(), 11);
    assert!(lists.iter().all(|list| *list == lists[0]));
    let page = app.api.get("/api/sessions?volume=user&limit=30").await;
    assert!(page.round_trips() <= 3, "{}", page.round_trips());
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let path = format!("/api/sessions?volume=user&limit=200&cursor={cursor}");
        let page = app.api.get(&path).await.assert_status(200).json();
        count += page["sessions"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(count, members.len());
}

#[tokio::test]
async fn pin_interrupted_before_the_index_is_completed_by_its_repeat() {
    let app = TestApp::start().await;
    // Load the scripts, and build the index of pinned sessions.
    let warm = app.api.create_session("x").await;
    let path = format!("/api/sessions/{warm}");
    let pinned = json!({"pinned": true});
    app.api.patch(&path, &pinned).await.assert_status(200);
    let before = listed(&app.api, "pinned=true").await;
    assert_eq!(before, std::slice::from_ref(&warm));
    let index = app.redis.node_of("all:sessions");
    let id = loop {
        let id = app.api.create_session("y").await;
        if app.redis.node_of(&format!("session:{id}")).host() != index.host() {
            break id;
        }
    };
    let path = format!("/api/sessions/{id}");
    let frozen = index.freeze();
    let refused = app.api.patch(&path, &pinned).await;
    refused.assert_error(503, "storage_unavailable");
    drop(frozen);
    let found = app.api.get(&path).await.assert_status(200).json();
    assert_eq!(found["pinned"], true);

    app.api.patch(&path, &pinned).await.assert_status(200);
    assert_eq!(listed(&app.api, "pinned=true").await, [id, warm]);
}

#[tokio::test]
async fn list_repairs_the_index_of_archived_sessions() {
    let app = TestApp::start().await;
    let (a, b) = (
        app.api.create_session("a").await,
        app.api.create_session("b").await,
    );
    let micros: String = app
        .redis
        .command(&["ZSCORE", "llmos:recent:all:active", &a]);
    let path = format!("/api/sessions/{a}");
    let archived = json!({"archived": true});
    app.api.patch(&path, &archived).await.assert_status(200);
    // The stale index.
    let () = app
        .redis
        .command(&["ZREM", "llmos:recent:all:archived-active", &a]);
    let () = app
        .redis
        .command(&["ZADD", "llmos:recent:all:active", &micros, &a]);
    assert_eq!(listed(&app.api, "").await, [b]);
    assert_eq!(listed(&app.api, "archived=true").await, [a]);
}

#[tokio::test]
async fn page_of_a_rare_tag_reads_a_limited_number_of_sessions() {
    let app = TestApp::start().await;
    for number in 0..2100 {
        let id = format!("sess_{number}");
        let time = format!("2025-01-01T00:00:00.{:06}Z", 999_999 - number);
        let document = json!({"id": id, "name": "x", "volume": "user", "volume_id": "default", "status": "active",
            "created_at": time, "updated_at": time, "metadata": {}, "tags": [format!("t{}", number % 2050)]});
        app.redis
            .command::<()>(&["SET", &format!("session:{id}"), &document.to_string()]);
        app.redis
            .command::<()>(&["SADD", "user:default:sessions", &id]);
    }
    for query in ["", "&sort=created"] {
        let path = format!("/api/sessions?volume=user&tag=t2045{query}");
        // The first request builds the index.
        app.api.get(&path).await.assert_status(200);
        let first = app.api.get(&path).await.assert_status(200);
        assert!(first.round_trips() <= 4, "{}", first.round_trips());
        let first = first.json();
        assert_eq!(first["sessions"], json!([]));
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = app.api.get(&format!("{path}&cursor={cursor}")).await;
        let second = second.assert_status(200).json();
        assert_eq!(second["sessions"][0]["id"], "sess_2045");
        assert!(second["next_cursor"].is_null());
    }
}
