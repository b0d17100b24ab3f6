//! The indexes of lists: their cost, and how they are built again.

use serde_json::json;

use super::super::support::{TestApp, write_python_session};
use super::{assert_same, create, create_with, ids, pages};

const SCOPES: [&str; 2] = ["all", "user:default"];

#[tokio::test]
async fn index_by_creation_is_built_from_the_set() {
    let app = TestApp::start().await;
    let mut expected = create(&app.api, 5).await;
    let pinned = expected[3].clone();
    let path = format!("/api/sessions/{pinned}");
    let change = json!({"pinned": true});
    app.api.patch(&path, &change).await.assert_status(200);
    write_python_session(&app.redis, "sess_old_1", 0);
    expected.push("sess_old_1".to_owned());

    // Lost keys, as after an update from a version without these indexes.
    for lost in [&["created", "pinned"][..], &["created"], &["pinned"], &[]] {
        for kind in lost {
            for scope in SCOPES {
                let key = format!("llmos:{kind}:{scope}");
                app.redis.command::<()>(&["DEL", &key]);
            }
        }
        for query in ["", "&volume=user"] {
            let pinned_list = format!("pinned=true{query}");
            let found = pages(&app.api, &pinned_list).await;
            assert_same(&found, std::slice::from_ref(&pinned), &pinned_list);
            let by_creation = format!("sort=created&limit=4{query}");
            let found = pages(&app.api, &by_creation).await;
            assert_same(&found, &expected, &by_creation);
        }
    }
    // All of the index is lost.
    for key in app.redis.keys() {
        if key.starts_with("llmos:") {
            app.redis.command::<()>(&["DEL", &key]);
        }
    }
    let found = pages(&app.api, "sort=created&limit=2").await;
    assert_same(&found, &expected, "after the loss of all");
    let found = pages(&app.api, "pinned=true").await;
    assert_same(&found, &[pinned], "after the loss of all");
}

#[tokio::test]
async fn deleted_sessions_leave_every_index() {
    let app = TestApp::start().await;
    for query in ["", "pinned=true&archived=all", "sort=created&archived=all"] {
        let pinned = json!({"pinned": true, "archived": true, "tags": ["a"]});
        let id = create_with(&app.api, pinned).await;
        let other = create_with(&app.api, json!({})).await;
        for query in [query, "volume=user&sort=created&archived=all"] {
            let list = app.api.get(&format!("/api/sessions?{query}")).await;
            list.assert_status(200);
        }
        for id in [&id, &other] {
            let deleted = app.api.delete(&format!("/api/sessions/{id}")).await;
            deleted.assert_status(200);
        }
        assert_eq!(app.redis.keys(), [""; 0], "{query}");
    }
}

#[tokio::test]
async fn sessions_deleted_by_the_python_version_leave_every_list() {
    let app = TestApp::start().await;
    let kept = create_with(&app.api, json!({"pinned": true})).await;
    let gone = create_with(&app.api, json!({"pinned": true})).await;
    for query in ["pinned=true", "sort=created"] {
        assert_eq!(pages(&app.api, query).await.concat().len(), 2);
    }
    app.redis
        .command::<()>(&["DEL", &format!("session:{gone}")]);
    for set in ["all:sessions", "user:default:sessions"] {
        app.redis.command::<()>(&["SREM", set, &gone]);
    }
    for query in ["pinned=true", "sort=created", "sort=created&volume=user"] {
        let found = pages(&app.api, query).await;
        assert_same(&found, std::slice::from_ref(&kept), query);
    }
    let members: Vec<String> = app
        .redis
        .command(&["ZRANGE", "llmos:created:all", "0", "-1"]);
    assert_eq!(members, [kept]);
}

#[tokio::test]
async fn chosen_id_replaces_index_entries_of_a_session_that_another_program_deleted() {
    let app = TestApp::start().await;
    let old = json!({"id": "same", "status": "paused", "pinned": true});
    create_with(&app.api, old).await;
    app.redis.command::<()>(&["DEL", "session:same"]);
    create_with(&app.api, json!({"id": "same"})).await;
    for (query, expected) in [
        ("", &["same"][..]),
        ("status=active", &["same"]),
        ("status=paused", &[]),
        ("pinned=true", &[]),
        ("sort=created", &["same"]),
    ] {
        let list = app.api.get(&format!("/api/sessions?{query}")).await;
        assert_eq!(ids(&list), expected, "{query}");
    }
}

