//! Checks that every way of running the service must pass: a function alone, `vercel dev`,
//! and the output of `vercel build`.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Client, Redis, Response, write_python_session};

/// The most Redis round trips of a request.
pub const MAX_ROUND_TRIPS: u32 = 2;

/// Ids that the Python version made from names, and their encoding in a path.
const OLD_IDS: [(&str, &str); 6] = [
    ("sess_a:b.c_1765706400", "sess_a:b.c_1765706400"),
    ("sess_a:b_1765706401", "sess_a%3Ab_1765706401"),
    ("sess_a/b_1765706402", "sess_a%2Fb_1765706402"),
    ("sess_a%2fb_1765706403", "sess_a%252fb_1765706403"),
    ("sess_a b_1765706404", "sess_a%20b_1765706404"),
    (
        "sess_caf\u{e9}_\u{65e5}_1765706405",
        "sess_caf%C3%A9_%E6%97%A5_1765706405",
    ),
];

/// Calls each route of sessions and messages once, from create to delete.
pub async fn check_session_routes(api: &Client) {
    let created = api
        .post(
            "/api/sessions?volume_id=default",
            &json!({"name": "Kept", "volume": "user"}),
        )
        .await;
    let created = checked(created, 201);
    let id = created["id"].as_str().unwrap();
    let path = format!("/api/sessions/{id}");

    for list in [
        "/api/sessions",
        "/api/sessions/",
        "/api/sessions?volume=user&limit=1",
    ] {
        let list = checked(api.get(list).await, 200);
        assert_eq!(list["sessions"][0]["id"], id);
    }
    for find in [path.clone(), format!("{path}/")] {
        assert_eq!(checked(api.get(&find).await, 200), created);
    }

    // Existing clients send an empty body here.
    let with_status = format!("{path}?status=paused");
    let put = api.send(Method::PUT, &with_status, Vec::new()).await;
    assert_eq!(checked(put, 200)["status"], "paused");
    let patched = api.patch(&path, &json!({"name": "Renamed"})).await;
    assert_eq!(checked(patched, 200)["name"], "Renamed");

    let appended = checked(api.append(id, "Hello!").await, 200);
    assert_eq!(appended["message_count"], 1);
    for list in [
        format!("{path}/messages"),
        format!("{path}/messages/?after=0"),
    ] {
        let list = checked(api.get(&list).await, 200);
        assert_eq!(list["messages"], appended["messages"]);
    }

    let batch = json!({"ids": [id], "set": {"pinned": true}});
    let batch = api.post("/api/sessions/batch", &batch).await;
    assert_eq!(checked(batch, 200)["changed"], 1);

    let refused = api.post(&path, &json!({})).await;
    assert_eq!(refused.header("allow"), Some("GET,HEAD,PUT,PATCH,DELETE"));
    refused.assert_error(405, "method_not_allowed");

    let deleted = checked(api.delete(&path).await, 200);
    assert_eq!(deleted["message"], format!("Session {id} deleted"));
    api.get(&path).await.assert_error(404, "not_found");
}

/// Reads sessions with ids of the Python version.
pub async fn check_old_ids(api: &Client, redis: &Redis) {
    for (id, in_path) in OLD_IDS {
        write_python_session(redis, id, 0);
        let session = checked(api.get(&format!("/api/sessions/{in_path}")).await, 200);
        assert_eq!(session["id"], id);
        assert_eq!(session["messages"][0]["content"], "first");
    }
}

/// Calls each route of skills once, from create to delete.
pub async fn check_skill_routes(api: &Client) {
    let new = json!({
        "name": "Hello World", "description": "Greets.", "code": "print('hello')", "language": "python",
    });
    let query = "volume=user&volume_id=default";
    let created = api.post(&format!("/api/skills?{query}"), &new).await;
    assert_eq!(checked(created, 201)["id"], "hello-world");
    let path = format!("/api/skills/hello-world?{query}");
    let list = checked(api.get(&format!("/api/skills/?{query}")).await, 200);
    assert_eq!(list["skills"][0]["name"], "Hello World");
    assert_eq!(checked(api.get(&path).await, 200)["code"], "print('hello')");
    let usage = format!("/api/skills/hello-world/usage?{query}");
    let used = api.post(&usage, &json!({"success": true})).await;
    assert_eq!(checked(used, 200)["usage_count"], 1);
    let document = api.with_header("accept", "text/markdown").get(&path).await;
    let document = document.assert_status(200).body;
    let markdown = api.with_header("content-type", "text/markdown");
    let validated = markdown
        .send(Method::POST, "/api/skills/validate", document)
        .await;
    assert_eq!(checked(validated, 200)["warnings"], json!([]));
    let deleted = checked(api.delete(&path).await, 200);
    assert_eq!(deleted["message"], "Skill hello-world deleted");
    api.get(&path).await.assert_error(404, "not_found");
    api.get("/api/skills/a/b/c")
        .await
        .assert_error(404, "not_found");
}

