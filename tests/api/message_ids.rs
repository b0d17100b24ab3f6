//! Messages by their ids: appended once, put, changed in place, deleted, and compared with a client's history.

use axum::http::Method;
use serde_json::{Value, json};

use super::support::{Client, TestApp, write_python_session};

/// Appends messages of a user with these ids, whose content is the id.
async fn append_ids(api: &Client, path: &str, ids: &[&str]) {
    for id in ids {
        let message = json!({"id": id, "role": "user", "content": id});
        api.post(path, &message).await.assert_status(200);
    }
}

#[tokio::test]
async fn retry_after_a_lost_answer_stores_one_message() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let message = json!({"id": "a", "role": "user", "content": "hello", "metadata": {"x": [1.50]}});

    let first = app
        .api
        .post(&path, &message)
        .await
        .assert_status(200)
        .json();
    let again = app
        .api
        .post(&path, &message)
        .await
        .assert_status(200)
        .json();

    assert_eq!(first["messages"], again["messages"]);
    assert_eq!(
        (&first["deduplicated"], &again["deduplicated"]),
        (&json!([]), &json!(["a"]))
    );
    assert_eq!(again["message_count"], 1);
    // In a batch, too: what is new is appended.
    let batch = json!({"messages": [message, {"id": "b", "role": "assistant", "content": "hi"}]});
    let mixed = app.api.post(&path, &batch).await.assert_status(200).json();
    assert_eq!(mixed["deduplicated"], json!(["a"]));
    assert_eq!(mixed["messages"][1]["seq"], 2);
    assert_eq!(mixed["messages"][1]["parent_id"], "a");
}

#[tokio::test]
async fn id_of_another_message_is_a_conflict_that_names_it() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    append_ids(&app.api, &path, &["a"]).await;

    let batch = json!({"messages": [
        {"role": "user", "content": "new"}, {"id": "a", "role": "user", "content": "other"},
    ]});
    let problem = app
        .api
        .post(&path, &batch)
        .await
        .assert_error(409, "message_exists");
    assert!(
        problem["detail"].as_str().unwrap().contains("`a`"),
        "{problem}"
    );
    // All or none.
    assert_eq!(
        app.api.get(&path).await.json()["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn ids_have_rules() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    for id in ["", ".", "..", "a b", "a/b", "ü", &"x".repeat(129)] {
        let message = json!({"id": id, "role": "user", "content": "x"});
        app.api.post(&path, &message).await.assert_invalid("id");
    }
    let reserved = json!({"id": "msg_5", "role": "user", "content": "x"});
    app.api.post(&path, &reserved).await.assert_invalid("id");
    let twice = json!({"messages": [
        {"id": "a", "role": "user", "content": "x"}, {"id": "a", "role": "user", "content": "x"},
    ]});
    app.api
        .post(&path, &twice)
        .await
        .assert_invalid("messages[1].id");
    let parent = json!({"role": "user", "content": "x", "parent_id": "missing"});
    app.api
        .post(&path, &parent)
        .await
        .assert_invalid("parent_id");
    let alone = json!({"role": "user", "content": "x", "activate": false});
    app.api.post(&path, &alone).await.assert_invalid("activate");
    for id in ["A-z_0.9:@~", "msg_x", "...", &"x".repeat(128)] {
        let message = json!({"id": id, "role": "user", "content": "x"});
        app.api.post(&path, &message).await.assert_status(200);
        let message = format!("{path}/{id}");
        assert_eq!(
            app.api.get(&message).await.assert_status(200).json()["id"],
            id
        );
    }
}

