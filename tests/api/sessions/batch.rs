//! `POST /api/sessions/batch`: changes and deletions of many sessions.

use serde_json::{Value, json};

use super::super::support::{Client, TestApp, write_python_session};

const BATCH: &str = "/api/sessions/batch";

async fn create(api: &Client, count: usize) -> Vec<String> {
    let mut created = Vec::new();
    for number in 0..count {
        created.push(api.create_session(&number.to_string()).await);
    }
    created
}

/// Sends a batch and returns its response.
async fn batch(api: &Client, body: &Value) -> Value {
    api.post(BATCH, body).await.assert_status(200).json()
}

async fn listed(api: &Client, query: &str) -> Vec<Value> {
    let list = api.get(&format!("/api/sessions?limit=200&{query}")).await;
    let list = list.assert_status(200).json();
    list["sessions"].as_array().unwrap().clone()
}

fn result(matched: usize, changed: usize, failed: &Value) -> Value {
    json!({"matched": matched, "changed": changed, "failed": failed, "next_cursor": null})
}

#[tokio::test]
async fn sessions_are_changed_by_id_once() {
    let app = TestApp::start().await;
    let ids = create(&app.api, 4).await;
    let set = json!({"status": "paused", "archived": true, "pinned": true, "tags_add": ["b", "a"]});
    let repeated = [&ids[0], &ids[1], &ids[0]];
    let body = json!({"ids": repeated, "set": set});
    assert_eq!(batch(&app.api, &body).await, result(2, 2, &json!([])));
    let changed = listed(&app.api, "archived=true&pinned=true").await;
    assert_eq!(changed.len(), 2);
    for session in &changed {
        assert!(ids[..2].iter().any(|id| session["id"] == **id));
        assert_eq!(session["status"], "paused");
        assert_eq!(session["tags"], json!(["b", "a"]));
        assert!(session["updated_at"].as_str() > session["created_at"].as_str());
    }
    assert_eq!(listed(&app.api, "").await.len(), 2);

    // The repeated request changes nothing.
    let before = app.redis.dump();
    assert_eq!(batch(&app.api, &body).await, result(2, 0, &json!([])));
    assert_eq!(app.redis.dump(), before);

    let body =
        json!({"ids": [ids[0], ids[2]], "set": {"tags_add": ["c"], "tags_remove": ["b", "x"]}});
    assert_eq!(batch(&app.api, &body).await, result(2, 2, &json!([])));
    for (at, tags) in [
        (0, json!(["a", "c"])),
        (1, json!(["b", "a"])),
        (2, json!(["c"])),
    ] {
        let found = app.api.get(&format!("/api/sessions/{}", ids[at])).await;
        assert_eq!(found.json()["tags"], tags);
    }
    let body = json!({"ids": ids, "set": {"archived": true}});
    assert_eq!(batch(&app.api, &body).await, result(4, 2, &json!([])));
}

#[tokio::test]
async fn dry_run_counts_without_a_change() {
    let app = TestApp::start().await;
    let ids = create(&app.api, 3).await;
    let pin = json!({"ids": [ids[0]], "set": {"pinned": true}});
    batch(&app.api, &pin).await;
    let before = app.redis.dump();
    for (change, changed) in [
        (json!({"set": {"pinned": true}}), 2),
        (json!({"set": {"pinned": false}}), 1),
        (json!({"delete": true}), 3),
    ] {
        for target in [json!({"ids": ids}), json!({"filter": {}})] {
            let mut body = json!({"dry_run": true});
            let members = body.as_object_mut().unwrap();
            members.extend(change.as_object().unwrap().clone());
            members.extend(target.as_object().unwrap().clone());
            let expected = result(3, changed, &json!([]));
            assert_eq!(batch(&app.api, &body).await, expected, "{body}");
        }
    }
    assert_eq!(app.redis.dump(), before);
}

#[tokio::test]
async fn sessions_are_deleted_with_all_their_data() {
    let app = TestApp::start().await;
    let ids = create(&app.api, 3).await;
    app.api.append(&ids[1], "x").await.assert_status(200);
    let body = json!({"ids": ids[..2], "delete": true});
    assert_eq!(batch(&app.api, &body).await, result(2, 2, &json!([])));
    let missing = ids[..2]
        .iter()
        .map(|id| json!({"id": id, "code": "not_found"}));
    let missing: Vec<Value> = missing.collect();
    let expected = result(0, 0, &json!(missing));
    assert_eq!(batch(&app.api, &body).await, expected);
    let body = json!({"filter": {"volume": "user"}, "delete": true});
    assert_eq!(batch(&app.api, &body).await, result(1, 1, &json!([])));
    assert_eq!(app.redis.keys(), [""; 0]);
}

