//! Data written by the Python version is read and written like our own.

use serde_json::{Value, json};

use super::support::{TestApp, write_python_session};

const IDS: [&str; 5] = [
    "sess_my_name_1765706400",
    "sess_a:b:messages:c_1765706401",
    "sess_path/to/../thing_1765706402",
    "sess_größe_日本語_1765706403",
    "sess_two  blanks.and%20more_1765706404",
];

async fn legacy_app() -> TestApp {
    let app = TestApp::start().await;
    for (minute, id) in IDS.iter().enumerate() {
        write_python_session(&app.redis, id, minute);
    }
    app
}

/// Percent-encodes a path segment.
fn encode(id: &str) -> String {
    id.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[tokio::test]
async fn first_list_of_python_data_is_complete_and_ordered() {
    let app = legacy_app().await;

    for path in [
        "/api/sessions?volume=user",
        "/api/sessions",
        "/api/sessions?status=active",
    ] {
        let list = app.api.get(path).await.assert_status(200);
        let ids: Vec<Value> = list.json()["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["id"].clone())
            .collect();
        assert_eq!(ids, IDS.iter().rev().copied().collect::<Vec<_>>(), "{path}");
    }
    let session = app.api.get("/api/sessions?limit=1").await.json()["sessions"][0].clone();
    assert_eq!(session["name"], "My Name");
    assert_eq!(session["traces_count"], 2);
    assert_eq!(session["message_count"], 2);
    assert_eq!(session["updated_at"], "2025-12-14T10:04:00.123456Z");
    assert!(session.get("messages").is_none());
}

#[tokio::test]
async fn python_session_is_read_unchanged() {
    let app = legacy_app().await;

    for id in IDS {
        let found = app
            .api
            .get(&format!("/api/sessions/{}", encode(id)))
            .await
            .assert_status(200);
        let session = found.json();
        assert_eq!(session["id"], id);
        let messages = session["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(
            messages[1],
            json!({"id": "msg_2", "seq": 2, "parent_id": "msg_1", "role": "user", "content": "second",
            "timestamp": "2025-12-14T10:00:00Z", "traces": null, "artifacts": null, "parts": null, "metadata": null,
            "status": "completed", "model": null, "usage": null, "updated_at": "2025-12-14T10:00:00Z"})
        );
        let text = String::from_utf8_lossy(&found.body).into_owned();
        assert!(
            text.contains(r#""metadata":{"z": 1.0, "a": 9007199254740993}"#),
            "{text}"
        );
    }
}

#[tokio::test]
async fn python_session_can_be_appended_updated_and_deleted() {
    let app = legacy_app().await;

    for id in IDS {
        let path = format!("/api/sessions/{}", encode(id));
        let message = json!({"role": "assistant", "content": "third"});
        let appended = app
            .api
            .post(&format!("{path}/messages"), &message)
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            (&appended["messages"][0]["seq"], &appended["message_count"]),
            (&json!(3), &json!(3))
        );
        let updated = app
            .api
            .patch(&path, &json!({"metadata": {"n": 1}}))
            .await
            .assert_status(200);
        let text = String::from_utf8_lossy(&updated.body).into_owned();
        assert!(
            text.contains(r#""metadata":{"z":1.0,"a":9007199254740993,"n":1}"#),
            "{text}"
        );
        let document: String = app.redis.command(&["GET", &format!("session:{id}")]);
        assert!(
            document.contains(r#""custom":{"kept": [1.50, null]}"#),
            "{document}"
        );
        let list = app
            .api
            .get("/api/sessions?limit=1")
            .await
            .assert_status(200)
            .json();
        assert_eq!(list["sessions"][0]["id"], id);
    }
    for id in IDS {
        app.api
            .delete(&format!("/api/sessions/{}", encode(id)))
            .await
            .assert_status(200);
    }
    assert_eq!(app.redis.keys(), [""; 0]);
}

#[tokio::test]
async fn later_sessions_of_the_python_version_are_listed() {
    let app = legacy_app().await;
    let ours = app.api.create_session("ours").await;
    let count = async || {
        app.api.get("/api/sessions").await.json()["sessions"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count().await, 6);

    write_python_session(&app.redis, "sess_late_1765706500", 30);
    assert_eq!(count().await, 7);

    app.redis
        .command::<()>(&["DEL", "session:sess_late_1765706500"]);
    app.redis
        .command::<()>(&["SREM", "all:sessions", "sess_late_1765706500"]);
    assert_eq!(count().await, 6);

    // An id without a session, which the Python version sometimes leaves behind.
    app.redis
        .command::<()>(&["SADD", "all:sessions", "sess_dangling"]);
    assert_eq!(count().await, 6);
    let first = app
        .api
        .get("/api/sessions?limit=1")
        .await
        .assert_status(200)
        .json();
    assert_eq!(first["sessions"][0]["id"], ours.as_str());
}

#[tokio::test]
async fn lost_index_is_rebuilt() {
    let app = legacy_app().await;
    let before = app.api.get("/api/sessions").await.assert_status(200).json();
    assert_eq!(before["sessions"].as_array().unwrap().len(), IDS.len());

    for key in app
        .redis
        .keys()
        .iter()
        .filter(|key| key.starts_with("llmos:recent"))
    {
        app.redis.command::<()>(&["DEL", key]);
        assert_eq!(
            app.api.get("/api/sessions").await.assert_status(200).json(),
            before,
            "{key}"
        );
    }
}

one_redis! {
/// Writes many sessions, each with `padding` bytes that the list does not return.
fn write_many(redis: &crate::support::Redis, count: usize, padding: usize) {
    let script = r#"local padding = string.rep('x', tonumber(ARGV[2]))
        for number = 1, tonumber(ARGV[1]) do
          local id = 'sess_' .. number
          redis.call('SADD', 'user:default:sessions', id)
          redis.call('SET', 'session:' .. id, '{"id": "' .. id .. '", "name": "x", "volume": "user", "volume_id": '
            .. '"default", "status": "active", "messages": ["' .. padding .. '"], "metadata": {}, '
            .. '"created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:'
            .. string.format('%02d', number % 60) .. ':00Z"}')
        end"#;
    redis.command::<()>(&[
        "EVAL",
        script,
        "0",
        &count.to_string(),
        &padding.to_string(),
    ]);
}

#[tokio::test]
async fn large_volume_is_indexed_once_in_batches_of_five_hundred() {
    let app = TestApp::start().await;
    write_many(&app.redis, 7000, 0);

    let path = "/api/sessions?volume=user&limit=200";
    let first = app.api.get(path).await.assert_status(200);
    let second = app.api.get(path).await.assert_status(200);

    assert!(
        (14..=28).contains(&first.round_trips()),
        "{}",
        first.round_trips()
    );
    assert!(second.round_trips() <= 2);
    assert_eq!(first.json(), second.json());
    let minute = |index: usize| {
        let session = &first.json()["sessions"][index];
        session["updated_at"].as_str().unwrap()[14..16].to_owned()
    };
    assert_eq!([minute(0), minute(115), minute(116)], ["59", "59", "58"]);
}

#[tokio::test]
async fn concurrent_first_lists_share_the_indexing() {
    let app = TestApp::start().await;
    write_many(&app.redis, 20_000, 0);

    let lists = (0..40).map(|_| {
        let api = app.api.clone();
        tokio::spawn(async move {
            let list = api
                .get("/api/sessions?volume=user&limit=1")
                .await
                .assert_status(200);
            (
                list.round_trips(),
                list.json()["sessions"][0]["updated_at"].clone(),
            )
        })
    });
    let (mut round_trips, mut newest) = (0, Vec::new());
    for list in lists.collect::<Vec<_>>() {
        let (own, time) = list.await.unwrap();
        round_trips += own;
        newest.push(time);
    }

    newest.dedup();
    assert_eq!(newest, ["2025-01-01T00:59:00Z"]);
    // Indexing alone would take 40 calls for each list, 1,600 for all.
    assert!(round_trips < 200, "{round_trips}");
}

#[tokio::test]
async fn large_documents_do_not_block_redis_or_exceed_the_page_size() {
    let app = TestApp::start().await;
    write_many(&app.redis, 200, 350_000);
    app.redis.command::<()>(&["SLOWLOG", "RESET"]);

    let (mut sizes, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/sessions?volume=user&limit=200&cursor={cursor}");
        let page = app.api.get(&path).await.assert_status(200).json();
        sizes.push(page["sessions"].as_array().unwrap().len());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }

    assert_eq!(sizes.iter().sum::<usize>(), 200);
    assert!(sizes.iter().all(|size| *size <= 11), "{sizes:?}");
    let slow: Vec<(u64, u64, u64)> = app
        .redis
        .command::<Vec<Vec<redis::Value>>>(&["SLOWLOG", "GET", "1000"])
        .iter()
        .map(|entry| redis::from_redis_value(redis::Value::Array(entry[..3].to_vec())).unwrap())
        .collect();
    assert!(
        slow.iter().all(|(_, _, micros)| *micros < 500_000),
        "{slow:?}"
    );
}
}

#[tokio::test]
async fn page_is_filled_when_many_sessions_are_deleted() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for number in 0..70 {
        ids.push(app.api.create_session(&number.to_string()).await);
    }
    for id in &ids[10..] {
        app.redis.command::<()>(&[
            "DEL",
            &format!("session:{id}"),
            &format!("session:{id}:messages"),
        ]);
        app.redis.command::<()>(&["SREM", "all:sessions", id]);
        app.redis
            .command::<()>(&["SREM", "user:default:sessions", id]);
    }

    let list = app
        .api
        .get("/api/sessions?volume=user&limit=10")
        .await
        .assert_status(200)
        .json();

    assert_eq!(list["sessions"].as_array().unwrap().len(), 10);
    assert_eq!(list["sessions"][0]["id"], ids[9].as_str());
    assert_eq!(list["next_cursor"], Value::Null);
}

#[tokio::test]
async fn status_changed_by_the_python_version_lists_the_session_once() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let document: String = app.redis.command(&["GET", &session.key()]);
    let changed = document.replace("\"active\"", "\"paused\"");
    app.redis.command::<()>(&["SET", &session.key(), &changed]);

    app.api.append(&session.id, "y").await.assert_status(200);

    for (query, expected) in [
        ("volume=user", 1),
        ("", 1),
        ("status=paused", 1),
        ("status=active", 0),
    ] {
        let list = app
            .api
            .get(&format!("/api/sessions?{query}"))
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            list["sessions"].as_array().unwrap().len(),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn nan_and_infinity_of_python_are_null() {
    let app = TestApp::start().await;
    write_python_session(&app.redis, "sess_x_1", 0);
    let document: String = app.redis.command(&["GET", "session:sess_x_1"]);
    app.redis
        .command::<()>(&["SET", "session:sess_x_1", &document.replace("1.0", "NaN")]);
    let message = r#"{"role": "tool", "content": "NaN", "timestamp": "2025-12-14T10:00:00Z", "traces": [NaN, -Infinity], "artifacts": null}"#;
    app.redis
        .command::<()>(&["RPUSH", "session:sess_x_1:messages", message]);

    let session = app
        .api
        .get("/api/sessions/sess_x_1")
        .await
        .assert_status(200)
        .json();
    assert_eq!(session["metadata"]["z"], Value::Null);
    assert_eq!(session["messages"][2]["traces"], json!([null, null]));
    assert_eq!(session["messages"][2]["content"], "NaN");
    let change = json!({"metadata": {"n": 1}});
    let updated = app
        .api
        .patch("/api/sessions/sess_x_1", &change)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        updated["metadata"],
        json!({"z": null, "a": 9_007_199_254_740_993_u64, "n": 1})
    );
}

#[tokio::test]
async fn malformed_message_keeps_its_place_with_an_error() {
    let app = TestApp::start().await;
    write_python_session(&app.redis, "sess_x_1", 0);
    app.redis
        .command::<()>(&["LSET", "session:sess_x_1:messages", "0", "not json"]);

    let list = app
        .api
        .get("/api/sessions/sess_x_1/messages")
        .await
        .assert_status(200)
        .json();

    assert_eq!(
        list["messages"][0],
        json!({"id": "msg_1", "seq": 1, "parent_id": null, "role": null, "content": null, "timestamp": null,
        "traces": null, "artifacts": null, "parts": null, "metadata": null, "status": "completed", "model": null,
        "usage": null, "updated_at": null, "unreadable": true})
    );
    assert_eq!(list["messages"][1]["content"], "second");
    assert!(list["messages"][1].get("unreadable").is_none());
}

#[tokio::test]
async fn unknown_status_is_listed_and_can_be_changed() {
    let app = TestApp::start().await;
    write_python_session(&app.redis, "sess_x_1", 0);
    let document: String = app.redis.command(&["GET", "session:sess_x_1"]);
    app.redis.command::<()>(&[
        "SET",
        "session:sess_x_1",
        &document.replace("\"active\"", "\"archived\""),
    ]);

    let list = app.api.get("/api/sessions").await.assert_status(200).json();
    assert_eq!(list["sessions"][0]["status"], "archived");
    app.api
        .patch("/api/sessions/sess_x_1", &json!({"status": "active"}))
        .await
        .assert_status(200);
    let list = app
        .api
        .get("/api/sessions?status=active")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    let list = app.api.get("/api/sessions").await.assert_status(200).json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn unreadable_session_is_listed_and_hides_no_other() {
    let app = legacy_app().await;
    app.redis
        .command::<()>(&["SET", "session:sess_text", "not json"]);
    app.redis
        .command::<()>(&["RPUSH", "session:sess_list", "x"]);
    app.redis
        .command::<()>(&["SET", "session:sess_number", "5"]);
    app.redis
        .command::<()>(&["SETRANGE", "session:sess_huge", "2000000", "x"]);
    let broken = ["sess_huge", "sess_list", "sess_number", "sess_text"];
    for id in broken {
        app.redis.command::<()>(&["SADD", "all:sessions", id]);
    }

    let list = app.api.get("/api/sessions").await.assert_status(200).json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), IDS.len());
    let mut unreadable: Vec<&str> = list["unreadable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    unreadable.sort_unstable();
    assert_eq!(unreadable, broken);
    for id in broken {
        let path = format!("/api/sessions/{id}");
        app.api.get(&path).await.assert_error(500, "internal");
        app.api
            .patch(&path, &json!({"name": "x"}))
            .await
            .assert_error(500, "internal");
        app.api.delete(&path).await.assert_status(200);
    }
    assert!(
        app.api
            .get("/api/sessions")
            .await
            .assert_status(200)
            .json()
            .get("unreadable")
            .is_none()
    );
}
