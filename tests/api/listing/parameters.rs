//! Parameters of lists: cursors of other lists, selected members, totals, and invalid values.

use serde_json::{Value, json};

use super::super::support::TestApp;
use super::{create, create_with};

#[tokio::test]
async fn cursor_of_another_filter_or_order_is_rejected() {
    let app = TestApp::start().await;
    create(&app.api, 3).await;
    let queries = [
        "",
        "status=active",
        "archived=all",
        "pinned=false",
        "sort=created",
        "order=asc",
        "metadata.a=1",
        "tag=a",
        "volume=user",
    ];
    for of in &queries[..6] {
        let page = app.api.get(&format!("/api/sessions?limit=1&{of}")).await;
        let page = page.assert_status(200).json();
        let cursor = page["next_cursor"].as_str().unwrap();
        for query in queries {
            let path = format!("/api/sessions?limit=1&{query}&cursor={cursor}");
            let next = app.api.get(&path).await;
            if query == *of {
                next.assert_status(200);
            } else {
                next.assert_error(400, "invalid_request");
            }
        }
    }
    // Equal filters are one list.
    let path = "/api/sessions?limit=1&status=active&status=paused&archived=false";
    let page = app.api.get(path).await.assert_status(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let path = "/api/sessions?limit=2&status=paused&status=active&sort=updated&fields=id";
    let next = app.api.get(&format!("{path}&cursor={cursor}")).await;
    next.assert_status(200);
}

#[tokio::test]
async fn wanted_members_are_returned() {
    let app = TestApp::start().await;
    let id = create_with(&app.api, json!({"tags": ["a"]})).await;
    for (fields, expected) in [
        ("id", json!({"id": id})),
        ("tags,id", json!({"id": id, "tags": ["a"]})),
        (
            "name,message_count,name",
            json!({"name": "x", "message_count": 0}),
        ),
        ("forked_from", json!({})),
    ] {
        let path = format!("/api/sessions?fields={fields}");
        let list = app.api.get(&path).await.assert_status(200).json();
        assert_eq!(list["sessions"], json!([expected]), "{fields}");
        assert_eq!(list["next_cursor"], Value::Null);
    }
    let all = app.api.get("/api/sessions?fields=").await.json();
    assert_eq!(all["sessions"][0].as_object().unwrap().len(), 16);
    for fields in ["ID", "id,", "id,messages", "id, name", ","] {
        let path = format!("/api/sessions?fields={}", fields.replace(' ', "%20"));
        let problem = app.api.get(&path).await;
        let problem = problem.assert_error(400, "invalid_request");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("title_source, pinned"), "{detail}");
    }
}

#[tokio::test]
async fn total_counts_the_whole_list() {
    let app = TestApp::start().await;
    create(&app.api, 4).await;
    create_with(&app.api, json!({"archived": true})).await;
    create_with(&app.api, json!({"status": "paused"})).await;
    create_with(&app.api, json!({"volume": "team", "volume_id": "red"})).await;
    let deleted = create_with(&app.api, json!({})).await;
    let deleted = app.api.delete(&format!("/api/sessions/{deleted}")).await;
    deleted.assert_status(200);
    for (query, total) in [
        ("", 6),
        ("volume=user", 5),
        ("volume=team&volume_id=red", 1),
        ("volume=team&volume_id=blue", 0),
        ("archived=all", 7),
        ("archived=true", 1),
        ("status=paused", 1),
        ("status=paused&status=active&archived=all", 7),
        ("sort=created&archived=all", 7),
        ("sort=created", 6),
    ] {
        let path = format!("/api/sessions?include=total&limit=1&{query}");
        let list = app.api.get(&path).await.assert_status(200).json();
        assert_eq!(list["total"], total, "{query}");
    }
    let list = app.api.get("/api/sessions").await.json();
    assert!(list.get("total").is_none());
    for query in ["pinned=true", "pinned=false", "tag=a", "metadata.a=1"] {
        let path = format!("/api/sessions?include=total&{query}");
        let refused = app.api.get(&path).await;
        refused.assert_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn invalid_filters_are_rejected_by_name() {
    let app = TestApp::shared().await;
    let tags: String = (0..33).map(|number| format!("&tag={number}")).collect();
    let members: String = (0..17)
        .map(|number| format!("&metadata.{number}=1"))
        .collect();
    let long = format!("tag={}", "x".repeat(65));
    for (query, field) in [
        ("archived=yes", "archived"),
        ("archived=ALL", "archived"),
        ("pinned=1", "pinned"),
        ("pinned=all", "pinned"),
        ("status=active&status=gone", "status"),
        ("tag=%20", "tag"),
        ("tag=a%07b", "tag"),
        (&long, "tag"),
        (&tags, "tag"),
        (&members, "metadata"),
        ("sort=name", "sort"),
        ("order=up", "order"),
        ("include=count", "include"),
    ] {
        let rejected = app.api.get(&format!("/api/sessions?{query}")).await;
        rejected.assert_invalid(field);
    }
    for query in [
        "archived=true&archived=all",
        "sort=created&sort=created",
        "metadata.a=1&metadata.a=2",
        "metadata=1",
        "tags=a",
    ] {
        let rejected = app.api.get(&format!("/api/sessions?{query}")).await;
        rejected.assert_error(400, "invalid_request");
    }
}
