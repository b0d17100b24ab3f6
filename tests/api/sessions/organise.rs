//! Members that organise sessions: names, tags, pinned and archived sessions.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::support::{TestApp, write_python_session};

/// Returns the members of a session with these names.
fn members<const N: usize>(session: &Value, names: [&str; N]) -> [Value; N] {
    names.map(|name| session[name].clone())
}

const ORGANISED: [&str; 4] = ["title_source", "pinned", "archived", "tags"];

fn defaults() -> [Value; 4] {
    [json!("client"), json!(false), json!(false), json!([])]
}

#[tokio::test]
async fn session_without_a_name_is_a_new_chat() {
    let app = TestApp::shared().await;
    for body in [
        json!({"volume": "user"}),
        json!({"name": null, "volume": "user"}),
    ] {
        let created = app.api.post("/api/sessions", &body).await;
        let created = created.assert_status(201);
        let session = created.json();
        assert_eq!(session["name"], "New chat");
        assert_eq!(session["title_source"], "default");
        let path = created.header("location").unwrap();
        assert_eq!(app.api.get(path).await.json(), session);
    }
    let body = json!({"name": "", "volume": "user"});
    let rejected = app.api.post("/api/sessions", &body).await;
    rejected.assert_invalid("name");
}

#[tokio::test]
async fn title_source_follows_the_name() {
    let app = TestApp::shared().await;
    let body = json!({"volume": "user"});
    let created = app.api.post("/api/sessions", &body).await;
    let created = created.assert_status(201);
    let path = created.header("location").unwrap();
    for (change, name, source) in [
        (json!({"status": "paused"}), "New chat", "default"),
        (json!({"name": "A", "title_source": "model"}), "A", "model"),
        (json!({"pinned": true}), "A", "model"),
        (json!({"name": "B"}), "B", "client"),
        (
            json!({"name": "C", "title_source": "default"}),
            "C",
            "default",
        ),
        (json!({"name": "D", "title_source": null}), "D", "client"),
    ] {
        for method in [Method::PATCH, Method::PUT] {
            let changed = app.api.send_json(method, path, change.to_string()).await;
            let session = changed.assert_status(200).json();
            let expected = [json!(name), json!(source)];
            assert_eq!(members(&session, ["name", "title_source"]), expected);
        }
        let found = app.api.get(path).await.json();
        assert_eq!(found["title_source"], source, "{change}");
    }
    for change in [
        json!({"title_source": "model"}),
        json!({"name": null, "title_source": "model"}),
        json!({"name": "x", "title_source": "human"}),
        json!({"name": "x", "title_source": 1}),
    ] {
        let rejected = app.api.patch(path, &change).await;
        rejected.assert_invalid("title_source");
        let mut new = change;
        new["volume"] = json!("user");
        let rejected = app.api.post("/api/sessions", &new).await;
        rejected.assert_invalid("title_source");
    }
    let new = json!({"name": "x", "title_source": "model", "volume": "user"});
    let created = app.api.post("/api/sessions", &new).await;
    let created = created.assert_status(201).json();
    assert_eq!(created["title_source"], "model");
}

#[tokio::test]
async fn pinned_archived_and_tags_are_stored_and_changed() {
    let app = TestApp::start().await;
    let body = json!({
        "name": "x", "volume": "user", "pinned": true, "archived": true, "tags": [" work ", "cafe\u{301}", "work"],
    });
    let created = app.api.post("/api/sessions", &body).await;
    let created = created.assert_status(201);
    let path = created.header("location").unwrap();
    let expected = [
        json!("client"),
        json!(true),
        json!(true),
        json!(["work", "caf\u{e9}"]),
    ];
    assert_eq!(members(&created.json(), ORGANISED), expected);
    assert_eq!(app.api.get(path).await.json(), created.json());

    for (change, expected) in [
        (
            json!({"pinned": false}),
            json!([false, true, ["work", "café"]]),
        ),
        (
            json!({"archived": false, "tags": null}),
            json!([false, false, ["work", "café"]]),
        ),
        (
            json!({"tags": ["b", "a"]}),
            json!([false, false, ["b", "a"]]),
        ),
        (
            json!({"tags": [], "pinned": true}),
            json!([true, false, []]),
        ),
    ] {
        let changed = app.api.patch(path, &change).await.assert_status(200);
        let session = changed.json();
        let changed = members(&session, ["pinned", "archived", "tags"]);
        assert_eq!(json!(changed), expected);
        let mut found = app.api.get(path).await.json();
        found.as_object_mut().unwrap().remove("messages");
        assert_eq!(found, session);
        let listed = app.api.get("/api/sessions?archived=all").await.json();
        assert_eq!(listed["sessions"][0], session);
    }
}