#[tokio::test]
async fn answer_saved_five_times_while_it_grows_is_one_message() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    append_ids(&app.api, &path, &["question"]).await;

    let mut tags = Vec::new();
    for step in 1..=5 {
        let text = "word ".repeat(step);
        let status = if step == 5 {
            "completed"
        } else {
            "in_progress"
        };
        let message = json!({
            "role": "assistant", "parts": [{"type": "text", "text": text}], "status": status,
            "parent_id": "question",
        });
        let stored = app.api.put(&format!("{path}/answer"), &message).await;
        let stored = stored.assert_status(if step == 1 { 201 } else { 200 });
        tags.push(stored.header("etag").unwrap().to_owned());
        let stored = stored.json();
        assert_eq!(
            (&stored["seq"], &stored["content"]),
            (&json!(2), &json!(text))
        );
        assert_eq!(
            (&stored["id"], &stored["parent_id"]),
            (&json!("answer"), &json!("question"))
        );
    }
    tags.dedup();
    assert_eq!(tags.len(), 5);
    let list = app.api.get(&path).await;
    assert_eq!(list.messages("id"), ["question", "answer"]);
    assert_eq!(list.messages("status"), ["completed", "completed"]);
    let times = list.messages("updated_at");
    assert!(times[1].as_str() > times[0].as_str());
}

#[tokio::test]
async fn change_keeps_what_it_does_not_name() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let message = json!({
        "id": "a", "role": "assistant", "content": "text", "metadata": {"a": 1, "b": 2},
        "usage": {"input_tokens": 3, "cost": "0.01"}, "model": "m",
    });
    let before = app
        .api
        .post(&path, &message)
        .await
        .assert_status(200)
        .json()["messages"][0]
        .clone();

    let patch = json!({
        "metadata": {"a": null, "c": 3}, "usage": {"output_tokens": 4}, "status": "stopped",
        "feedback": {"type": "positive", "comment": "good"},
    });
    let changed = app
        .api
        .patch(&format!("{path}/a"), &patch)
        .await
        .assert_status(200)
        .json();

    assert_eq!(changed["metadata"], json!({"b": 2, "c": 3}));
    assert_eq!(
        changed["usage"],
        json!({"input_tokens": 3, "cost": "0.01", "output_tokens": 4})
    );
    assert_eq!(changed["status"], "stopped");
    assert_eq!(
        changed["feedback"],
        json!({"type": "positive", "comment": "good"})
    );
    for name in [
        "id",
        "seq",
        "parent_id",
        "role",
        "content",
        "model",
        "timestamp",
    ] {
        assert_eq!(changed[name], before[name], "{name}");
    }
    let back = app
        .api
        .patch(&format!("{path}/a"), &json!({"feedback": null}))
        .await;
    assert!(back.assert_status(200).json().get("feedback").is_none());
    app.api
        .patch(&format!("{path}/b"), &json!({}))
        .await
        .assert_error(404, "not_found");
    app.api
        .patch(&format!("{path}/a"), &json!({"content": ""}))
        .await
        .assert_invalid("content");
    app.api
        .patch(&format!("{path}/a"), &json!({"role": "user"}))
        .await
        .assert_invalid("role");
}

#[tokio::test]
async fn new_content_without_parts_removes_parts_with_the_old_text() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let parts = json!([{"type": "text", "text": "old"}, {"type": "file", "url": "x"}]);
    for id in ["a", "b"] {
        let message = json!({"id": id, "role": "user", "parts": parts});
        app.api.post(&path, &message).await.assert_status(200);
    }
    let one = format!("{path}/a");
    // The content that the parts have already changes nothing.
    let same = json!({"content": "old"});
    let same = app.api.patch(&one, &same).await.assert_status(200).json();
    assert_eq!(same["parts"], parts);
    let new = json!({"content": "new"});
    let changed = app.api.patch(&one, &new).await.assert_status(200).json();
    assert_eq!(
        (&changed["content"], &changed["parts"]),
        (&json!("new"), &json!(null))
    );
    let both = json!({"content": "short", "parts": parts});
    let both = app.api.patch(&one, &both).await.assert_status(200).json();
    assert_eq!(
        (&both["content"], &both["parts"]),
        (&json!("short"), &parts)
    );

    let seen = app.api.get(&format!("{path}/b")).await.json()["updated_at"].clone();
    let item = |content: &str| json!({"messages": [{"id": "b", "role": "user", "content": content, "updated_at": seen}]});
    let merged = app.api.put(&path, &item("old")).await.assert_status(200);
    assert_eq!(merged.json()["unchanged"], json!(["b"]));
    let merged = app.api.put(&path, &item("new")).await.assert_status(200);
    assert_eq!(merged.json()["replaced"], json!(["b"]));
    let found = app.api.get(&format!("{path}/b")).await.json();
    assert_eq!(
        (&found["content"], &found["parts"]),
        (&json!("new"), &json!(null))
    );
}

