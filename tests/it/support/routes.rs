//! What every way of running the service must answer alike: in a function of its own, under `vercel dev`,
//! and as `vercel build` made it.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Client, Redis, Response, write_python_session};

/// The most Redis round trips that a request may cost.
const MAX_ROUND_TRIPS: u32 = 2;

/// Ids that the Python version made of names, and how clients write them in a path.
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

/// Uses each route of sessions and messages once, from create to delete.
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

    // Existing clients send no body here.
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

    let refused = api.post(&path, &json!({})).await;
    assert_eq!(refused.header("allow"), Some("GET,HEAD,PUT,PATCH,DELETE"));
    refused.assert_error(405, "method_not_allowed");

    let deleted = checked(api.delete(&path).await, 200);
    assert_eq!(deleted["message"], format!("Session {id} deleted"));
    api.get(&path).await.assert_error(404, "not_found");
}

/// Reads sessions by ids that only the Python version made.
pub async fn check_old_ids(api: &Client, redis: &Redis) {
    for (id, in_path) in OLD_IDS {
        write_python_session(redis, id, 0);
        let session = checked(api.get(&format!("/api/sessions/{in_path}")).await, 200);
        assert_eq!(session["id"], id);
        assert_eq!(session["messages"][0]["content"], "first");
    }
}

/// The answer's body, after a look at its status and its cost.
#[track_caller]
fn checked(response: Response, status: u16) -> Value {
    let response = response.assert_status(status);
    assert!(response.round_trips() <= MAX_ROUND_TRIPS, "{response:?}");
    response.json()
}
