//! Ids that clients choose for new sessions.

use serde_json::{Value, json};

use super::super::support::TestApp;

fn new(id: &str) -> Value {
    json!({"id": id, "name": "Mine", "volume": "user", "initial_message": "Hello!"})
}

#[tokio::test]
async fn session_is_created_with_the_chosen_id() {
    let app = TestApp::start().await;
    for id in ["a", "Chat_1-x", &"x".repeat(128)] {
        let created = app.api.post("/api/sessions", &new(id)).await;
        let created = created.assert_status(201);
        assert_eq!(created.json()["id"], id);
        let path = format!("/api/sessions/{id}");
        assert_eq!(created.header("location"), Some(&*path));
        let found = app.api.get(&path).await.assert_status(200);
        assert_eq!(found.json(), created.json());
        assert_eq!(found.header("etag"), created.header("etag"));
        let listed = app.api.get("/api/sessions?limit=1").await.json();
        assert_eq!(listed["sessions"][0]["id"], id);
    }
}

#[tokio::test]
async fn invalid_chosen_id_is_rejected() {
    let app = TestApp::shared().await;
    for id in [
        "",
        "batch",
        "a.b",
        "a:messages",
        "a/b",
        "a b",
        "é",
        &"x".repeat(129),
    ] {
        let rejected = app.api.post("/api/sessions", &new(id)).await;
        rejected.assert_invalid("id");
    }
    let mut body = new("a");
    body["id"] = json!(5);
    let rejected = app.api.post("/api/sessions", &body).await;
    rejected.assert_invalid("id");
}

#[tokio::test]
async fn taken_id_is_409_and_changes_nothing() {
    let app = TestApp::start().await;
    let first = app.api.post("/api/sessions", &new("taken")).await;
    let first = first.assert_status(201);
    let before = app.redis.dump();

    let mut other = new("taken");
    other["name"] = json!("Other");
    for body in [new("taken"), other] {
        let refused = app.api.post("/api/sessions", &body).await;
        let problem = refused.assert_error(409, "session_exists");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("choose another one"), "{detail}");
        assert!(problem.get("current").is_none());
    }

    assert_eq!(app.redis.dump(), before);
    let found = app.api.get("/api/sessions/taken").await;
    assert_eq!(found.json(), first.json());
}

#[tokio::test]
async fn existing_session_is_returned_on_request() {
    let app = TestApp::start().await;
    let path = "/api/sessions?if_exists=return";
    let created = app.api.post(path, &new("kept")).await.assert_status(201);
    app.api.append("kept", "second").await.assert_status(200);
    let change = json!({"name": "Renamed"});
    let renamed = app.api.patch("/api/sessions/kept", &change).await;
    renamed.assert_status(200);

    let again = app.api.post(path, &new("kept")).await.assert_status(200);
    let found = app.api.get("/api/sessions/kept").await.assert_status(200);
    assert_eq!(again.json(), found.json());
    assert_eq!(again.header("etag"), found.header("etag"));
    assert_ne!(again.header("etag"), created.header("etag"));
    assert_eq!(again.json()["message_count"], 2);

    let unnamed = json!({"volume": "user"});
    app.api.post(path, &unnamed).await.assert_invalid("id");
    let path = "/api/sessions?if_exists=replace";
    let rejected = app.api.post(path, &new("kept")).await;
    rejected.assert_invalid("if_exists");
    let path = "/api/sessions?if_exists=";
    let refused = app.api.post(path, &new("kept")).await;
    refused.assert_error(409, "session_exists");
}

#[tokio::test]
async fn id_with_messages_of_a_lost_session_is_taken() {
    let app = TestApp::start().await;
    app.redis.command::<()>(&[
        "RPUSH",
        "session:lost:messages",
        "{\"content\":\"private\"}",
    ]);
    let before = app.redis.dump();
    for query in ["", "?if_exists=return"] {
        let path = format!("/api/sessions{query}");
        let refused = app.api.post(&path, &new("lost")).await;
        refused.assert_error(409, "session_exists");
    }
    assert_eq!(app.redis.dump(), before);
}

#[tokio::test]
async fn deleted_id_can_be_chosen_again() {
    let app = TestApp::start().await;
    for name in ["first", "second"] {
        let body = json!({"id": "again", "name": name, "volume": "user"});
        let created = app.api.post("/api/sessions", &body).await;
        assert_eq!(created.assert_status(201).json()["message_count"], 0);
        app.api.append("again", "x").await.assert_status(200);
        let deleted = app.api.delete("/api/sessions/again").await;
        deleted.assert_status(200);
    }
    assert_eq!(app.redis.keys(), [""; 0]);
}

#[tokio::test]
async fn concurrent_creations_with_one_id_succeed_once() {
    let app = TestApp::start().await;
    let creations = (0..16).map(|number| {
        let api = app.api.clone();
        let body = json!({"id": "one", "name": number.to_string(), "volume": "user"});
        tokio::spawn(async move { api.post("/api/sessions", &body).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for creation in creations.collect::<Vec<_>>() {
        statuses.push(creation.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[201].as_slice(), &[409; 15]].concat());
    assert_eq!(app.redis.command::<u64>(&["SCARD", "all:sessions"]), 1);
}

#[tokio::test]
async fn repeated_creation_with_a_key_returns_the_first_response() {
    let app = TestApp::start().await;
    let keyed = app.api.with_header("idempotency-key", "k");
    let first = keyed.post("/api/sessions", &new("mine")).await;
    let first = first.assert_status(201);
    let change = json!({"name": "Renamed"});
    let renamed = app.api.patch("/api/sessions/mine", &change).await;
    renamed.assert_status(200);
    let again = keyed.post("/api/sessions", &new("mine")).await;
    let again = again.assert_status(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body, first.body);

    // A request with another key is another request.
    let other = app.api.with_header("idempotency-key", "l");
    for _ in 0..2 {
        let refused = other.post("/api/sessions", &new("mine")).await;
        refused.assert_error(409, "session_exists");
    }
    let path = "/api/sessions?if_exists=return";
    let other = app.api.with_header("idempotency-key", "m");
    let found = other.post(path, &new("mine")).await.assert_status(200);
    assert_eq!(found.json()["name"], "Renamed");

    app.api
        .delete("/api/sessions/mine")
        .await
        .assert_status(200);
    let refused = keyed.post("/api/sessions", &new("mine")).await;
    refused.assert_error(409, "conflict");
}