#[tokio::test]
async fn repeated_put_and_deletion_change_nothing() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let message = json!({"role": "user", "content": "x"});
    let put = |id: &str| {
        let path = format!("{path}/{id}");
        let (api, message) = (app.api.clone(), message.clone());
        async move { api.put(&path, &message).await }
    };
    let created = put("a").await.assert_status(201).json();
    assert_eq!(put("a").await.assert_status(200).json(), created);
    put("b").await.assert_status(201);
    let after = format!("{path}?after=1");
    for deleted in [1, 0] {
        let response = app.api.delete(&after).await.assert_status(200).json();
        assert_eq!(response["deleted"], deleted);
        assert_eq!(response["message_count"], 1);
    }
}

#[tokio::test]
async fn stale_tag_changes_nothing() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    append_ids(&app.api, &path, &["a"]).await;
    let message = format!("{path}/a");
    let old = app.api.entity_tag(&message).await;
    app.api
        .patch(&message, &json!({"content": "new"}))
        .await
        .assert_status(200);

    let stale = app.api.with_header("if-match", &old);
    let body = json!({"role": "user", "content": "late"});
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let body = match method {
            Method::PUT => body.clone(),
            Method::PATCH => json!({"content": "late"}),
            _ => json!({}),
        };
        let response = stale.send_json(method, &message, body.to_string()).await;
        let problem = response.assert_error(412, "precondition_failed");
        assert_eq!(problem["current"]["content"], "new");
    }
    let missing = app.api.with_header("if-match", "*");
    let response = missing.put(&format!("{path}/b"), &body).await;
    assert!(response.assert_error(412, "precondition_failed")["current"].is_null());
    let current = app.api.entity_tag(&message).await;
    app.api
        .with_header("if-match", &current)
        .put(&message, &body)
        .await
        .assert_status(200);
    let known = app.api.entity_tag(&message).await;
    app.api
        .with_header("if-none-match", known)
        .get(&message)
        .await
        .assert_status(304);
}

#[tokio::test]
async fn append_with_the_tag_of_an_older_state_is_rejected() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.messages_path();
    append_ids(&app.api, &path, &["a"]).await;
    let message = json!({"role": "user", "content": "x"});
    // Each change of the session is seen: an append, a replaced message, a deleted one.
    for change in ["append", "replace", "delete"] {
        let seen = app.api.entity_tag(&session.path()).await;
        match change {
            "append" => append_ids(&app.api, &path, &["b"]).await,
            "replace" => {
                let patch = json!({"content": "changed"});
                app.api
                    .patch(&format!("{path}/b"), &patch)
                    .await
                    .assert_status(200);
            }
            _ => {
                app.api
                    .delete(&format!("{path}/b"))
                    .await
                    .assert_status(200);
            }
        }
        let late = app
            .api
            .with_header("if-match", seen)
            .post(&path, &message)
            .await;
        late.assert_error(412, "precondition_failed");
        let tag = app.api.entity_tag(&session.path()).await;
        app.api
            .with_header("if-match", tag)
            .post(&path, &message)
            .await
            .assert_status(200);
    }
}

#[tokio::test]
async fn deleted_message_is_gone_and_never_comes_back() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.messages_path();
    append_ids(&app.api, &path, &["a", "secret", "c"]).await;

    let deleted = app
        .api
        .delete(&format!("{path}/secret"))
        .await
        .assert_status(200)
        .json();

    assert_eq!(
        (&deleted["message_count"], &deleted["last_seq"]),
        (&json!(2), &json!(3))
    );
    let list = app.api.get(&path).await;
    assert_eq!(
        (list.messages("id"), list.messages("seq")),
        (vec![json!("a"), json!("c")], vec![json!(1), json!(3)])
    );
    assert_eq!(list.json()["messages"][1]["parent_id"], "secret");
    let with_deleted = app.api.get(&format!("{path}?deleted=true")).await.json();
    assert_eq!(with_deleted["messages"][1]["deleted"], true);
    assert_eq!(with_deleted["messages"][1]["content"], "");
    let stored: Vec<String> = app
        .redis
        .command(&["LRANGE", &session.messages_key(), "0", "-1"]);
    assert!(
        !stored[1].contains(r#""content":"secret""#),
        "{}",
        stored[1]
    );
    app.api
        .get(&format!("{path}/secret"))
        .await
        .assert_error(404, "not_found");
    app.api
        .delete(&format!("{path}/secret"))
        .await
        .assert_error(404, "not_found");
    app.api
        .patch(&format!("{path}/secret"), &json!({}))
        .await
        .assert_error(404, "not_found");
    let late = json!({"id": "secret", "role": "user", "content": "secret"});
    app.api
        .post(&path, &late)
        .await
        .assert_error(409, "message_deleted");
    app.api
        .put(&format!("{path}/secret"), &late)
        .await
        .assert_error(409, "message_deleted");
    let history = json!({"messages": [late]});
    let merged = app.api.put(&path, &history).await.assert_status(200).json();
    assert_eq!(merged["deleted"], json!(["secret"]));
}

