//! `/api/sessions`: create, get, update, delete.

#[path = "sessions/batch.rs"]
mod batch;
#[path = "sessions/ids.rs"]
mod ids;
#[path = "sessions/organise.rs"]
mod organise;

use serde_json::{Value, json};

use super::support::TestApp;

#[tokio::test]
async fn created_session_is_returned_unchanged_by_get() {
    let app = TestApp::shared().await;

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
    let session = created.json();
    assert_eq!(session["name"], "My Research Session");
    assert_eq!(session["volume"], "user");
    assert_eq!(session["volume_id"], "default");
    assert_eq!(session["status"], "active");
    assert_eq!(session["metadata"], json!({}));
    assert_eq!(session["traces_count"], 0);
    assert_eq!(session["message_count"], 1);
    assert_eq!(session["created_at"], session["updated_at"]);
    assert!(session["created_at"].as_str().unwrap().ends_with('Z'));
    let message = &session["messages"][0];
    assert_eq!(
        (&message["seq"], &message["role"], &message["content"]),
        (&json!(1), &json!("user"), &json!("Hello!"))
    );
    assert_eq!(
        (&message["traces"], &message["artifacts"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn session_is_stored_under_the_keys_of_the_python_version() {
    let app = TestApp::start().await;

    let body = json!({"name": "x", "volume": "team", "initial_message": "y"});
    let created = app
        .api
        .post("/api/sessions?volume_id=acme", &body)
        .await
        .assert_status(201)
        .json();
    let id = created["id"].as_str().unwrap();

    let document: String = app.redis.command(&["GET", &format!("session:{id}")]);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["id"], id);
    assert_eq!(document["messages"], json!([]));
    let messages: Vec<String> =
        app.redis
            .command(&["LRANGE", &format!("session:{id}:messages"), "0", "-1"]);
    let message: Value = serde_json::from_str(&messages[0]).unwrap();
    assert_eq!(message["content"], "y");
    for set in ["all:sessions", "team:acme:sessions"] {
        assert_eq!(app.redis.command::<Vec<String>>(&["SMEMBERS", set]), [id]);
    }
}

#[tokio::test]
async fn volume_id_is_accepted_in_the_query_or_the_body() {
    let app = TestApp::shared().await;
    let body = json!({"name": "x", "volume": "user", "volume_id": "anna"});

    let created = app
        .api
        .post("/api/sessions", &body)
        .await
        .assert_status(201)
        .json();
    assert_eq!(created["volume_id"], "anna");
    let created = app
        .api
        .post("/api/sessions?volume_id=bert", &body)
        .await
        .assert_status(201)
        .json();
    assert_eq!(created["volume_id"], "bert");
    app.api
        .post(
            "/api/sessions",
            &json!({"name": "x", "volume": "user", "volume_id": "a:b"}),
        )
        .await
        .assert_invalid("volume_id");
}

#[tokio::test]
async fn concurrent_creations_with_the_same_name_create_two_sessions() {
    let app = TestApp::start().await;

    let (one, two) = tokio::join!(app.api.create_session("x"), app.api.create_session("x"));

    assert_ne!(one, two);
    assert_eq!(app.redis.command::<u64>(&["SCARD", "all:sessions"]), 2);
}

#[tokio::test]
async fn metadata_is_returned_as_sent() {
    let app = TestApp::shared().await;
    let metadata = r#"{"z":1.0,"a":9007199254740993,"m":{"y":[1e2,-0.0],"x":null},"é":"\u00e9"}"#;

    let body = format!(r#"{{"name":"x","volume":"user","metadata":{metadata}}}"#);
    let created = app
        .api
        .send_json(axum::http::Method::POST, "/api/sessions", body)
        .await
        .assert_status(201);
    let found = app
        .api
        .get(created.header("location").unwrap())
        .await
        .assert_status(200);

    for answer in [&created, &found] {
        let text = String::from_utf8_lossy(&answer.body);
        assert!(text.contains(&format!("\"metadata\":{metadata}")), "{text}");
    }
}

#[tokio::test]
async fn missing_session_is_404_on_every_route() {
    let app = TestApp::start().await;
    let message = json!({"role": "user", "content": "x"});

    for id in ["sess_none", "a:messages", "%00", "%ff", &"x".repeat(2000)] {
        let path = format!("/api/sessions/{id}");
        let messages = format!("{path}/messages");
        app.api.get(&path).await.assert_error(404, "not_found");
        app.api.delete(&path).await.assert_error(404, "not_found");
        app.api
            .patch(&path, &json!({"name": "x"}))
            .await
            .assert_error(404, "not_found");
        app.api.get(&messages).await.assert_error(404, "not_found");
        app.api
            .post(&messages, &message)
            .await
            .assert_error(404, "not_found");
    }
    assert_eq!(app.redis.keys(), [""; 0]);
}

#[tokio::test]
async fn update_changes_only_the_given_members() {
    let app = TestApp::shared().await;
    let body = json!({"name": "x", "volume": "user", "metadata": {"a": 1, "b": {"c": 2, "d": 3}}});
    let created = app
        .api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let path = created.header("location").unwrap();

    let change = json!({"metadata": {"a": null, "b": {"c": 4}, "e": []}, "status": "paused"});
    let updated = app.api.patch(path, &change).await.assert_status(200).json();

    assert_eq!(updated["metadata"], json!({"b": {"c": 4, "d": 3}, "e": []}));
    assert_eq!(
        (&updated["status"], &updated["name"]),
        (&json!("paused"), &json!("x"))
    );
    assert_eq!(updated["created_at"], created.json()["created_at"]);
    assert!(updated["updated_at"].as_str() > created.json()["updated_at"].as_str());
    assert!(updated.get("messages").is_none());
    let mut found = app.api.get(path).await.assert_status(200).json();
    assert_eq!(
        found.as_object_mut().unwrap().remove("messages"),
        Some(json!([]))
    );
    assert_eq!(found, updated);
}

#[tokio::test]
async fn status_is_accepted_as_a_query_parameter() {
    let app = TestApp::shared().await;
    let session = app.session().await;

    let path = format!("{}?status=completed", session.path());
    let updated = app
        .api
        .send(axum::http::Method::PUT, &path, Vec::new())
        .await
        .assert_status(200);

    assert_eq!(updated.json()["status"], "completed");
    app.api
        .send(
            axum::http::Method::PUT,
            &path.replace("completed", "gone"),
            Vec::new(),
        )
        .await
        .assert_invalid("status");
}

#[tokio::test]
async fn update_without_a_change_writes_nothing() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.path();
    let before = app.api.get(&path).await.assert_status(200);

    let updated = app.api.patch(&path, &json!({})).await.assert_status(200);

    assert_eq!(updated.header("etag"), before.header("etag"));
    assert_eq!(updated.json()["updated_at"], before.json()["updated_at"]);
}

#[tokio::test]
async fn get_with_a_matching_etag_is_304() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.path();
    let tag = app.api.entity_tag(&path).await;

    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"other\", {tag}"),
        "*".to_owned(),
    ] {
        let answer = app
            .api
            .with_header("if-none-match", known)
            .get(&path)
            .await
            .assert_status(304);
        assert_eq!(
            (answer.header("etag"), answer.body.len()),
            (Some(tag.as_str()), 0)
        );
    }
    app.api.append(&session.id, "y").await.assert_status(200);
    let answer = app
        .api
        .with_header("if-none-match", tag.clone())
        .get(&path)
        .await
        .assert_status(200);
    assert_ne!(answer.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn stale_update_is_412_with_the_current_session() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.path();
    let tag = app.api.entity_tag(&path).await;
    let (change, guarded) = (json!({"name": "y"}), app.api.with_header("if-match", tag));

    let first = guarded.put(&path, &change).await.assert_status(200);
    let stale = guarded.put(&path, &json!({"name": "z"})).await;

    assert_eq!(stale.header("etag"), first.header("etag"));
    let problem = stale.assert_error(412, "precondition_failed");
    assert_eq!(problem["current"]["name"], "y");
    let next = app
        .api
        .with_header("if-match", first.header("etag").unwrap());
    next.put(&path, &change).await.assert_status(200);
    app.api
        .with_header("if-match", "*")
        .put(&path, &change)
        .await
        .assert_status(200);
}

#[tokio::test]
async fn concurrent_updates_with_one_etag_succeed_once() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.path();
    let tag = app.api.entity_tag(&path).await;

    let guarded = app.api.with_header("if-match", tag);
    let edits = (0..8).map(|number| {
        let (guarded, path) = (guarded.clone(), path.clone());
        tokio::spawn(async move {
            guarded
                .put(&path, &json!({"name": number.to_string()}))
                .await
                .status
        })
    });
    let mut statuses = Vec::new();
    for edit in edits.collect::<Vec<_>>() {
        statuses.push(edit.await.unwrap().as_u16());
    }

    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}

