//! Malformed documents in filtered lists and in batches, and hostile values of filters and batches.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Response, TestApp};

const BATCH: &str = "/api/sessions/batch";
const FILTERS: [&str; 8] = [
    "tag=a",
    "metadata.a=1",
    "pinned=true",
    "pinned=false",
    "archived=all",
    "archived=true",
    "sort=created",
    "status=active&status=paused&sort=created&order=asc&archived=all",
];

/// Returns documents whose members have other types than those of the service.
fn odd_documents(document: &str) -> Vec<String> {
    let mut odd: Vec<String> = ["no json", "[]", "null", "{}"].map(str::to_owned).into();
    for (member, value) in [
        ("tags", json!("a")),
        ("tags", json!({"a": 1})),
        ("tags", json!(["a", 5, null, ["a"]])),
        ("metadata", json!(5)),
        ("metadata", json!([{"a": 1}])),
        ("metadata", json!({"a": {"a": 1}, "": null})),
        ("pinned", json!("yes")),
        ("archived", json!(5)),
        ("status", json!(["active"])),
        ("created_at", json!("yesterday")),
        ("updated_at", json!(-1e300)),
    ] {
        let mut changed: Value = serde_json::from_str(document).unwrap();
        changed[member] = value;
        odd.push(changed.to_string());
    }
    odd
}

