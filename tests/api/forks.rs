//! New sessions with messages: created with them, or forked from another session.

use serde_json::{Value, json};

use super::support::{TestApp, write_python_session};

#[tokio::test]
async fn session_is_created_with_its_messages() {
    let app = TestApp::shared().await;
    let new = json!({"name": "x", "volume": "user", "messages": [
        {"id": "a", "role": "system", "content": "be brief"},
        {"role": "user", "parts": [{"type": "text", "text": "hello"}]},
        {"id": "c", "role": "assistant", "content": "hi", "parent_id": null},
    ]});
    app.api
        .post("/api/sessions", &new)
        .await
        .assert_invalid("messages[2].parent_id");
    let mut new = new;
    new["messages"][2]
        .as_object_mut()
        .unwrap()
        .remove("parent_id");

    let keyed = app
        .api
        .with_header("idempotency-key", uuid::Uuid::now_v7().to_string());
    let created = keyed.post("/api/sessions", &new).await.assert_status(201);
    let again = keyed.post("/api/sessions", &new).await.assert_status(201);

    assert_eq!(created.body, again.body);
    assert_eq!(created.header("etag"), again.header("etag"));
    let session = created.json();
    assert_eq!(
        (&session["message_count"], &session["last_seq"]),
        (&json!(3), &json!(3))
    );
    let path = format!("/api/sessions/{}", session["id"].as_str().unwrap());
    let found = app.api.get(&path).await.assert_status(200);
    assert_eq!(found.json(), session);
    assert_eq!(found.messages("seq"), [1, 2, 3]);
    assert_eq!(found.messages("content"), ["be brief", "hello", "hi"]);
    let second = found.messages("id")[1].clone();
    assert_eq!(
        found.messages("parent_id"),
        [Value::Null, json!("a"), second]
    );
    // The ids are known: a repeated message is not stored again.
    let repeated = json!({"id": "c", "role": "assistant", "content": "hi"});
    let repeated = app
        .api
        .post(&format!("{path}/messages"), &repeated)
        .await
        .assert_status(200)
        .json();
    assert_eq!(repeated["deduplicated"], json!(["c"]));
}

#[tokio::test]
async fn messages_of_a_new_session_have_rules() {
    let app = TestApp::shared().await;
    let with = |members: Value| {
        let mut new = json!({"name": "x", "volume": "user"});
        new.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        new
    };
    let message = json!({"role": "user", "content": "x"});
    for (members, field) in [
        (json!({"messages": vec![message.clone(); 101]}), "messages"),
        (
            json!({"messages": [message], "initial_message": "x"}),
            "initial_message",
        ),
        (
            json!({"messages": [{"role": "user"}]}),
            "messages[0].content",
        ),
        (
            json!({"messages": [{"id": "msg_1", "role": "user", "content": "x"}]}),
            "messages[0].id",
        ),
        (
            json!({"messages": [{"id": "a b", "role": "user", "content": "x"}]}),
            "messages[0].id",
        ),
        (
            json!({"messages": [{"role": "user", "content": "x", "contents": "x"}]}),
            "messages[0].contents",
        ),
    ] {
        app.api
            .post("/api/sessions", &with(members))
            .await
            .assert_invalid(field);
    }
    app.api
        .post("/api/sessions", &with(json!({"messages": []})))
        .await
        .assert_status(201);
}

