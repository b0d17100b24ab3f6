//! Skills while Blob or Redis is down, slow, or returns invalid answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::Method;
use axum::http::request::Parts;
use futures_util::future::join_all;
use llmos::config::Config;
use llmos::util::secret::Secret;
use serde_json::{Value, json};

use super::{SYSTEM, USER, document, ids, new_skill, without_content};
use crate::support::{BlobServer, Client, Fault, Redis, Response, SkillsApp, blob_config, config, in_process, put};

/// The time limit of a request during any Blob failure.
const LIMIT: Duration = Duration::from_secs(10);

/// A failure that applies to all requests to Blob.
type Failure = fn() -> Fault;

fn html(status: u16) -> Fault {
    Fault::Answer {
        status,
        headers: vec![("content-type", "text/html".to_owned())],
        body: "<html><body>Please log in</body></html>".to_owned(),
    }
}

fn too_many(seconds: &str) -> Fault {
    let body = json!({"error": {"code": "rate_limited", "message": "slow down"}});
    Fault::Answer {
        status: 429,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("retry-after", seconds.to_owned()),
        ],
        body: body.to_string(),
    }
}

/// Sends every operation concurrently.
async fn every_operation(api: &Client) -> Vec<Response> {
    let update = r#"{"description":"changed"}"#;
    let create = new_skill("new").to_string();
    let requests = [
        (Method::GET, "/api/skills?volume=user", ""),
        (Method::GET, "/api/skills?effective=true&q=one", ""),
        (Method::GET, "/api/skills/one", ""),
        (
            Method::GET,
            "/api/skills/two?volume=user&format=markdown",
            "",
        ),
        (Method::POST, "/api/skills", create.as_str()),
        (Method::PUT, "/api/skills/one", update),
        (Method::DELETE, "/api/skills/two", ""),
        (
            Method::POST,
            "/api/skills/three/usage",
            r#"{"success":true}"#,
        ),
    ];
    join_all(requests.map(|(method, path, body)| api.send_json(method, path, body))).await
}

#[track_caller]
fn assert_unavailable(response: Response) {
    assert!(response.elapsed < LIMIT, "{:?}", response.elapsed);
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(response.header("x-llmos-storage"), None);
    response.assert_error(503, "storage_unavailable");
}

/// Injects a fault into the first `times` requests with this method and this text in path or query.
fn fail_some(
    blobs: &BlobServer,
    method: Method,
    holds: &'static str,
    times: usize,
    fault: impl Fn() -> Fault + Send + Sync + 'static,
) {
    let left = Arc::new(AtomicUsize::new(times));
    blobs.fail_with(move |parts: &Parts| {
        let is_meant = parts.method == method && parts.uri.to_string().contains(holds);
        let take = |left: usize| left.checked_sub(1);
        if is_meant
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
                .is_ok()
        {
            fault()
        } else {
            Fault::Pass
        }
    });
}

async fn check_all_fail(fault: Failure) {
    let app = SkillsApp::start().await;
    for id in ["one", "two", "three"] {
        app.put(&format!("{USER}{id}.md"), document(id)).await;
    }
    // A cache entry in Redis must not hide that Blob is down.
    let before = app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200)
        .json();

    app.blobs.fail_with(move |_| fault());
    for response in every_operation(&app.api).await {
        assert_unavailable(response);
    }

    app.blobs.heal();
    let after = app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200)
        .json();
    assert_eq!(before, after);
}

#[tokio::test]
async fn all_operations_are_503_while_blob_closes_connections() {
    check_all_fail(|| Fault::Close).await;
}

#[tokio::test]
async fn all_operations_are_503_in_time_while_blob_hangs() {
    check_all_fail(|| Fault::Hang).await;
}

#[tokio::test]
async fn all_operations_are_503_while_blob_answers_html() {
    tokio::join!(check_all_fail(|| html(200)), check_all_fail(|| html(502)));
}

#[tokio::test]
async fn all_operations_are_503_while_blob_answers_429() {
    tokio::join!(
        check_all_fail(|| too_many("1")),
        check_all_fail(|| too_many("600"))
    );
}

