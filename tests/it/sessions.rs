//! `/api/sessions`: create, find, update, delete.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_created_session_is_found_as_it_was_answered() {
    let app = TestApp::start().await;

    let body =
        json!({"name": "  My Research Session ", "volume": "user", "initial_message": "Hello!"});
    let created = app
        .api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let found = app
        .api
        .get(created.header("location").unwrap())
        .await
        .assert_status(200);

    assert_eq!(created.header("etag"), found.header("etag"));
    assert_eq!(created.json(), found.json());
    assert_eq!(created.json()["name"], "My Research Session");
}