#[tokio::test]
async fn history_of_a_late_client_keeps_newer_messages() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.messages_path();
    append_ids(&app.api, &path, &["a", "b", "newer"]).await;
    let seen = app.api.get(&format!("{path}/b")).await.json()["updated_at"].clone();

    let history = json!({"messages": [
        {"id": "a", "role": "user", "content": "changed without having seen it"},
        {"id": "b", "role": "user", "content": "changed", "updated_at": seen},
        {"id": "x", "role": "user", "content": "new"},
        {"id": "newer", "role": "user"},
    ]});
    let merged = app.api.put(&path, &history).await.assert_status(200).json();

    assert_eq!(merged["appended"], json!(["x"]));
    assert_eq!(merged["replaced"], json!(["b"]));
    assert_eq!(merged["conflicts"], json!(["a"]));
    assert_eq!(merged["unchanged"], json!(["newer"]));
    assert_eq!(merged["message_count"], 4);
    let list = app.api.get(&path).await;
    assert_eq!(list.messages("id"), ["a", "b", "newer", "x"]);
    assert_eq!(list.messages("content"), ["a", "changed", "newer", "new"]);
    // The same again changes nothing.
    let again = app.api.put(&path, &history).await.assert_status(200).json();
    assert_eq!(again["unchanged"], json!(["b", "x", "newer"]));
    // The session's tag says that the client has seen everything; an old one rejects the request.
    let tag = app.api.entity_tag(&session.path()).await;
    let seen_all = app
        .api
        .with_header("if-match", &tag)
        .put(&path, &history)
        .await;
    assert_eq!(seen_all.assert_status(200).json()["replaced"], json!(["a"]));
    let stale = app
        .api
        .with_header("if-match", &tag)
        .put(&path, &history)
        .await;
    stale.assert_error(412, "precondition_failed");
}

#[tokio::test]
async fn messages_without_own_ids_are_found_by_their_generated_ones() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let body =
        json!({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]});
    let ids = app
        .api
        .post(&path, &body)
        .await
        .assert_status(200)
        .messages("id");

    let second = format!("{path}/{}", ids[1].as_str().unwrap());
    assert_eq!(
        app.api.get(&second).await.assert_status(200).json()["content"],
        "b"
    );
    let patched = app
        .api
        .patch(&second, &json!({"content": "B"}))
        .await
        .assert_status(200)
        .json();
    assert_eq!((&patched["id"], &patched["seq"]), (&ids[1], &json!(2)));
    // An id that tells another place names no message.
    let other = ids[1].as_str().unwrap().replace("-2", "-1");
    app.api
        .get(&format!("{path}/{other}"))
        .await
        .assert_error(404, "not_found");
}