#[tokio::test]
async fn all_operations_are_503_while_blob_answers_500() {
    tokio::join!(
        check_all_fail(|| Fault::error(500, "internal_server_error")),
        check_all_fail(|| Fault::error(503, "service_unavailable"))
    );
}

#[tokio::test]
async fn all_operations_are_503_while_blob_rejects_the_token() {
    check_all_fail(|| Fault::error(403, "forbidden")).await;
}

#[tokio::test]
async fn all_operations_are_503_while_blob_refuses_connections() {
    let redis = Redis::start().await;
    let blobs = BlobServer::start().await;
    let api = in_process(Config {
        blob: blob_config(&blobs),
        ..config(&redis.url())
    });
    drop(blobs);
    for response in every_operation(&api).await {
        assert_unavailable(response);
    }
}

#[tokio::test]
async fn truncated_blob_answer_is_never_treated_as_complete() {
    join_all([0, 1, 40].map(check_broken)).await;
}

async fn check_broken(length: usize) {
    let app = SkillsApp::start().await;
    for id in ["one", "two", "three"] {
        app.put(&format!("{USER}{id}.md"), document(id)).await;
    }
    app.blobs.fail_with(move |_| Fault::BreakBody(length));

    for response in every_operation(&app.api).await {
        assert_unavailable(response);
    }

    app.blobs.heal();
    for id in ["one", "two", "three"] {
        let content = app.content(&format!("{USER}{id}.md")).await;
        assert_eq!(content.unwrap(), document(id).as_bytes());
    }
    // The outcome of the write is unknown: it is stored completely or not at all.
    let found = app.api.get("/api/skills/new").await;
    if found.status == 200 {
        assert_eq!(found.json()["code"], new_skill("new")["code"]);
    } else {
        found.assert_error(404, "not_found");
    }
}

