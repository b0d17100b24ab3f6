//! Filters and orders of lists.

use serde_json::{Value, json};

use super::super::support::{Client, TestApp, write_python_session};
use super::{assert_same, create_with, ids, pages};

/// Checks each query against the indexes of the created sessions, with pages of one, two and all sessions.
async fn check(api: &Client, created: &[String], table: &[(&str, &[usize])]) {
    for (query, expected) in table {
        let expected: Vec<String> = expected.iter().map(|at| created[*at].clone()).collect();
        for limit in [1, 2, 200] {
            let query = format!("{query}&limit={limit}");
            let pages = pages(api, &query).await;
            assert!(pages.iter().all(|page| page.len() <= limit), "{query}");
            assert_same(&pages, &expected, &query);
        }
    }
}

async fn create_all(api: &Client, sessions: &[Value]) -> Vec<String> {
    let mut created = Vec::new();
    for members in sessions {
        created.push(create_with(api, members.clone()).await);
    }
    created
}

#[tokio::test]
async fn archived_sessions_are_listed_on_request() {
    let app = TestApp::start().await;
    let sessions = [
        json!({}),
        json!({"archived": true}),
        json!({"status": "paused"}),
        json!({"status": "paused", "archived": true}),
        json!({"status": "completed"}),
        json!({}),
    ];
    let created = create_all(&app.api, &sessions).await;
    // Archived and restored later.
    for (at, archived) in [(5, true), (4, true), (4, false)] {
        let path = format!("/api/sessions/{}", created[at]);
        let change = json!({"archived": archived});
        app.api.patch(&path, &change).await.assert_status(200);
    }
    app.api.append(&created[3], "x").await.assert_status(200);
    check(
        &app.api,
        &created,
        &[
            ("", &[4, 2, 0]),
            ("archived=false", &[4, 2, 0]),
            ("archived=", &[4, 2, 0]),
            ("archived=true", &[3, 5, 1]),
            ("archived=all", &[3, 4, 5, 2, 1, 0]),
            ("volume=user&archived=true", &[3, 5, 1]),
            ("archived=true&status=paused", &[3]),
            ("archived=all&status=active", &[5, 1, 0]),
            ("archived=all&status=paused&status=completed", &[3, 4, 2]),
            ("status=completed&status=active&status=", &[4, 0]),
        ],
    )
    .await;
}

#[tokio::test]
async fn pinned_sessions_are_listed_in_order() {
    let app = TestApp::start().await;
    let sessions = [
        json!({"pinned": true}),
        json!({}),
        json!({"pinned": true, "tags": ["a"]}),
        json!({"pinned": true, "archived": true}),
        json!({}),
    ];
    let created = create_all(&app.api, &sessions).await;
    let table: [(&str, &[usize]); 8] = [
        ("pinned=true", &[2, 0]),
        ("pinned=true&volume=user", &[2, 0]),
        ("pinned=false", &[4, 1]),
        ("pinned=", &[4, 2, 1, 0]),
        ("pinned=true&archived=all", &[3, 2, 0]),
        ("pinned=true&archived=all&order=asc", &[0, 2, 3]),
        ("pinned=true&tag=a", &[2]),
        ("pinned=true&sort=created&order=asc", &[0, 2]),
    ];
    check(&app.api, &created, &table).await;

    app.api.append(&created[0], "x").await.assert_status(200);
    for (at, pinned) in [(4, true), (2, false), (1, true), (1, false)] {
        let path = format!("/api/sessions/{}", created[at]);
        let change = json!({"pinned": pinned});
        app.api.patch(&path, &change).await.assert_status(200);
    }
    let deleted = app
        .api
        .delete(&format!("/api/sessions/{}", created[3]))
        .await;
    deleted.assert_status(200);
    let table: [(&str, &[usize]); 4] = [
        ("pinned=true&archived=all", &[4, 0]),
        ("pinned=true&order=asc", &[0, 4]),
        ("pinned=true&sort=created", &[4, 0]),
        ("pinned=false", &[1, 2]),
    ];
    check(&app.api, &created, &table).await;
}