#[tokio::test]
async fn ids_that_an_earlier_version_generated_are_found() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let id = "msg_01a2065254e075efb843a48e8c2f92c6";
    for stored in [
        format!(r#"{{"id":"{id}","role":"user","content":"old","timestamp":"2025-12-14T10:00:00Z","traces":null,"artifacts":null}}"#),
        r#"{"role": "user", "content": "python", "timestamp": "2025-12-14T10:00:00Z", "traces": null, "artifacts": null}"#.to_owned(),
    ] {
        app.redis.command::<()>(&["RPUSH", &session.messages_key(), &stored]);
    }
    let path = session.messages_path();
    append_ids(&app.api, &path, &["own"]).await;

    for (id, content) in [(id, "old"), ("msg_2", "python"), ("own", "own")] {
        let found = app
            .api
            .get(&format!("{path}/{id}"))
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            (&found["id"], &found["content"]),
            (&json!(id), &json!(content))
        );
        let changed = app
            .api
            .patch(&format!("{path}/{id}"), &json!({"metadata": {"x": 1}}))
            .await;
        assert_eq!(
            changed.assert_status(200).json()["metadata"],
            json!({"x": 1})
        );
    }
    app.api
        .get(&format!("{path}/msg_01a2065254e075efb843a48e8c2f92c7"))
        .await
        .assert_error(404, "not_found");
    app.api
        .get(&format!("{path}/msg_4"))
        .await
        .assert_error(404, "not_found");
}

#[tokio::test]
async fn messages_that_are_too_large_with_their_content_are_rejected() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let parts = json!([{"type": "text", "text": "x".repeat(900_000)}]);
    let message = json!({"role": "user", "parts": parts});
    let three = json!({"messages": vec![message.clone(); 3]});
    app.api
        .post(&path, &three)
        .await
        .assert_invalid("messages[0].parts");
    let two = json!({"messages": vec![message; 2]});
    let stored = app.api.post(&path, &two).await.assert_status(200);
    assert!(stored.body.len() < 4_500_000);
}

#[tokio::test]
async fn python_session_is_changed_by_id_and_branched() {
    let app = TestApp::start().await;
    write_python_session(&app.redis, "sess_x_1", 0);
    let path = "/api/sessions/sess_x_1/messages";

    let put = json!({"role": "user", "content": "edited"});
    let stored = app
        .api
        .put(&format!("{path}/msg_2"), &put)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&stored["id"], &stored["parent_id"]),
        (&json!("msg_2"), &json!("msg_1"))
    );
    let version = json!({"id": "v2", "role": "user", "content": "other", "parent_id": "msg_1"});
    app.api.post(path, &version).await.assert_status(200);
    let list = app.api.get(path).await;
    assert_eq!(list.messages("id"), ["msg_1", "v2"]);
    assert_eq!(
        list.json()["messages"][1]["siblings"],
        json!(["msg_2", "v2"])
    );
    // What Python appends is the newest message, whose parent is the one before.
    app.api
        .put(
            "/api/sessions/sess_x_1/branch",
            &json!({"message_id": "msg_2"}),
        )
        .await
        .assert_status(200);
    let python = r#"{"role": "user", "content": "python", "timestamp": "2025-12-14T10:00:00Z", "traces": null, "artifacts": null}"#;
    app.redis
        .command::<()>(&["RPUSH", "session:sess_x_1:messages", python]);
    assert_eq!(
        app.api.get(path).await.messages("id"),
        ["msg_1", "v2", "msg_4"]
    );
}

#[tokio::test]
async fn parts_of_the_maximum_are_kept_to_the_letter() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let deep = format!("{}{}", "[".repeat(30), "]".repeat(30));
    let large = "é".repeat(500_000);
    let long_key = "k".repeat(10_000);
    let parts = format!(
        r#"[{{"type":"x","__proto__":{{"a":1.50}},"":2e5,"{long_key}":"\u00e9"}},{{"type":"deep","data":{deep}}},{{"type":"text","text":"{large}"}}]"#
    );
    let body = format!(r#"{{"id":"a","role":"assistant","parts":{parts}}}"#);
    app.api
        .send_json(Method::POST, &path, body)
        .await
        .assert_status(200);

    let found = app.api.get(&format!("{path}/a")).await.assert_status(200);
    let text = String::from_utf8_lossy(&found.body).into_owned();
    assert!(text.contains(&format!(r#""parts":{parts},"#)));
    assert_eq!(found.json()["content"].as_str().unwrap().len(), 1_000_000);
    let deeper = json!({"role": "user", "parts": [{"type": "x", "data": serde_json::from_str::<Value>(&format!("[{deep}]")).unwrap()}]});
    app.api.post(&path, &deeper).await.assert_invalid("parts");
}