#[tokio::test]
async fn single_blob_failure_is_retried() {
    let app = SkillsApp::start().await;
    let faults: [(&str, Failure); 6] = [
        ("closes", || Fault::Close),
        ("loses the answer", || Fault::LoseAnswer),
        ("breaks off", || Fault::BreakBody(5)),
        ("html", || html(502)),
        ("429", || too_many("0")),
        ("500", || Fault::error(500, "internal_server_error")),
    ];
    for (index, (name, fault)) in faults.into_iter().enumerate() {
        let name = format!("{name} {index}");
        let body = new_skill(&name);
        fail_some(&app.blobs, Method::PUT, "pathname=", 1, fault);
        let created = app.api.post("/api/skills", &body).await.assert_status(201);
        let path = created.header("location").unwrap().to_owned();
        let created = created.json();
        assert_eq!(created["code"], body["code"], "{name}");

        fail_some(&app.blobs, Method::GET, "/content/", 1, fault);
        let found = app.api.get(&path).await.assert_status(200).json();
        assert_eq!(without_content(found), created, "{name}");

        fail_some(&app.blobs, Method::GET, "prefix=", 1, fault);
        let list = app
            .api
            .get("/api/skills?volume=user")
            .await
            .assert_status(200)
            .json();
        assert_eq!(list["skills"], json!([created]), "{name}");

        fail_some(&app.blobs, Method::PUT, "pathname=", 1, fault);
        let etag = format!("\"{}\"", created["etag"].as_str().unwrap());
        let api = app.api.with_header("if-match", etag);
        let changed = api
            .put(&path, &json!({"description": "new"}))
            .await
            .assert_status(200)
            .json();
        assert_eq!(changed["description"], "new", "{name}");

        fail_some(&app.blobs, Method::POST, "/delete", 1, fault);
        let etag = format!("\"{}\"", changed["etag"].as_str().unwrap());
        let api = app.api.with_header("if-match", etag);
        let deleted = api.delete(&path).await.assert_status(200).json();
        assert!(
            deleted["message"].as_str().unwrap().ends_with(" deleted"),
            "{name}"
        );
        app.blobs.heal();
        assert_eq!(app.pathnames().await, Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn creation_with_a_lost_blob_answer_is_stored_once() {
    let app = SkillsApp::start().await;
    fail_some(&app.blobs, Method::PUT, "pathname=", 1, || {
        Fault::LoseAnswer
    });

    let created = app
        .api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);

    assert_eq!(created.header("idempotency-replayed"), None);
    let puts = app
        .blobs
        .requests()
        .iter()
        .filter(|line| line.starts_with("PUT "))
        .count();
    assert_eq!(puts, 2);
    assert_eq!(app.pathnames().await, [format!("{USER}x.md")]);
    let found = app.api.get("/api/skills/x").await.assert_status(200).json();
    assert_eq!(without_content(found), created.json());
}

#[tokio::test]
async fn slow_document_does_not_delay_the_list() {
    let app = SkillsApp::start().await;
    let all = (0..30).map(|index| {
        (
            format!("{SYSTEM}s{index:02}.md"),
            document(&format!("n{index:02}")),
        )
    });
    app.put_all(all).await;
    app.blobs
        .fail_with(|parts| match parts.uri.path().ends_with("/s07.md") {
            true => Fault::Hang,
            false => Fault::Pass,
        });

    for _ in 0..2 {
        let list = app.api.get("/api/skills").await.assert_status(200);
        assert!(list.elapsed < Duration::from_secs(3), "{:?}", list.elapsed);
        let list = list.json();
        assert_eq!(ids(&list).len(), 30);
        for skill in list["skills"].as_array().unwrap() {
            let id = skill["id"].as_str().unwrap();
            let (name, warnings) = if id == "s07" {
                (id.to_owned(), 1)
            } else {
                (id.replace('s', "n"), 0)
            };
            assert_eq!(skill["name"], name);
            assert_eq!(
                skill["warnings"].as_array().unwrap().len(),
                warnings,
                "{skill}"
            );
        }
    }
    // An unreadable skill may match the filter, so the list includes it.
    let filtered = app.api.get("/api/skills?q=n03").await.assert_status(200);
    assert_eq!(ids(&filtered.json()), ["s03", "s07"]);
    app.blobs.heal();
    let filtered = app.api.get("/api/skills?q=n03").await.assert_status(200);
    assert_eq!(ids(&filtered.json()), ["s03"]);
    let list = app.api.get("/api/skills").await.assert_status(200).json();
    assert_eq!(
        (&list["skills"][7]["name"], &list["skills"][7]["warnings"]),
        (&"n07".into(), &json!([]))
    );
}

#[tokio::test]
async fn unreadable_only_document_of_a_volume_is_listed() {
    let app = SkillsApp::start().await;
    app.put(&format!("{SYSTEM}s.md"), document("x")).await;
    app.blobs.fail_with(|parts| match parts.uri.path() {
        path if path.starts_with("/_blob/content/") => Fault::Hang,
        _ => Fault::Pass,
    });

    let list = app.api.get("/api/skills").await.assert_status(200).json();

    assert_eq!(ids(&list), ["s"]);
    assert_eq!(
        list["skills"][0]["warnings"].as_array().unwrap().len(),
        1,
        "{list}"
    );
}

#[tokio::test]
async fn list_without_any_readable_document_is_503() {
    let faults: [Failure; 4] = [
        || Fault::Hang,
        || Fault::Close,
        || Fault::BreakBody(9),
        || Fault::error(500, "internal_server_error"),
    ];
    join_all(faults.map(check_no_document)).await;
}

async fn check_no_document(fault: Failure) {
    let app = SkillsApp::start().await;
    let all = (0..20).map(|index| (format!("{SYSTEM}s{index:02}.md"), document("x")));
    app.put_all(all).await;
    app.blobs.fail_with(move |parts| {
        if parts.uri.path().starts_with("/_blob/content/") {
            fault()
        } else {
            Fault::Pass
        }
    });
    assert_unavailable(app.api.get("/api/skills").await);
}

/// Checks the operations that do not need Redis.
async fn check_without_redis(api: &Client, blobs: &BlobServer) {
    put(blobs, &format!("{USER}old.md"), document("old")).await;
    for path in [
        "/api/skills?volume=user",
        "/api/skills?effective=true&tag=t",
    ] {
        let list = api.get(path).await.assert_status(200);
        assert_eq!(list.header("x-llmos-storage"), None);
        let list = list.json();
        assert_eq!(ids(&list), ["old"]);
        let skill = &list["skills"][0];
        assert_eq!(
            (&skill["name"], &skill["warnings"]),
            (&"old".into(), &json!([]))
        );
        assert_eq!(
            (&skill["usage_count"], &skill["success_rate"]),
            (&Value::Null, &Value::Null)
        );
    }
    let created = api
        .post("/api/skills", &new_skill("new"))
        .await
        .assert_status(201)
        .json();
    assert_eq!(created["usage_count"], Value::Null);
    let found = api.get("/api/skills/new").await.assert_status(200).json();
    assert_eq!(without_content(found), created);
    let changed = api
        .put("/api/skills/new", &json!({"version": "2"}))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&changed["version"], &changed["usage_count"]),
        (&"2".into(), &Value::Null)
    );
    let body = json!({"success": true});
    let used = api.post("/api/skills/new/usage", &body).await;
    used.assert_error(503, "storage_unavailable");
    api
        .post("/api/skills/none/usage", &body)
        .await
        .assert_error(404, "not_found");
    api.delete("/api/skills/new").await.assert_status(200);
    api
        .get("/api/skills/new")
        .await
        .assert_error(404, "not_found");
}