one_redis! {
/// Writes `count` sessions as the Python version does, the earliest with the highest number. Every session has the tag
/// of its number modulo `tags`.
fn fill(app: &TestApp, count: usize, tags: usize) {
    let script = r#"for number = 1, tonumber(ARGV[1]) do
          local id = 'sess_' .. number
          redis.call('SADD', 'user:default:sessions', id)
          redis.call('SADD', 'all:sessions', id)
          local time = '"2025-01-01T00:00:00.' .. string.format('%06d', 999999 - number) .. 'Z"'
          redis.call('SET', 'session:' .. id, '{"id":"' .. id .. '","name":"x","volume":"user","volume_id":"default",'
            .. '"status":"active","metadata":{},"tags":["t' .. number % tonumber(ARGV[2]) .. '"],"created_at":' .. time
            .. ',"updated_at":' .. time .. '}')
        end"#;
    let (count, tags) = (count.to_string(), tags.to_string());
    app.redis.command::<()>(&["EVAL", script, "0", &count, &tags]);
}

#[tokio::test]
async fn page_of_a_rare_tag_reads_a_limited_number_of_sessions() {
    let app = TestApp::start().await;
    fill(&app, 4500, 4500);
    for query in ["", "&sort=created", "&volume=user"] {
        let path = format!("/api/sessions?tag=t4400{query}");
        // The first request builds the index.
        app.api.get(&path).await.assert_status(200);
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for page in 1..=3 {
            let list = app.api.get(&format!("{path}&cursor={cursor}")).await;
            let list = list.assert_status(200);
            assert_eq!(list.round_trips(), 2, "{query}");
            found.extend(ids(&list));
            let next = list.json()["next_cursor"].as_str().map(ToOwned::to_owned);
            assert_eq!(next.is_none(), page == 3, "{query}");
            assert_eq!(found.is_empty(), page < 3, "{query}");
            cursor = next.unwrap_or_default();
        }
        assert_eq!(found, ["sess_4400"], "{query}");
    }
}

#[tokio::test]
async fn pages_of_a_frequent_tag_are_full() {
    let app = TestApp::start().await;
    fill(&app, 1000, 10);
    let expected: Vec<String> = (0..100).map(|number| format!("sess_{}", 10 * number + 3)).collect();
    for (query, limit) in [("", 7), ("&sort=created", 50), ("&volume=user", 100)] {
        let query = format!("tag=t3&limit={limit}{query}");
        let found = pages(&app.api, &query).await;
        assert_same(&found, &expected, &query);
        let full = found.iter().filter(|page| page.len() == limit).count();
        assert!(full + 1 >= found.len(), "{query}");
    }
}

#[tokio::test]
async fn many_pinned_sessions_are_listed_by_filtering() {
    let app = TestApp::start().await;
    fill(&app, 2300, 10);
    let script = "for number = 1, 2300 do local key = 'session:sess_' .. number
        redis.call('SET', key, (redis.call('GET', key):gsub('\"id\"', '\"pinned\":true,\"id\"', 1))) end";
    app.redis.command::<()>(&["EVAL", script, "0"]);
    let expected: Vec<String> = (1..=2300).map(|number| format!("sess_{number}")).collect();
    for query in ["pinned=true&limit=200", "pinned=true&limit=200&volume=user&sort=created"] {
        assert_same(&pages(&app.api, query).await, &expected, query);
    }
}

#[tokio::test]
async fn index_by_creation_of_a_large_volume_is_built_in_steps() {
    let app = TestApp::start().await;
    fill(&app, 5000, 10);
    app.api.get("/api/sessions").await.assert_status(200);
    // As written by a version without the index by creation.
    app.redis.command::<()>(&["DEL", "llmos:created:all", "llmos:pinned:all"]);
    let first = app.api.get("/api/sessions?sort=created&limit=1").await;
    let first = first.assert_status(200);
    assert_eq!(ids(&first), ["sess_1"]);
    assert!((10..=30).contains(&first.round_trips()), "{}", first.round_trips());
    let second = app.api.get("/api/sessions?sort=created&limit=1").await;
    assert_eq!(second.assert_status(200).round_trips(), 1);
    let length: usize = app.redis.command(&["ZCARD", "llmos:created:all"]);
    assert_eq!(length, 5000);
}

#[tokio::test]
async fn status_changed_by_another_program_is_found_by_its_filter() {
    let app = TestApp::start().await;
    let created = create(&app.api, 3).await;
    let key = format!("session:{}", created[1]);
    let document: String = app.redis.command(&["GET", &key]);
    let document = document.replace("\"active\"", "\"completed\"");
    app.redis.command::<()>(&["SET", &key, &document]);
    // The list that contains it by mistake corrects the index.
    let list = app.api.get("/api/sessions?status=active").await;
    assert_eq!(ids(&list), [created[0].clone(), created[2].clone()]);
    for query in ["status=completed", "status=completed&volume=user"] {
        let list = app.api.get(&format!("/api/sessions?{query}")).await;
        assert_eq!(ids(&list), created[1..2], "{query}");
    }
    assert_eq!(ids(&app.api.get("/api/sessions").await), created);
}

#[tokio::test]
async fn writes_run_a_fixed_number_of_commands() {
    let app = TestApp::start().await;
    let session = app.session().await;
    app.api.append(&session.id, "x").await.assert_status(200);
    let run = || app.redis.commands_run();
    let idle = { let before = run(); run() - before };

    let before = run();
    let _ = app.session().await;
    // The script, and 9 commands in it.
    assert_eq!(run() - before - idle, 10);
    let before = run();
    app.api.append(&session.id, "y").await.assert_status(200);
    // The script, and 6 commands in it.
    assert_eq!(run() - before - idle, 7);
}
}