#[tokio::test]
async fn sessions_that_cannot_be_changed_are_reported() {
    let app = TestApp::start().await;
    let ids = create(&app.api, 2).await;
    let tags: Vec<String> = (0..32).map(|number| number.to_string()).collect();
    let full = json!({"ids": [ids[0]], "set": {"tags_add": tags}});
    batch(&app.api, &full).await;
    app.redis
        .command::<()>(&["SET", "session:garbage", "no JSON"]);
    let wanted = [
        &*ids[0],
        "none",
        &ids[1],
        "garbage",
        "",
        "a:messages",
        "none",
    ];
    let expected = json!([
        {"id": "", "code": "not_found"},
        {"id": "a:messages", "code": "not_found"},
        {"id": ids[0], "code": "validation_failed"},
        {"id": "none", "code": "not_found"},
        {"id": "garbage", "code": "internal"},
    ]);
    for (is_dry_run, changed) in [(true, 1), (false, 1), (false, 0)] {
        let body = json!({"ids": wanted, "set": {"tags_add": ["new"]}, "dry_run": is_dry_run});
        assert_eq!(batch(&app.api, &body).await, result(3, changed, &expected));
    }
}

#[tokio::test]
async fn filter_is_continued_by_its_cursor() {
    let app = TestApp::start().await;
    for number in 0..12 {
        let (project, status) = (["a", "b"][number % 2], ["active", "paused"][number / 6]);
        let body = json!({
            "name": "x", "volume": "user", "tags": [project], "status": status,
            "metadata": {"project": project, "n": number},
        });
        let created = app.api.post("/api/sessions", &body).await;
        created.assert_status(201);
    }
    for (filter, matched) in [
        (json!({}), 12),
        (json!({"volume": "user", "volume_id": "default"}), 12),
        (json!({"volume": "team"}), 0),
        (json!({"status": "paused"}), 6),
        (
            json!({"status": ["paused", "active"], "sort": "created", "order": "asc"}),
            12,
        ),
        (json!({"tag": "a"}), 6),
        (json!({"tag": ["a", "b"]}), 0),
        (json!({"metadata": {"project": "b"}}), 6),
        (
            json!({"metadata": {"project": "b", "n": 3}, "pinned": false}),
            1,
        ),
        (json!({"archived": true}), 0),
        (
            json!({"archived": "all", "pinned": null, "metadata": null}),
            12,
        ),
    ] {
        let body = json!({"filter": filter, "set": {"archived": true}, "dry_run": true});
        let expected = result(
            matched,
            if filter["archived"] == true {
                0
            } else {
                matched
            },
            &json!([]),
        );
        assert_eq!(batch(&app.api, &body).await, expected, "{filter}");
    }
    let body = json!({"filter": {"tag": "a"}, "set": {"archived": true}});
    assert_eq!(batch(&app.api, &body).await, result(6, 6, &json!([])));
    assert_eq!(batch(&app.api, &body).await, result(0, 0, &json!([])));
    assert_eq!(listed(&app.api, "").await.len(), 6);
}

