//! Members of bodies that a route does not have, and members that every write of a resource has.

use axum::http::Method;
use serde_json::{Value, json};

use super::{fields, operations, without_storage};
use crate::support::{Client, SkillsApp, TestApp};

/// Returns the schema of a JSON request body; `None` if the operation has none.
fn body_schema(document: &Value, operation: &Value) -> Option<Value> {
    let content = &operation["requestBody"]["content"]["application/json"];
    let schema = content.get("schema")?;
    Some(resolved(document, schema))
}

fn resolved(document: &Value, schema: &Value) -> Value {
    match schema["$ref"].as_str() {
        Some(path) => document
            .pointer(path.trim_start_matches('#'))
            .unwrap()
            .clone(),
        None => schema.clone(),
    }
}

#[tokio::test]
async fn unknown_members_of_any_body_are_rejected_by_name() {
    let api = without_storage();
    let mut count = 0;
    for operation in operations() {
        if operation.description["requestBody"]["content"]["application/json"].is_null() {
            continue;
        }
        count += 1;
        let body = json!({"nme": "x", "Name": "y"}).to_string();
        let response = api
            .send_json(operation.method.clone(), &operation.path, body)
            .await;
        let problem = response.assert_error(422, "validation_failed");
        assert_eq!(fields(&problem), ["Name", "nme"], "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("`Name`, `nme`"), "{detail}");
    }
    assert_eq!(count, 21);
}

#[test]
fn schemas_of_bodies_are_closed() {
    let document = llmos::openapi::document();
    for operation in operations() {
        let Some(schema) = body_schema(&document, &operation.description) else {
            continue;
        };
        let forms = ["oneOf", "anyOf"].map(|form| schema[form].as_array().cloned());
        let mut forms: Vec<Value> = forms.into_iter().flatten().flatten().collect();
        if forms.is_empty() {
            forms.push(schema);
        }
        for form in forms {
            let form = resolved(&document, &form);
            // Bodies of other people's clients of chat have members of the application.
            let is_open =
                operation.path == "/api/chat" && form["required"] != json!(["session_id"]);
            assert_eq!(
                form["additionalProperties"], is_open,
                "{} {form}",
                operation.path
            );
        }
    }
}

#[tokio::test]
async fn unknown_members_within_a_batch_are_rejected_with_their_paths() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let batch = json!({"messages": [
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b", "contents": "x", "_id": "msg_1"},
        {"role": "user", "content": "c", "trace": [1]},
    ]});
    let problem = app
        .api
        .post(&path, &batch)
        .await
        .assert_error(422, "validation_failed");
    let mut named = fields(&problem);
    named.sort_unstable();
    assert_eq!(
        named,
        [
            "messages[1]._id",
            "messages[1].contents",
            "messages[2].trace"
        ]
    );

    let both = json!({"role": "user", "content": "a", "messages": []});
    let problem = app
        .api
        .post(&path, &both)
        .await
        .assert_error(422, "validation_failed");
    assert_eq!(fields(&problem), ["content", "role"]);

    let list = app.api.get(&path).await.assert_status(200).json();
    assert_eq!(list["messages"], json!([]));
}