#[tokio::test]
async fn concurrent_updates_of_different_fields_are_all_kept() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.path();

    let edits = (0..6).map(|number| {
        let (api, path) = (app.api.clone(), path.clone());
        tokio::spawn(async move {
            let change = json!({"metadata": {format!("key{number}"): number}});
            api.patch(&path, &change).await.assert_status(200);
        })
    });
    for edit in edits.collect::<Vec<_>>() {
        edit.await.unwrap();
    }

    let metadata = app.api.get(&path).await.assert_status(200).json()["metadata"].clone();
    assert_eq!(metadata.as_object().unwrap().len(), 6, "{metadata}");
}

#[tokio::test]
async fn merge_patch_over_a_limit_changes_nothing() {
    let app = TestApp::shared().await;
    let body = json!({"name": "x", "volume": "user", "metadata": {"a": "x".repeat(10_000)}});
    let created = app
        .api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let path = created.header("location").unwrap();

    app.api
        .patch(path, &json!({"metadata": {"b": "x".repeat(10_000)}}))
        .await
        .assert_invalid("metadata");

    let found = app.api.get(path).await.assert_status(200);
    assert_eq!(found.header("etag"), created.header("etag"));
}

#[tokio::test]
async fn stale_deletion_is_rejected() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.path();
    let guarded = app
        .api
        .with_header("if-match", app.api.entity_tag(&path).await);
    app.api.append(&session.id, "y").await.assert_status(200);

    let problem = guarded
        .delete(&path)
        .await
        .assert_error(412, "precondition_failed");

    assert_eq!(problem["current"]["message_count"], 1);
    let guarded = app
        .api
        .with_header("if-match", app.api.entity_tag(&path).await);
    guarded.delete(&path).await.assert_status(200);
    guarded.delete(&path).await.assert_error(404, "not_found");
}

