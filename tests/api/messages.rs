//! `/api/sessions/{id}/messages`: append and read.

use axum::http::Method;
use serde_json::{Value, json};

use super::support::{Response, TestApp};

#[track_caller]
fn seqs(response: &Response) -> Vec<u64> {
    let list = response.json();
    list["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["seq"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn appended_message_is_read_back_unchanged() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();

    let body = json!({"role": "user", "content": "Create a quantum circuit", "timestamp": "2025-12-14T10:00:00Z"});
    let appended = app.api.post(&path, &body).await.assert_status(200).json();
    let list = app.api.get(&path).await.assert_status(200).json();

    assert_eq!(appended["message"], "Message added to session");
    assert_eq!(appended["message_count"], 1);
    assert!(path.contains(appended["session_id"].as_str().unwrap()));
    assert_eq!(appended["messages"], list["messages"]);
    assert_eq!(list["has_more"], false);
    assert_eq!(list["messages"][0]["timestamp"], "2025-12-14T10:00:00Z");
}

#[tokio::test]
async fn timestamp_is_converted_to_utc_and_defaults_to_now() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let now = chrono::Utc::now();

    let body = json!({"messages": [
        {"role": "user", "content": "a", "timestamp": "2025-12-14T12:30:00.5+02:30"},
        {"role": "user", "content": "b"},
    ]});
    let appended = app.api.post(&path, &body).await.assert_status(200).json();

    assert_eq!(
        appended["messages"][0]["timestamp"],
        "2025-12-14T10:00:00.500Z"
    );
    let made = appended["messages"][1]["timestamp"].as_str().unwrap();
    assert!(made.ends_with('Z'));
    let made: chrono::DateTime<chrono::Utc> = made.parse().unwrap();
    assert!((made - now).num_seconds().abs() < 60);
}

#[tokio::test]
async fn attached_values_are_returned_verbatim() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let attached =
        r#""traces":[{"z":1.0,"a":9007199254740993}, 1e400000],"artifacts":{"b":"é\n","a":[]}"#;
    let refused = format!(r#"{{"role":"tool","content":"x",{attached}}}"#);
    let taken = refused.replace(", 1e400000", ",1e300");

    app.api
        .send_json(Method::POST, &path, refused)
        .await
        .assert_error(400, "invalid_request");
    let appended = app
        .api
        .send_json(Method::POST, &path, taken.clone())
        .await
        .assert_status(200);
    let list = app.api.get(&path).await.assert_status(200);

    let kept = taken.split_once(r#""x","#).unwrap().1.trim_end_matches('}');
    for answer in [appended, list] {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(text.contains(kept), "{text}");
    }
}

#[tokio::test]
async fn batch_is_appended_in_order_and_atomically() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let message = |number: usize| json!({"role": "assistant", "content": number.to_string()});
    let batch = |count: usize| json!({"messages": (0..count).map(message).collect::<Vec<Value>>()});

    let appended = app.api.post(&path, &batch(100)).await.assert_status(200);
    assert_eq!(seqs(&appended), (1..=100).collect::<Vec<u64>>());

    let mut flawed = batch(50);
    flawed["messages"][37]["content"] = json!("");
    app.api
        .post(&path, &flawed)
        .await
        .assert_invalid("messages[37].content");
    app.api
        .post(&path, &batch(101))
        .await
        .assert_invalid("messages");
    app.api
        .post(&path, &batch(0))
        .await
        .assert_invalid("messages");
    let list = app
        .api
        .get(&format!("{path}?limit=200"))
        .await
        .assert_status(200);
    assert_eq!(seqs(&list), (1..=100).collect::<Vec<u64>>());
}

