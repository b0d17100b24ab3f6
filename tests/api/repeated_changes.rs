//! Conditional writes that a client repeats because the response was lost.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{BlobServer, Client, Fault, Response, SkillsApp, TestApp, in_process};

const REPLAYED: &str = "idempotency-replayed";

/// Sends a request twice, as a client does that lost the first response. Returns both responses.
async fn twice(api: &Client, method: &Method, path: &str, body: &str) -> [Response; 2] {
    let send = || api.send(method.clone(), path, body.as_bytes().to_vec());
    [send().await, send().await]
}

/// Checks that the repeated request succeeded with the state of the first one.
#[track_caller]
fn check_repeated([first, again]: [Response; 2], status: u16) -> Value {
    let (first, again) = (first.assert_status(status), again.assert_status(status));
    assert_eq!(first.header(REPLAYED), None);
    assert_eq!(again.header(REPLAYED), Some("true"));
    assert_eq!(first.header("etag"), again.header("etag"));
    assert_eq!(first.json(), again.json());
    again.json()
}

#[tokio::test]
async fn repeated_update_of_a_session_with_an_outdated_version_succeeds() {
    let app = TestApp::shared().await;
    for change in [
        json!({"name": "A \"new\" näme"}),
        json!({"status": "paused"}),
        json!({"metadata": {"b": {"c": 1.50}, "gone": null}}),
        json!({"name": "x", "status": "completed", "metadata": {"n": 9007199254740993_u64}}),
    ] {
        let new =
            json!({"name": "x", "volume": "user", "metadata": {"a": 1, "gone": 2, "b": {"d": []}}});
        let created = app.api.post("/api/sessions", &new).await.assert_status(201);
        let path = created.header("location").unwrap();
        let api = app
            .api
            .with_header("if-match", created.header("etag").unwrap());
        let keyed = api.with_header("idempotency-key", "key-1");
        for method in [Method::PATCH, Method::PUT] {
            let first = keyed
                .send_json(method.clone(), path, change.to_string())
                .await;
            let again = keyed.send_json(method, path, change.to_string()).await;
            assert_eq!(first.assert_status(200).json(), again.json());
            assert_eq!(again.assert_status(200).header(REPLAYED), Some("true"));
        }
        // Another change, or no key: the version is outdated.
        let other = keyed.patch(path, &json!({"metadata": {"a": 2}})).await;
        other.assert_error(412, "precondition_failed");
        let unkeyed = api.patch(path, &change).await;
        unkeyed.assert_error(412, "precondition_failed");
    }
}

#[tokio::test]
async fn repeated_update_of_a_session_that_changed_meanwhile_fails() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.path();
    let tag = app.api.entity_tag(&path).await;
    let keyed = app
        .api
        .with_header("if-match", tag)
        .with_header("idempotency-key", "key-1");
    let change = json!({"name": "mine"});
    keyed.patch(&path, &change).await.assert_status(200);
    app.api
        .append(&session.id, "hello")
        .await
        .assert_status(200);
    // A new message does not undo the change.
    let again = keyed.patch(&path, &change).await.assert_status(200);
    assert_eq!(again.json()["message_count"], 1);
    app.api
        .patch(&path, &json!({"name": "theirs"}))
        .await
        .assert_status(200);
    let lost = keyed.patch(&path, &change).await;
    let problem = lost.assert_error(412, "precondition_failed");
    assert_eq!(problem["current"]["name"], "theirs");
}

#[tokio::test]
async fn repeated_change_of_a_skill_with_an_outdated_version_succeeds() {
    let app = SkillsApp::start().await;
    let document = "---\nname: One\ndescription: Changed\n---\nText.\n";
    for (content_type, body) in [
        ("text/markdown", document.to_owned()),
        (
            "application/json",
            json!({"description": "Again", "tags": ["a"]}).to_string(),
        ),
    ] {
        let path = "/api/skills/one";
        app.put(
            "volumes/user/default/skills/one.md",
            "---\nname: One\n---\n",
        )
        .await;
        let api = app.api.with_header("content-type", content_type);
        let api = api.with_header("if-match", app.api.entity_tag(path).await);
        let keyed = api.with_header("idempotency-key", "key-1");
        check_repeated(twice(&keyed, &Method::PUT, path, &body).await, 200);
        let unkeyed = api.send(Method::PUT, path, body.clone().into_bytes()).await;
        unkeyed.assert_error(412, "precondition_failed");
        app.api
            .patch(path, &json!({"description": "Theirs"}))
            .await
            .assert_status(200);
        let stale = keyed.send(Method::PUT, path, body.into_bytes()).await;
        let problem = stale.assert_error(412, "precondition_failed");
        assert_eq!(problem["current"]["description"], "Theirs");
    }
}

#[tokio::test]
async fn repeated_conditional_put_of_a_file_succeeds() {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    let path = "/api/files/a.txt";
    let keyed = api.with_header("idempotency-key", "key-1");
    let new = keyed.with_header("if-none-match", "*");
    check_repeated(twice(&new, &Method::PUT, path, "one").await, 201);
    let taken = api.with_header("if-none-match", "*");
    for (api, body) in [(&new, "two"), (&new, "ones"), (&taken, "one")] {
        let taken = api.send(Method::PUT, path, body.into()).await;
        taken.assert_error(412, "precondition_failed");
    }

    let changed = keyed.with_header("if-match", api.entity_tag(path).await);
    let file = check_repeated(twice(&changed, &Method::PUT, path, "two").await, 200);
    assert_eq!(
        (&file["size_bytes"], &file["content_type"]),
        (&json!(3), &json!("text/plain"))
    );
    for body in ["", "owt", "one"] {
        let stale = changed.send(Method::PUT, path, body.into()).await;
        stale.assert_error(412, "precondition_failed");
    }
    // The same contents with another type are another state.
    let typed = changed.with_header("content-type", "text/csv");
    let stale = typed.send(Method::PUT, path, b"two".to_vec()).await;
    stale.assert_error(412, "precondition_failed");
    let large = changed
        .send(Method::PUT, path, vec![0; (4 << 20) + 1])
        .await;
    large.assert_error(413, "payload_too_large");
    assert_eq!(api.get(path).await.assert_status(200).body, b"two");
}

#[tokio::test]
async fn conditional_put_whose_response_from_blob_is_lost_succeeds_when_it_is_repeated() {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    let path = "/api/files/a.txt";
    api.send(Method::PUT, path, b"one".to_vec())
        .await
        .assert_status(200);
    let changed = api.with_header("if-match", api.entity_tag(path).await);
    let changed = changed.with_header("idempotency-key", "key-1");
    store.fail_with(|parts| match parts.method {
        Method::PUT => Fault::LoseAnswer,
        _ => Fault::Pass,
    });
    let lost = changed.send(Method::PUT, path, b"two".to_vec()).await;
    assert!([200, 503].contains(&lost.status.as_u16()), "{lost:?}");
    store.heal();
    let again = changed.send(Method::PUT, path, b"two".to_vec()).await;
    assert_eq!(again.assert_status(200).header(REPLAYED), Some("true"));
}