#[tokio::test]
async fn unknown_members_of_a_client_payload_are_rejected_and_those_of_the_protocol_pass() {
    let app = SkillsApp::start().await;
    let ask = async |payload: Value| {
        let event = json!({"type": "blob.generate-client-token", "payload": payload});
        app.api.post("/api/files/upload", &event).await
    };
    let pathname = "volumes/user/default/files/a";
    let payload = json!({
        "pathname": pathname, "clientPayload": r#"{"size": 5}"#, "multipart": true, "callbackUrl": "http://x",
    });
    ask(payload).await.assert_status(200);
    let payload = json!({"pathname": pathname, "clientPayload": r#"{"size": 5, "contentType": "text/plain"}"#});
    let problem = ask(payload).await.assert_error(422, "validation_failed");
    assert_eq!(fields(&problem), ["payload.clientPayload.contentType"]);
}

#[tokio::test]
async fn members_of_the_application_have_any_name() {
    let app = TestApp::shared().await;
    let body = json!({"name": "x", "volume": "user", "metadata": {"any": {"name": 1}}});
    let created = app
        .api
        .post("/api/sessions", &body)
        .await
        .assert_status(201);
    let path = created.header("location").unwrap();
    let message =
        json!({"role": "tool", "content": "x", "traces": {"any": 1}, "artifacts": [{"any": 2}]});
    let messages = format!("{path}/messages");
    app.api.post(&messages, &message).await.assert_status(200);
}

/// Returns the members of a schema that a request of this operation may have.
fn properties(document: &Value, method: &str, path: &str) -> Vec<String> {
    let schema = body_schema(document, &document["paths"][path][method]).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}

#[test]
fn creation_has_every_member_of_a_change() {
    let document = llmos::openapi::document();
    for (collection, resource) in [
        ("/api/sessions", "/api/sessions/{id}"),
        ("/api/skills", "/api/skills/{id}"),
    ] {
        let creation = properties(&document, "post", collection);
        for member in properties(&document, "put", resource) {
            assert!(
                creation.contains(&member),
                "POST {collection} lacks {member}"
            );
        }
    }
}

#[tokio::test]
async fn created_session_has_the_given_status() {
    let app = TestApp::start().await;
    let create = async |status: Value| {
        let body = json!({"name": "x", "volume": "user", "status": status});
        app.api.post("/api/sessions", &body).await
    };
    for status in ["active", "paused", "completed"] {
        let created = create(json!(status)).await.assert_status(201).json();
        assert_eq!(created["status"], status);
        let list = app.api.get(&format!("/api/sessions?status={status}")).await;
        let list = list.assert_status(200).json();
        assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(list["sessions"][0]["id"], created["id"]);
    }
    let default = create(Value::Null).await.assert_status(201).json();
    assert_eq!(default["status"], "active");
    create(json!("done")).await.assert_invalid("status");
}

/// The fields of a skill that a change has.
fn all_fields() -> Value {
    json!({
        "name": "All", "description": "d", "code": "1", "language": "js", "tags": ["a"], "category": "k: v",
        "keywords": ["b", "c"], "version": "1.10", "author": "me", "type": "node", "execution_mode": "sync",
        "inputs": [{"name": "rows", "default": 1.50}], "outputs": [{"name": "image"}],
    })
}

async fn without_times(api: &Client, path: &str) -> Value {
    let mut skill = api.get(path).await.assert_status(200).json();
    for member in ["id", "etag", "created_at", "updated_at"] {
        skill.as_object_mut().unwrap().remove(member);
    }
    skill
}

#[tokio::test]
async fn created_skill_equals_a_skill_that_was_changed_to_it() {
    let app = SkillsApp::start().await;
    let new = all_fields();
    app.api.post("/api/skills", &new).await.assert_status(201);
    let base = json!({"id": "other", "name": "x", "description": "", "code": "", "tags": null});
    app.api.post("/api/skills", &base).await.assert_status(201);
    let changed = app.api.put("/api/skills/other", &new).await;
    changed.assert_status(200);

    let created = without_times(&app.api, "/api/skills/all").await;
    for (member, value) in new.as_object().unwrap() {
        assert_eq!(&created[member], value, "{member}");
    }
    assert_eq!(created["warnings"], json!([]));
    let changed = without_times(&app.api, "/api/skills/other").await;
    for member in new.as_object().unwrap().keys() {
        assert_eq!(created[member], changed[member], "{member}");
    }
    let validated = app.api.post("/api/skills/validate", &new).await;
    assert_eq!(validated.assert_status(200).json()["id"], "all");
}

#[tokio::test]
async fn new_skill_over_the_limit_of_its_front_matter_is_rejected() {
    let app = SkillsApp::start().await;
    let labels = vec!["\"".repeat(16); 1000];
    let mut new = all_fields();
    (new["tags"], new["keywords"]) = (json!(labels), json!(labels));
    let refused = app.api.post("/api/skills", &new).await;
    refused.assert_invalid("document");
    let refused = app
        .api
        .send_json(Method::POST, "/api/skills/validate", new.to_string())
        .await;
    refused.assert_invalid("document");
}