fn ids(list: &Value) -> BTreeSet<String> {
    let sessions = list["sessions"].as_array().unwrap().iter();
    let sessions = sessions.map(|session| session["id"].as_str().unwrap().to_owned());
    let unreadable = list["unreadable"].as_array().into_iter().flatten();
    sessions
        .chain(unreadable.map(|id| id.as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn odd_documents_do_not_hide_others_from_filters_and_batches() {
    let app = TestApp::start().await;
    let create = async |tags: Value| {
        let body = json!({"name": "x", "volume": "user", "tags": tags, "metadata": {"a": 1}});
        let created = app.api.post("/api/sessions", &body).await;
        created.assert_status(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let good = create(json!(["a"])).await;
    let bad = create(json!(["a"])).await;
    let key = format!("session:{bad}");
    let document: String = app.redis.command(&["GET", &key]);
    for odd in odd_documents(&document) {
        app.redis.command::<()>(&["SET", &key, &odd]);
        for filter in FILTERS {
            for volume in ["", "&volume=user"] {
                let path = format!("/api/sessions?{filter}{volume}");
                let list = app.api.get(&path).await.assert_status(200).json();
                let matches = !filter.contains("=true");
                assert_eq!(ids(&list).contains(&good), matches, "{odd} {path} {list}");
            }
        }
        let change = json!({"ids": [bad, good], "set": {"tags_add": ["b"]}});
        let changed = app.api.post(BATCH, &change).await.assert_status(200).json();
        assert_eq!(changed["matched"], 2, "{odd}");
        let failed = changed["failed"].as_array().unwrap();
        assert!(failed.iter().all(|it| it["id"] == *bad), "{changed}");
        let found = app.api.get(&format!("/api/sessions/{good}")).await.json();
        assert_eq!(found["tags"], json!(["a", "b"]), "{odd}");
        for filter in [
            json!({"tag": "b"}),
            json!({"metadata": {"a": 1}, "archived": "all"}),
        ] {
            let change = json!({"filter": filter, "set": {"tags_remove": ["b"]}, "dry_run": true});
            let counted = app.api.post(BATCH, &change).await.assert_status(200).json();
            assert!(counted["changed"].as_u64() >= Some(1), "{odd} {counted}");
        }
        let change = json!({"ids": [good], "set": {"tags_remove": ["b"]}});
        app.api.post(BATCH, &change).await.assert_status(200);
    }
    let delete = json!({"ids": [bad], "delete": true});
    let deleted = app.api.post(BATCH, &delete).await.assert_status(200).json();
    assert_eq!(
        (&deleted["changed"], &deleted["failed"]),
        (&json!(1), &json!([]))
    );
}

/// Checks that a request was rejected by the client's fault.
#[track_caller]
fn assert_rejected(response: &Response, what: &str) {
    let status = response.status.as_u16();
    assert!([400, 413, 422].contains(&status), "{status} {what}");
}

#[tokio::test]
async fn hostile_values_of_filters_are_rejected_or_match_nothing() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let long = "x".repeat(4096);
    let deep = "%5B".repeat(500);
    for query in [
        "status=",
        "tag=%00",
        "pinned=%00",
        "archived=true%0a",
        "sort=updated%00",
        "order=DESC",
        "limit=-1",
        "limit=1e3",
        "limit=99999999999999999999",
        "cursor=%00",
        "cursor=AAAA",
        "fields=id%00",
        "volume=user&volume_id=%0a",
        "volume=user&volume_id=..",
        &format!("tag={long}"),
        &format!("volume=user&volume_id={long}"),
        &format!("cursor={long}"),
    ] {
        let response = app.api.get(&format!("/api/sessions?{query}")).await;
        if query != "status=" {
            assert_rejected(&response, query);
        }
    }
    // Any name and value of metadata are data. Bytes that are not UTF-8 become replacement characters.
    for query in [
        "tag=%ff%fe",
        "tag=%ed%a0%80",
        "metadata.=1",
        "metadata.__proto__=1",
        "metadata.a.b=1",
        "metadata.%22=%22",
        "metadata.a=%7B%7D",
        "metadata.a=1e999",
        "metadata.a=NaN",
        "metadata.a=%25",
        &format!("metadata.{long}={long}"),
        &format!("metadata.a={deep}"),
    ] {
        let response = app.api.get(&format!("/api/sessions?{query}")).await;
        let list = response.assert_status(200).json();
        assert_eq!(list["sessions"], json!([]), "{query}");
    }
    app.api
        .get(&format!("/api/sessions/{id}"))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn hostile_batches_are_rejected_and_change_nothing() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let before = app.redis.dump();
    let set = r#"{"pinned":true}"#;
    let with_filter = |filter: &str| format!(r#"{{"filter":{filter},"set":{set}}}"#);
    let with_set = |set: &str| format!(r#"{{"ids":["{id}"],"set":{set}}}"#);
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let long = "k".repeat(10_000);
    let mut bodies: Vec<String> = ["", "[]", "null", "{", "{}", "\"\\ud800\""]
        .map(str::to_owned)
        .into();
    for ids in [
        "5",
        "{}",
        "\"x\"",
        "[5]",
        "[null]",
        &deep,
        &format!("[{}]", vec![r#""x""#; 501].join(",")),
    ] {
        bodies.push(format!(r#"{{"ids":{ids},"set":{set}}}"#));
    }
    for filter in [
        "5",
        "[]",
        r#"{"__proto__":1}"#,
        r#"{"":1}"#,
        &format!(r#"{{"{long}":1}}"#),
        r#"{"tag":{}}"#,
        r#"{"tag":[[]]}"#,
        r#"{"tag":"\u0000"}"#,
        r#"{"tag":5}"#,
        r#"{"status":[5]}"#,
        r#"{"archived":"yes"}"#,
        r#"{"pinned":1}"#,
        r#"{"metadata":[]}"#,
        r#"{"metadata":{"a":null}}"#,
        &format!(r#"{{"metadata":{{"a":{deep}}}}}"#),
        r#"{"sort":5}"#,
        r#"{"volume":"all"}"#,
        r#"{"volume":"user","volume_id":"\u0000"}"#,
        r#"{"tag":"a","tag":"b"}"#,
    ] {
        bodies.push(with_filter(filter));
    }
    for set in [
        "5",
        "[]",
        "{}",
        r#"{"__proto__":{"pinned":true}}"#,
        r#"{"status":"gone"}"#,
        r#"{"pinned":"true"}"#,
        r#"{"tags_add":"a"}"#,
        r#"{"tags_add":["\u0007"]}"#,
        r#"{"tags_add":[[]]}"#,
        r#"{"tags_add":["a"],"tags_remove":["a"]}"#,
        r#"{"pinned":true,"pinned":false}"#,
        &format!(r#"{{"tags_add":["{long}"]}}"#),
    ] {
        bodies.push(with_set(set));
    }
    bodies.push(format!(r#"{{"ids":["{id}"],"set":{set},"delete":true}}"#));
    bodies.push(format!(r#"{{"ids":["{id}"],"filter":{{}},"delete":true}}"#));
    bodies.push(format!(
        r#"{{"ids":["{id}"],"delete":true,"cursor":"AAAA"}}"#
    ));
    bodies.push(r#"{"filter":{},"delete":true,"cursor":"AAAA"}"#.to_owned());
    for body in bodies {
        let response = app.api.send_json(Method::POST, BATCH, body.clone()).await;
        assert_rejected(&response, &body[..body.len().min(200)]);
    }
    assert_eq!(app.redis.dump(), before);

    // Ids that no session can have are not found.
    let odd = ["", "\0", "../x", &*"i".repeat(2000), "__proto__", "*"];
    let body = json!({"ids": odd, "delete": true});
    let failed = app.api.post(BATCH, &body).await.assert_status(200).json();
    let failed = failed["failed"].as_array().unwrap().clone();
    assert_eq!(failed.len(), odd.len());
    assert!(
        failed.iter().all(|it| it["code"] == "not_found"),
        "{failed:?}"
    );
    assert_eq!(app.redis.dump(), before);
}