#[tokio::test]
async fn invalid_organising_members_are_rejected() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let many: Vec<String> = (0..33).map(|number| number.to_string()).collect();
    for (member, value, field) in [
        ("pinned", json!("yes"), "pinned"),
        ("pinned", json!(1), "pinned"),
        ("archived", json!("true"), "archived"),
        ("tags", json!("work"), "tags"),
        ("tags", json!([1]), "tags[0]"),
        ("tags", json!(["a", ""]), "tags[1]"),
        ("tags", json!(["a\u{7}"]), "tags[0]"),
        ("tags", json!(["a\u{0}"]), "tags[0]"),
        ("tags", json!(["x".repeat(65)]), "tags[0]"),
        ("tags", json!(many), "tags"),
    ] {
        let mut body = json!({"name": "x", "volume": "user"});
        body[member] = value.clone();
        let rejected = app.api.post("/api/sessions", &body).await;
        rejected.assert_invalid(field);
        let change = json!({member: value});
        let rejected = app.api.patch(&session.path(), &change).await;
        rejected.assert_invalid(field);
    }
}

#[tokio::test]
async fn python_session_has_the_defaults_and_can_be_organised() {
    let app = TestApp::start().await;
    write_python_session(&app.redis, "sess_x_1", 0);
    let path = "/api/sessions/sess_x_1";
    let found = app.api.get(path).await.assert_status(200).json();
    assert_eq!(members(&found, ORGANISED), defaults());
    assert!(found.get("forked_from").is_none());

    let change = json!({"pinned": true, "archived": true, "tags": ["old"]});
    let changed = app.api.patch(path, &change).await.assert_status(200).json();
    let expected = [json!("client"), json!(true), json!(true), json!(["old"])];
    assert_eq!(members(&changed, ORGANISED), expected);
    let document: String = app.redis.command(&["GET", "session:sess_x_1"]);
    assert!(document.contains(r#""custom":{"kept": [1.50, null]}"#));
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["messages"][0]["content"], "stale");
}

#[tokio::test]
async fn malformed_organising_members_of_a_document_count_as_missing() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let document: String = app.redis.command(&["GET", &session.key()]);
    for members_text in [
        r#""pinned":"yes","archived":1,"tags":"a","title_source":5,"forked_from":"x""#,
        r#""pinned":null,"archived":{},"tags":[1],"title_source":"x","forked_from":[]"#,
        r#""pinned":[],"archived":"","tags":[""],"title_source":null,"forked_from":{"session_id":1}"#,
    ] {
        let text = document.replacen('{', &format!("{{{members_text},"), 1);
        app.redis.command::<()>(&["SET", &session.key(), &text]);
        for path in [session.path(), "/api/sessions?limit=1".to_owned()] {
            let found = app.api.get(&path).await.assert_status(200).json();
            let found = found.get("sessions").map_or(&found, |list| &list[0]);
            assert_eq!(members(found, ORGANISED), defaults(), "{members_text}");
            assert!(found.get("forked_from").is_none());
        }
        let change = json!({"tags": ["a"]});
        let changed = app.api.patch(&session.path(), &change).await;
        assert_eq!(changed.assert_status(200).json()["tags"], json!(["a"]));
    }
}

#[tokio::test]
async fn origin_of_a_fork_is_returned() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let document: String = app.redis.command(&["GET", &session.key()]);
    let origin = json!({"session_id": "sess_1", "message_id": "msg_1"});
    let text = document.replacen('{', &format!("{{\"forked_from\":{origin},"), 1);
    app.redis.command::<()>(&["SET", &session.key(), &text]);
    let found = app.api.get(&session.path()).await.assert_status(200);
    assert_eq!(found.json()["forked_from"], origin);
}
