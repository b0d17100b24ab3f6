//! `POST /api/skills/{id}/usage`: every reported use is counted once.

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::support::SkillsApp;
use super::{SYSTEM, USER, document, new_skill};

#[tokio::test]
async fn concurrent_uses_are_all_counted() {
    let app = SkillsApp::start().await;
    app.api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);
    let path = "/api/skills/x/usage?volume=user";

    let bodies: Vec<Value> = (0..50)
        .map(|index| json!({"success": index % 5 != 0, "duration_ms": index}))
        .collect();
    let answers = join_all(bodies.iter().map(|body| app.api.post(path, body))).await;

    let mut counts: Vec<u64> = Vec::new();
    for answer in answers {
        let answer = answer.assert_status(200);
        assert_eq!(answer.header("idempotency-replayed"), None);
        assert_eq!(answer.json()["id"], "x");
        counts.push(answer.json()["usage_count"].as_u64().unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<_>>());
    let found = app.api.get("/api/skills/x").await.assert_status(200).json();
    let list = app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200)
        .json();
    for skill in [&found, &list["skills"][0]] {
        assert_eq!(
            (&skill["usage_count"], &skill["success_rate"]),
            (&50.into(), &0.8.into())
        );
    }
}

#[tokio::test]
async fn repeated_use_with_one_idempotency_key_is_counted_once() {
    let app = SkillsApp::start().await;
    app.api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);
    let api = app.api.with_header("idempotency-key", "key-1");
    let body = json!({"success": true});

    let first = api
        .post("/api/skills/x/usage", &body)
        .await
        .assert_status(200);
    app.api
        .post("/api/skills/x/usage", &json!({"success": false}))
        .await
        .assert_status(200);
    let again = api
        .post("/api/skills/x/usage", &body)
        .await
        .assert_status(200);

    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    assert_eq!(
        first.json(),
        json!({"id": "x", "usage_count": 1, "success_rate": 1.0})
    );
    let other = api
        .post("/api/skills/x/usage", &json!({"success": false}))
        .await;
    other.assert_invalid("Idempotency-Key");
    let found = app.api.get("/api/skills/x").await.assert_status(200).json();
    assert_eq!(
        (&found["usage_count"], &found["success_rate"]),
        (&2.into(), &0.5.into())
    );
}

#[tokio::test]
async fn invalid_usage_report_is_not_counted() {
    let app = SkillsApp::start().await;
    app.api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);

    for (body, field) in [
        ("{}", "success"),
        (r#"{"success":"yes"}"#, "success"),
        (r#"{"success":null}"#, "success"),
        (r#"{"success":true,"duration_ms":-1}"#, "duration_ms"),
        (r#"{"success":true,"duration_ms":86400001}"#, "duration_ms"),
        (r#"{"success":true,"duration_ms":"1"}"#, "duration_ms"),
    ] {
        let response = app
            .api
            .send_json(Method::POST, "/api/skills/x/usage", body)
            .await;
        response.assert_invalid(field);
    }
    let body = json!({"success": true});
    for path in [
        "/api/skills/y/usage",
        "/api/skills/x/usage?volume=system",
        "/api/skills/..%2Fx/usage",
    ] {
        app.api
            .post(path, &body)
            .await
            .assert_error(404, "not_found");
    }
    let found = app.api.get("/api/skills/x").await.assert_status(200).json();
    assert_eq!(
        (&found["usage_count"], &found["success_rate"]),
        (&0.into(), &Value::Null)
    );
}

#[tokio::test]
async fn usage_counts_are_separate_per_volume() {
    let app = SkillsApp::start().await;
    for prefix in [USER, SYSTEM, "volumes/team/acme/skills/"] {
        app.put(&format!("{prefix}x.md"), document("x")).await;
    }
    let body = json!({"success": true});

    for (query, times) in [
        ("", 1),
        ("?volume=system", 2),
        ("?volume=team&volume_id=acme", 3),
    ] {
        for _ in 0..times {
            let path = format!("/api/skills/x/usage{query}");
            app.api.post(&path, &body).await.assert_status(200);
        }
    }

    for (query, times) in [
        ("volume=user", 1),
        ("volume=system", 2),
        ("volume=team&volume_id=acme", 3),
    ] {
        let list = app
            .api
            .get(&format!("/api/skills?{query}"))
            .await
            .assert_status(200)
            .json();
        assert_eq!(list["skills"][0]["usage_count"], times, "{query}");
    }
}

#[tokio::test]
async fn deleted_skill_loses_its_usage_count() {
    let app = SkillsApp::start().await;
    app.api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);
    let body = json!({"success": true, "duration_ms": 1.5});
    app.api
        .post("/api/skills/x/usage", &body)
        .await
        .assert_status(200);

    app.api.delete("/api/skills/x").await.assert_status(200);
    let created = app
        .api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201)
        .json();

    let found = app.api.get("/api/skills/x").await.assert_status(200).json();
    for skill in [created, found] {
        assert_eq!(
            (&skill["usage_count"], &skill["success_rate"]),
            (&0.into(), &Value::Null)
        );
    }
}