#[tokio::test]
async fn sessions_are_filtered_by_tags_and_metadata() {
    let app = TestApp::start().await;
    let sessions = [
        json!({"tags": ["work", "caf\u{e9}"], "metadata": {"project": "a", "n": 4, "done": false}}),
        json!({"tags": ["work"], "metadata": {"project": "b", "n": 4.0, "done": true}}),
        json!({"metadata": {"project": "a", "n": "4", "a.b": "x", "": "empty", "nested": {"n": 4}}}),
        json!({"tags": ["Work"], "metadata": {"n": null, "__proto__": "p", "list": [4]}}),
        json!({"tags": ["work"], "archived": true, "metadata": {"project": "a"}}),
    ];
    let created = create_all(&app.api, &sessions).await;
    check(
        &app.api,
        &created,
        &[
            ("tag=work", &[1, 0]),
            ("tag=%20work%20", &[1, 0]),
            ("tag=work&tag=cafe%CC%81", &[0]),
            ("tag=Work", &[3]),
            ("tag=none", &[]),
            ("tag=work&archived=all", &[4, 1, 0]),
            ("metadata.project=a", &[2, 0]),
            ("metadata.project=a&metadata.n=4", &[2, 0]),
            ("metadata.n=4", &[2, 1, 0]),
            ("metadata.n=4.0", &[1, 0]),
            ("metadata.done=true", &[1]),
            ("metadata.a.b=x", &[2]),
            ("metadata.=empty", &[2]),
            ("metadata.__proto__=p", &[3]),
            ("metadata.list=4", &[]),
            ("metadata.nested=4", &[]),
            ("metadata.project=a&tag=work&status=active", &[0]),
            (
                "metadata.project=a&sort=created&order=asc&archived=all",
                &[0, 2, 4],
            ),
            ("metadata.project=", &[3, 2, 1, 0]),
        ],
    )
    .await;
    let key = "k".repeat(10_000);
    let path = format!("/api/sessions?metadata.{key}=x");
    assert_eq!(ids(&app.api.get(&path).await), [""; 0]);
}

#[tokio::test]
async fn list_by_creation_does_not_follow_the_activity() {
    let app = TestApp::start().await;
    let mut sessions = vec![json!({}); 6];
    sessions[2] = json!({"archived": true});
    let created = create_all(&app.api, &sessions).await;
    for at in [0, 3] {
        app.api.append(&created[at], "x").await.assert_status(200);
    }
    check(
        &app.api,
        &created,
        &[
            ("sort=created", &[5, 4, 3, 1, 0]),
            ("sort=created&order=asc", &[0, 1, 3, 4, 5]),
            ("sort=created&archived=all", &[5, 4, 3, 2, 1, 0]),
            ("sort=created&archived=true", &[2]),
            ("sort=updated&order=desc", &[3, 0, 5, 4, 1]),
            ("order=asc", &[1, 4, 5, 0, 3]),
            ("volume=user&order=asc&status=active", &[1, 4, 5, 0, 3]),
        ],
    )
    .await;
    let list = app.api.get("/api/sessions?sort=created&order=asc").await;
    let first = &list.json()["sessions"][0];
    assert!(first["updated_at"].as_str() > first["created_at"].as_str());
}

#[tokio::test]
async fn sessions_with_equal_times_are_ordered_by_id_in_both_directions() {
    let app = TestApp::start().await;
    let mut expected = Vec::new();
    for number in 0..20 {
        let id = format!("sess_{}_{number:02}", ["a", "B", "_", "-"][number % 4]);
        write_python_session(&app.redis, &id, 0);
        expected.push(id);
    }
    expected.sort();
    for query in ["order=asc", "sort=created&order=asc"] {
        let query = format!("{query}&limit=3");
        assert_same(&pages(&app.api, &query).await, &expected, &query);
    }
    expected.reverse();
    for query in ["order=desc", "sort=created"] {
        let query = format!("{query}&limit=3");
        assert_same(&pages(&app.api, &query).await, &expected, &query);
    }
}

#[tokio::test]
async fn python_sessions_are_filtered_like_others() {
    let app = TestApp::start().await;
    let ids: Vec<String> = (0..4).map(|number| format!("sess_x_{number}")).collect();
    for (minute, id) in ids.iter().enumerate() {
        write_python_session(&app.redis, id, minute);
    }
    let change = json!({"archived": true, "tags": ["old"], "pinned": true});
    let path = "/api/sessions/sess_x_1";
    app.api.patch(path, &change).await.assert_status(200);
    check(
        &app.api,
        &ids,
        &[
            ("pinned=true&archived=all", &[1]),
            ("", &[3, 2, 0]),
            ("archived=true", &[1]),
            ("archived=all", &[1, 3, 2, 0]),
            ("tag=old&archived=true", &[1]),
            ("metadata.z=1", &[3, 2, 0]),
            ("metadata.a=9007199254740993&volume=user", &[3, 2, 0]),
            ("sort=created&archived=all", &[3, 2, 1, 0]),
        ],
    )
    .await;
}