#[tokio::test]
async fn messages_are_paged_in_both_directions() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let batch: Vec<Value> = (0..90)
        .map(|n| json!({"role": "user", "content": n.to_string()}))
        .collect();
    app.api
        .post(&path, &json!({"messages": batch}))
        .await
        .assert_status(200);

    let cases: [(&str, std::ops::RangeInclusive<u64>, bool); 12] = [
        ("", 41..=90, true),
        ("limit=90", 1..=90, false),
        ("limit=3", 88..=90, true),
        ("after=0&limit=25", 1..=25, true),
        ("after=25&limit=65", 26..=90, false),
        ("after=89", 90..=90, false),
        ("before=91&limit=41", 50..=90, true),
        ("before=50&limit=49", 1..=49, false),
        ("before=2", 1..=1, false),
        ("after=10&before=14", 11..=13, false),
        ("after=10&before=80&limit=21", 11..=31, true),
        ("after=&before=&limit=2", 89..=90, true),
    ];
    for (query, expected, has_more) in cases {
        let page = app
            .api
            .get(&format!("{path}?{query}"))
            .await
            .assert_status(200);
        assert_eq!(seqs(&page), expected.collect::<Vec<u64>>(), "{query}");
        assert_eq!(page.json()["has_more"], has_more, "{query}");
    }
    for query in [
        "after=90",
        "before=1",
        "before=0",
        "after=20&before=21",
        "after=18446744073709551615",
    ] {
        let page = app
            .api
            .get(&format!("{path}?{query}"))
            .await
            .assert_status(200);
        assert_eq!(
            page.json(),
            json!({"messages": [], "has_more": false}),
            "{query}"
        );
    }
}

#[tokio::test]
async fn session_includes_its_latest_messages() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    for number in 1..=3 {
        app.api
            .append(&session.id, &number.to_string())
            .await
            .assert_status(200);
    }

    for (limit, expected) in [
        ("0", vec![]),
        ("2", vec![2, 3]),
        ("200", vec![1, 2, 3]),
        ("", vec![1, 2, 3]),
    ] {
        let found = app
            .api
            .get(&format!("{}?messages={limit}", session.path()))
            .await
            .assert_status(200);
        assert_eq!(seqs(&found), expected);
        assert_eq!(found.json()["message_count"], 3);
    }
}

#[tokio::test]
async fn append_updates_the_last_activity() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let path = session.path();
    let before = app.api.get(&path).await.assert_status(200).json();

    app.api.append(&session.id, "y").await.assert_status(200);

    let after = app.api.get(&path).await.assert_status(200).json();
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    let list = app.api.get("/api/sessions").await.assert_status(200).json();
    assert_eq!(list["sessions"][0]["updated_at"], after["updated_at"]);
}

#[tokio::test]
async fn page_is_limited_by_response_size() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let large = "x".repeat(256 * 1024);
    for _ in 0..20 {
        app.api.append(&session.id, &large).await.assert_status(200);
    }

    let path = session.messages_path();
    let forwards = app
        .api
        .get(&format!("{path}?after=0"))
        .await
        .assert_status(200);
    let latest = app.api.get(&path).await.assert_status(200);

    for page in [&forwards, &latest] {
        assert!(page.body.len() < 4_500_000);
        assert_eq!(
            (seqs(page).len(), &page.json()["has_more"]),
            (15, &json!(true))
        );
    }
    assert_eq!(
        (seqs(&forwards)[0], *seqs(&latest).last().unwrap()),
        (1, 20)
    );
    let rest = app
        .api
        .get(&format!("{path}?after=15"))
        .await
        .assert_status(200);
    assert_eq!(seqs(&rest), [16, 17, 18, 19, 20]);
}

#[tokio::test]
async fn concurrent_appends_lose_nothing() {
    let app = TestApp::shared().await;
    let session = app.session().await;

    let writers = (0..64).map(|writer| {
        let (api, id) = (app.api.clone(), session.id.clone());
        tokio::spawn(async move {
            for number in 0..10 {
                api.append(&id, &format!("{writer}-{number}"))
                    .await
                    .assert_status(200);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }

    let mut contents = Vec::new();
    for page in 0..4 {
        let path = format!("{}?limit=200&after={}", session.messages_path(), page * 200);
        let list = app.api.get(&path).await.assert_status(200).json();
        for message in list["messages"].as_array().unwrap() {
            assert_eq!(message["seq"], contents.len() + 1);
            contents.push(message["content"].as_str().unwrap().to_owned());
        }
    }
    contents.sort();
    contents.dedup();
    assert_eq!(contents.len(), 640);
}
