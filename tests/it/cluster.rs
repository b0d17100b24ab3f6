//! The same service on a Redis Cluster.

mod support;

use serde_json::json;

use self::support::TestApp;

#[tokio::test]
async fn a_session_is_created_found_changed_and_deleted() {
    let app = TestApp::start().await;
    let body = json!({"name": "x", "volume": "user", "initial_message": "y"});
    let created = app
        .api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let path = created.header("location").unwrap().to_owned();
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let _ = app.api.append(&id, "z").await.assert_status(200);
    let changed = json!({"status": "paused"});
    let _ = app.api.patch(&path, &changed).await.assert_status(200);

    let found = app.api.get(&path).await.assert_status(200).json();
    assert_eq!(
        (&found["status"], &found["message_count"]),
        (&json!("paused"), &json!(2))
    );

    let _ = app.api.delete(&path).await.assert_status(200);
    let _ = app.api.get(&path).await.assert_error(404, "not_found");
    assert_eq!(app.redis.keys(), [""; 0]);
}
