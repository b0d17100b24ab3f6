//! First pages that are read with plain commands, compared with those of the script.

use serde_json::{Value, json};

use super::support::{Client, TestApp, config, in_process};

const LISTS: [&str; 5] = [
    "volume=user",
    "",
    "volume=user&limit=3",
    "volume=user&status=active&status=paused&limit=4",
    "volume=user&archived=all",
];

async fn create_with(api: &Client, mut members: Value) -> String {
    members["name"] = json!("x");
    members["volume"] = json!("user");
    let created = api.post("/api/sessions", &members).await.assert_status(201);
    created.json()["id"].as_str().unwrap().to_owned()
}

/// Returns a page, and the round trips that it took.
async fn page(api: &Client, query: &str) -> (Value, u32) {
    let page = api.get(&format!("/api/sessions?{query}")).await;
    let page = page.assert_status(200);
    (page.json(), page.round_trips())
}

/// Checks that a process that knows the lists returns what a process that has just started returns. Returns the round trips
/// of the former, the largest of all lists.
async fn compare(app: &TestApp, what: &str) -> u32 {
    let mut round_trips = 0;
    for query in LISTS {
        let (known, took) = page(&app.api, query).await;
        let started = in_process(config(&app.redis.url()));
        let (expected, _) = page(&started, query).await;
        assert_eq!(known, expected, "{what}: {query}");
        round_trips = round_trips.max(took);
    }
    round_trips
}

#[tokio::test]
async fn page_of_plain_commands_is_that_of_the_script() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for members in [
        json!({}),
        json!({"status": "paused"}),
        json!({"archived": true}),
        json!({"status": "completed"}),
        json!({"status": "paused"}),
        json!({"pinned": true, "tags": ["a"]}),
    ] {
        ids.push(create_with(&app.api, members).await);
    }
    let run = |command: &[&str]| app.redis.command::<redis::Value>(command);
    let key = |place: usize| format!("session:{}", ids[place]);
    compare(&app, "first lists").await;
    assert_eq!(compare(&app, "known lists").await, 2);

    // Sessions with equal times are in the order of their ids.
    for scope in ["all", "user:default"] {
        for (bucket, place) in [("active", 0), ("paused", 1), ("paused", 4), ("active", 5)] {
            let recent = format!("llmos:recent:{scope}:{bucket}");
            run(&["ZADD", &recent, "5000000000000000", &ids[place]]);
        }
    }
    assert_eq!(compare(&app, "equal times").await, 2);
    app.api.append(&ids[3], "x").await.assert_status(200);
    run(&[
        "RPUSH",
        &format!("{}:messages", key(1)),
        "{\"role\":\"user\",\"content\":\"x\"}",
    ]);
    assert_eq!(compare(&app, "appended messages").await, 2);

    let status = json!({"status": "completed"});
    let path = format!("/api/sessions/{}", ids[0]);
    app.api.patch(&path, &status).await.assert_status(200);
    assert_eq!(compare(&app, "another status").await, 2);

    // What the script must read.
    let document: String = app.redis.command(&["GET", &key(4)]);
    let large = format!("{}{}", document, " ".repeat(40_000));
    run(&["SET", &key(4), &large]);
    compare(&app, "a large document").await;
    assert_eq!(compare(&app, "a large document again").await, 1);
    run(&["SET", &key(4), &document]);
    compare(&app, "a small document").await;
    assert_eq!(compare(&app, "a small document again").await, 2);

    run(&["DEL", "llmos:indexed:all", "llmos:indexed:user:default"]);
    compare(&app, "a lost count").await;
    run(&["DEL", "llmos:recent:user:default:paused"]);
    compare(&app, "a lost bucket").await;
    run(&["SET", &key(4), "no json"]);
    compare(&app, "a malformed document").await;
    run(&["DEL", &key(4), &format!("{}:messages", key(4))]);
    compare(&app, "a session that another program deleted").await;
    run(&["SET", &format!("{}:messages", key(3)), "text"]);
    compare(&app, "messages of another type").await;

    let messages = format!("/api/sessions/{}/messages", ids[5]);
    for message in [
        json!({"id": "a", "role": "user", "content": "x"}),
        json!({"id": "b", "role": "user", "content": "x", "parent_id": null}),
    ] {
        app.api.post(&messages, &message).await.assert_status(200);
    }
    compare(&app, "a session with branches").await;
    let (list, round_trips) = page(&app.api, "volume=user").await;
    let branched = list["sessions"].as_array().unwrap().iter();
    let mut branched = branched.filter(|session| session["id"] == *ids[5]);
    assert_eq!(branched.next().unwrap()["message_count"], 1);
    assert_eq!(round_trips, 1);
}