#[tokio::test]
async fn skills_are_read_and_written_while_redis_is_down() {
    let mut app = SkillsApp::start().await;
    app.api.get("/api/skills").await.assert_status(200);
    app.redis.kill();
    check_without_redis(&app.api, &app.blobs).await;

    app.redis.restart().await;
    let used = app
        .api
        .post("/api/skills/old/usage", &json!({"success": true}))
        .await;
    assert_eq!(used.assert_status(200).json()["usage_count"], 1);
}

#[tokio::test]
async fn skills_are_read_and_written_in_time_while_redis_hangs() {
    let app = SkillsApp::start().await;
    app.put(&format!("{USER}old.md"), document("old")).await;
    app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200);
    app.redis.freeze();

    let new = new_skill("new");
    let used = json!({"success": true});
    let (list, found, created, used) = tokio::join!(
        app.api.get("/api/skills?volume=user"),
        app.api.get("/api/skills/old"),
        app.api.post("/api/skills?volume=user&volume_id=x", &new),
        app.api.post("/api/skills/old/usage", &used),
    );

    app.redis.thaw();
    for response in [&list, &found, &created] {
        assert!(response.elapsed < LIMIT, "{response:?}");
    }
    let list = list.assert_status(200).json();
    assert_eq!(
        (ids(&list), &list["skills"][0]["usage_count"]),
        (vec!["old".to_owned()], &Value::Null)
    );
    assert_eq!(found.assert_status(200).json()["usage_count"], Value::Null);
    assert_eq!(
        created.assert_status(201).json()["usage_count"],
        Value::Null
    );
    assert_unavailable(used);
}

#[tokio::test]
async fn skills_are_read_and_written_with_a_missing_or_wrong_redis_url() {
    for redis_url in [None, Some("redis+unix:///nowhere/redis.sock")] {
        let blobs = BlobServer::start().await;
        let api = in_process(Config {
            blob: blob_config(&blobs),
            redis_url: redis_url.map(|url| Secret::new(url.to_owned())),
            vercel_env: Some("production".to_owned()),
            ..Config::default()
        });
        check_without_redis(&api, &blobs).await;
    }
}

#[tokio::test]
async fn malformed_cache_entry_is_read_again_from_blob() {
    let app = SkillsApp::start().await;
    app.put(&format!("{USER}x.md"), document("x")).await;
    let before = app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200)
        .json();

    for key in app.redis.keys() {
        if app.redis.command::<bool>(&["HEXISTS", key.as_str(), "x"]) {
            let _: u64 = app.redis.command(&["HSET", key.as_str(), "x", "not JSON"]);
        }
    }
    app.blobs.clear();
    let after = app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200)
        .json();
    assert_eq!(before, after);
    assert_eq!(app.blobs.requests().len(), 2);
}