/// Calls each route of chat once. The model must answer each request with "Hello".
pub async fn check_chat_routes(api: &Client) {
    let described = api.get("/api/chat").await.assert_status(200).json();
    assert_eq!(described, json!({"status": "ok", "service": "chat"}));
    let native = json!({"session_id": "chat-routes", "content": "Hi"});
    let events = api.with_header("accept", "text/event-stream");
    let events = events.post("/api/chat", &native).await.assert_status(200);
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    let events = String::from_utf8(events.body).unwrap();
    assert!(events.contains(r#""delta":"Hello""#), "{events}");
    assert!(events.ends_with("data: [DONE]\n\n"), "{events}");
    let original = json!({"message": "Hi", "session_id": "chat-routes"});
    let original = api.post("/api/chat", &original).await.assert_status(200);
    assert_eq!(original.json()["response"], "Hello");

    let path = "/api/chat/chat-routes";
    let turn = api.get(&format!("{path}/turn")).await.assert_status(200);
    assert_eq!(turn.json()["turn"]["status"], "completed");
    let stop = api.post(&format!("{path}/stop"), &json!({})).await;
    assert_eq!(stop.assert_status(200).json()["status"], "completed");
    api.get(&format!("{path}/stream")).await.assert_status(204);
    let usage = api.get("/api/usage").await.assert_status(200);
    assert_eq!(usage.json()["total"]["turns"], 2);
}

/// Calls each route of files once, from put to delete.
pub async fn check_file_routes(api: &Client) {
    // Decoded twice or not at all, these paths would name other files.
    for (in_path, path) in [
        ("notes/a%20b.txt", "notes/a b.txt"),
        ("100%25.txt", "100%.txt"),
    ] {
        let in_path = format!("/api/files/{in_path}");
        let put = api.with_header("content-type", "text/plain");
        let put = put.send(Method::PUT, &in_path, b"hello".to_vec()).await;
        assert_eq!(checked(put, 200)["path"], path);
        let list = checked(api.get("/api/files?volume=user").await, 200);
        assert_eq!(list["files"][0]["path"], path);
        let found = api.get(&in_path).await.assert_status(200);
        assert_eq!(found.body, b"hello");
        assert_eq!(found.header("x-content-type-options"), Some("nosniff"));
        let head = api.send(Method::HEAD, &in_path, Vec::new()).await;
        assert_eq!(head.assert_status(200).header("content-length"), Some("5"));
        let part = api.with_header("range", "bytes=1-2").get(&in_path).await;
        assert_eq!(part.assert_status(206).body, b"el");
        let link = api.post("/api/files/link", &json!({"path": path})).await;
        let link = checked(link, 200)["url"].as_str().unwrap().to_owned();
        assert_eq!(api.get(&link).await.assert_status(200).body, b"hello");
        let deleted = checked(api.delete(&in_path).await, 200);
        assert_eq!(deleted["message"], format!("File {path} deleted"));
        api.get(&in_path).await.assert_error(404, "not_found");
    }
    let event = json!({
        "type": "blob.generate-client-token",
        "payload": {"pathname": "volumes/user/default/files/a", "clientPayload": null},
    });
    let answer = checked(api.post("/api/files/upload", &event).await, 200);
    let token = answer["clientToken"].as_str().unwrap();
    assert!(token.starts_with("vercel_blob_client_local_"), "{token}");
}

/// Calls each route of skills and files.
pub async fn check_skill_and_file_routes(api: &Client) {
    check_skill_routes(api).await;
    check_file_routes(api).await;
}

/// Checks status and round trips of a response and returns its body.
#[track_caller]
fn checked(response: Response, status: u16) -> Value {
    let response = response.assert_status(status);
    assert!(response.round_trips() <= MAX_ROUND_TRIPS, "{response:?}");
    response.json()
}