#[tokio::test]
async fn delete_then_fork_then_switch_back() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.messages_path();
    for (id, parent) in [
        ("a", None),
        ("b", None),
        ("c", None),
        ("b2", Some("a")),
        ("c2", None),
    ] {
        let mut message = json!({"id": id, "role": "user", "content": id, "metadata": {"of": id}});
        if let Some(parent) = parent {
            message["parent_id"] = json!(parent);
        }
        app.api.post(&path, &message).await.assert_status(200);
    }
    app.api
        .delete(&format!("{path}/b2"))
        .await
        .assert_status(200);

    let fork = json!({"name": "Fork"});
    let forked = app
        .api
        .post(&format!("{}/fork", session.path()), &fork)
        .await
        .assert_status(201);
    let fork_path = forked.header("location").unwrap().to_owned();
    let forked = forked.json();
    assert_eq!(
        forked["forked_from"],
        json!({"session_id": session.id, "message_id": "c2"})
    );
    assert_eq!(
        (
            &forked["name"],
            &forked["message_count"],
            &forked["last_seq"]
        ),
        (&json!("Fork"), &json!(2), &json!(2))
    );
    let found = app.api.get(&fork_path).await.assert_status(200);
    assert_eq!(found.messages("id"), ["a", "c2"]);
    assert_eq!(found.messages("seq"), [1, 2]);
    assert_eq!(found.messages("parent_id"), [Value::Null, json!("a")]);
    assert_eq!(found.messages("metadata")[1], json!({"of": "c2"}));
    assert_eq!(found.json()["forked_from"], forked["forked_from"]);

    app.api
        .put(
            &format!("{}/branch", session.path()),
            &json!({"message_id": "b"}),
        )
        .await
        .assert_status(200);
    assert_eq!(app.api.get(&path).await.messages("id"), ["a", "b", "c"]);
    // The fork is a session of its own.
    app.api
        .post(
            &format!("{fork_path}/messages"),
            &json!({"id": "b", "role": "user", "content": "new"}),
        )
        .await
        .assert_status(200);
    assert_eq!(
        app.api.get(&path).await.messages("content"),
        ["a", "b", "c"]
    );
    let up_to = json!({"message_id": "b"});
    let forked = app
        .api
        .post(&format!("{}/fork", session.path()), &up_to)
        .await
        .assert_status(201)
        .json();
    assert_eq!(
        (&forked["message_count"], &forked["name"]),
        (&json!(2), &json!("x"))
    );
    let missing = json!({"message_id": "missing"});
    app.api
        .post(&format!("{}/fork", session.path()), &missing)
        .await
        .assert_error(404, "not_found");
    let gone = json!({"message_id": "b2"});
    app.api
        .post(&format!("{}/fork", session.path()), &gone)
        .await
        .assert_error(404, "not_found");
}

#[tokio::test]
async fn fork_is_repeatable_and_bounded() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let fork = format!("{}/fork", session.path());
    let keyed = app
        .api
        .with_header("idempotency-key", uuid::Uuid::now_v7().to_string());
    let first = keyed
        .post(&fork, &json!({}))
        .await
        .assert_status(201)
        .json();
    let again = keyed
        .post(&fork, &json!({}))
        .await
        .assert_status(201)
        .json();
    assert_eq!(first["id"], again["id"]);
    assert_eq!(first["forked_from"]["message_id"], Value::Null);
    app.api
        .post(&fork, &json!({"volume_id": "x"}))
        .await
        .assert_invalid("volume");

    let text = r#"{"role": "user", "content": "x", "timestamp": "2025-12-14T10:00:00Z", "traces": null, "artifacts": null}"#;
    let push = |count: usize| {
        let mut command = vec!["RPUSH".to_owned(), session.messages_key()];
        command.extend(vec![text.to_owned(); count]);
        command
    };
    app.redis.command::<()>(&push(10_000));
    let forked = app
        .api
        .post(&fork, &json!({}))
        .await
        .assert_status(201)
        .json();
    assert_eq!(forked["message_count"], 10_000);
    let path = format!("/api/sessions/{}/messages", forked["id"].as_str().unwrap());
    let last = app
        .api
        .get(&format!("{path}/msg_10000"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(last["seq"], 10_000);
    app.redis.command::<()>(&push(1));
    app.api
        .post(&fork, &json!({}))
        .await
        .assert_invalid("message_id");
}

#[tokio::test]
async fn python_session_is_forked_with_its_ids() {
    let app = TestApp::start().await;
    write_python_session(&app.redis, "sess_x_1", 0);
    let path = "/api/sessions/sess_x_1";
    app.api
        .delete(&format!("{path}/messages/msg_1"))
        .await
        .assert_status(200);

    let forked = app
        .api
        .post(&format!("{path}/fork"), &json!({}))
        .await
        .assert_status(201)
        .json();
    let fork = format!("/api/sessions/{}", forked["id"].as_str().unwrap());
    let found = app.api.get(&fork).await.assert_status(200);
    assert_eq!(
        (found.messages("id"), found.messages("seq")),
        (vec![json!("msg_2")], vec![json!(1)])
    );
    assert_eq!(
        found.json()["metadata"],
        json!({"z": 1.0, "a": 9_007_199_254_740_993_u64})
    );
    assert_eq!(
        app.api.get(&format!("{fork}/messages/msg_2")).await.json()["content"],
        "second"
    );
    app.api
        .get(&format!("{fork}/messages/msg_1"))
        .await
        .assert_error(404, "not_found");
}