#[tokio::test]
async fn python_sessions_are_changed_like_others() {
    let app = TestApp::start().await;
    let ids = ["sess_a:b_1", "sess_größe c_2", "sess_x_3"];
    for (minute, id) in ids.iter().enumerate() {
        write_python_session(&app.redis, id, minute);
    }
    let body = json!({"ids": ids[..2], "set": {"archived": true, "tags_add": ["old"]}});
    assert_eq!(batch(&app.api, &body).await, result(2, 2, &json!([])));
    let body =
        json!({"filter": {"archived": "all", "metadata": {"z": 1}}, "set": {"pinned": true}});
    assert_eq!(batch(&app.api, &body).await, result(3, 3, &json!([])));
    assert_eq!(listed(&app.api, "pinned=true").await.len(), 1);
    assert_eq!(listed(&app.api, "archived=true&tag=old").await.len(), 2);
    let document: String = app.redis.command(&["GET", "session:sess_a:b_1"]);
    assert!(document.contains(r#""custom":{"kept": [1.50, null]}"#));
}

#[tokio::test]
async fn invalid_batches_are_rejected_by_name() {
    let app = TestApp::start().await;
    let many: Vec<String> = (0..501).map(|number| number.to_string()).collect();
    let pin = json!({"pinned": true});
    for (body, field) in [
        (json!({}), "ids"),
        (json!({"set": pin}), "ids"),
        (json!({"ids": ["a"], "filter": {}, "set": pin}), "ids"),
        (json!({"ids": [], "set": pin}), "ids"),
        (json!({"ids": many, "set": pin}), "ids"),
        (json!({"ids": "a", "set": pin}), "ids"),
        (json!({"ids": [1], "set": pin}), "ids[0]"),
        (json!({"ids": ["a"], "cursor": "x", "set": pin}), "cursor"),
        (json!({"ids": ["a"]}), "set"),
        (json!({"ids": ["a"], "delete": false}), "set"),
        (json!({"ids": ["a"], "set": pin, "delete": true}), "set"),
        (json!({"ids": ["a"], "set": {}}), "set"),
        (json!({"ids": ["a"], "set": {"pinned": null}}), "set"),
        (json!({"ids": ["a"], "set": {"pinned": 1}}), "set.pinned"),
        (
            json!({"ids": ["a"], "set": {"tags_add": ["a", ""]}}),
            "set.tags_add[1]",
        ),
        (
            json!({"ids": ["a"], "set": {"tags_add": ["a"], "tags_remove": ["a"]}}),
            "set.tags_remove",
        ),
        (
            json!({"ids": ["a"], "set": {"name": "x", "pinned": true}}),
            "set.name",
        ),
        (json!({"ids": ["a"], "delete": "yes"}), "delete"),
        (
            json!({"ids": ["a"], "delete": true, "dry_run": 1}),
            "dry_run",
        ),
        (
            json!({"filter": {"limit": 5}, "delete": true}),
            "filter.limit",
        ),
        (
            json!({"filter": {"status": "gone"}, "delete": true}),
            "filter.status",
        ),
        (
            json!({"filter": {"status": ["active", 1]}, "delete": true}),
            "filter.status",
        ),
        (
            json!({"filter": {"archived": "yes"}, "delete": true}),
            "filter.archived",
        ),
        (
            json!({"filter": {"pinned": "true"}, "delete": true}),
            "filter.pinned",
        ),
        (json!({"filter": {"tag": ""}, "delete": true}), "filter.tag"),
        (
            json!({"filter": {"tag": many[..33]}, "delete": true}),
            "filter.tag",
        ),
        (
            json!({"filter": {"metadata": []}, "delete": true}),
            "filter.metadata",
        ),
        (
            json!({"filter": {"metadata": {"a": null}}, "delete": true}),
            "filter.metadata.a",
        ),
        (
            json!({"filter": {"volume_id": "x"}, "delete": true}),
            "filter.volume",
        ),
        (
            json!({"filter": {"volume": "all"}, "delete": true}),
            "filter.volume",
        ),
        (
            json!({"filter": {"sort": "name"}, "delete": true}),
            "filter.sort",
        ),
        (json!({"filter": "all", "delete": true}), "filter"),
    ] {
        let rejected = app.api.post(BATCH, &body).await;
        let problem = rejected.assert_error(422, "validation_failed");
        assert_eq!(problem["errors"][0]["field"], field, "{body} {problem}");
    }
    let body = json!({"filter": {}, "cursor": "x", "delete": true});
    let rejected = app.api.post(BATCH, &body).await;
    rejected.assert_error(400, "invalid_request");
    app.api
        .get(BATCH)
        .await
        .assert_error(405, "method_not_allowed");
    assert_eq!(app.redis.keys(), [""; 0]);
}

one_redis! {
#[tokio::test]
async fn large_batch_takes_few_round_trips() {
    let app = TestApp::start().await;
    let fill = r#"for number = 1, 1100 do
          local id = 'sess_' .. number
          redis.call('SADD', 'all:sessions', id)
          redis.call('SADD', 'user:default:sessions', id)
          redis.call('SET', 'session:' .. id, '{"id":"' .. id .. '","name":"x","volume":"user","volume_id":"default",'
            .. '"status":"active","metadata":{},"created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"}')
        end"#;
    app.redis.command::<()>(&["EVAL", fill, "0"]);
    for list in ["/api/sessions", "/api/sessions?volume=user"] {
        app.api.get(list).await.assert_status(200);
    }
    let ids: Vec<String> = (1..=500).map(|number| format!("sess_{number}")).collect();
    // The first calls load the scripts.
    for id in &ids[..2] {
        let body = json!({"ids": [id], "set": {"pinned": true}});
        batch(&app.api, &body).await;
    }

    let body = json!({"ids": ids, "set": {"pinned": true}});
    let changed = app.api.post(BATCH, &body).await.assert_status(200);
    assert_eq!(changed.round_trips(), 10);
    assert_eq!(changed.json(), result(500, 498, &json!([])));

    let (mut cursor, mut matched) = (Value::Null, Vec::new());
    loop {
        let body = json!({"filter": {"volume": "user"}, "cursor": cursor, "set": {"archived": true}});
        let changed = app.api.post(BATCH, &body).await.assert_status(200);
        assert!(changed.round_trips() <= 11, "{}", changed.round_trips());
        let changed = changed.json();
        assert_eq!(changed["matched"], changed["changed"]);
        matched.push(changed["matched"].as_u64().unwrap());
        cursor = changed["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(matched, [500, 500, 100]);
    assert_eq!(listed(&app.api, "").await.len(), 0);
    let body = json!({"ids": ids, "delete": true});
    let deleted = app.api.post(BATCH, &body).await.assert_status(200);
    assert!(deleted.round_trips() <= 6, "{}", deleted.round_trips());
    assert_eq!(deleted.json()["changed"], 500);
}
}