#[tokio::test]
async fn deleted_session_leaves_no_key() {
    let app = TestApp::start().await;
    let body = json!({"name": "x", "volume": "user", "initial_message": "y"});
    let created = app
        .api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let path = created.header("location").unwrap();
    let keyed = app.api.with_header("idempotency-key", "k");
    keyed
        .append(created.json()["id"].as_str().unwrap(), "z")
        .await
        .assert_status(200);
    app.api
        .patch(path, &json!({"status": "paused"}))
        .await
        .assert_status(200);
    app.api
        .get("/api/sessions?volume=user")
        .await
        .assert_status(200);

    let deleted = app.api.delete(path).await.assert_status(200).json();

    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(deleted, json!({"message": format!("Session {id} deleted")}));
    assert_eq!(app.redis.keys(), [""; 0]);
    app.api.delete(path).await.assert_error(404, "not_found");
}

#[tokio::test]
async fn deletion_during_appends_leaves_no_orphans() {
    let app = TestApp::start().await;
    for _ in 0..20 {
        let session = app.session().await;
        let appends = (0..8).map(|number| {
            let (api, id) = (app.api.clone(), session.id.clone());
            tokio::spawn(async move { api.append(&id, &number.to_string()).await.status.as_u16() })
        });
        let appends: Vec<_> = appends.collect();
        app.api.delete(&session.path()).await.assert_status(200);
        for append in appends {
            assert!([200, 404].contains(&append.await.unwrap()));
        }
        assert_eq!(app.redis.keys(), [""; 0]);
    }
}
