//! Redis round trips of the rate limit: none where a script runs anyway, otherwise one.

use axum::http::Method;
use llmos::auth::new_key;
use llmos::config::Config;
use llmos::util::secret::Secret;
use serde_json::json;

use super::super::support::{
    BlobServer, Client, Mode, Proxy, Redis, Response, SkillsApp, TestApp, blob_config, in_process,
};
use super::{UNKNOWN, assert_limited, limited, limited_keys, list, with_key};

/// Calls each route once and returns its round trips.
async fn round_trips(api: &Client) -> Vec<(String, u32)> {
    let mut costs = Vec::new();
    let mut note = |name: &str, response: Response| {
        assert!(response.status.is_success(), "{name} {response:?}");
        costs.push((name.to_owned(), response.round_trips()));
    };
    let created = api.session("x").await;
    let path = created.path();
    let session = json!({"name": "x", "volume": "user"});
    note("create session", api.post("/api/sessions", &session).await);
    note("list sessions", list(api).await);
    note("find session", api.get(&path).await);
    note("append", api.append(&created.id, "y").await);
    note("list messages", api.get(&format!("{path}/messages")).await);
    note(
        "update session",
        api.patch(&path, &json!({"name": "y"})).await,
    );
    note("delete session", api.delete(&path).await);
    let skill = json!({"name": "A B", "description": "x", "code": "x", "language": "python"});
    note("create skill", api.post("/api/skills", &skill).await);
    note("list skills", api.get("/api/skills").await);
    note("find skill", api.get("/api/skills/a-b").await);
    note(
        "update skill",
        api.patch("/api/skills/a-b", &json!({"code": "y"})).await,
    );
    let used = json!({"success": true});
    note("use skill", api.post("/api/skills/a-b/usage", &used).await);
    note("delete skill", api.delete("/api/skills/a-b").await);
    let text = api.with_header("content-type", "text/plain");
    note(
        "put file",
        text.send(Method::PUT, "/api/files/a", b"x".to_vec()).await,
    );
    note("list files", api.get("/api/files").await);
    note("get file", api.get("/api/files/a").await);
    note("delete file", api.delete("/api/files/a").await);
    costs
}

#[tokio::test]
async fn rate_limit_adds_no_round_trip_to_sessions_and_at_most_one_elsewhere() {
    let app = SkillsApp::start().await;
    // The first call of each script may take another round trip, because Redis does not have it yet.
    let _ = round_trips(&app.api).await;
    let without = round_trips(&app.api).await;
    let mut config = limited(&app.redis, 600);
    config.blob = blob_config(&app.blobs);
    let limited = in_process(config);
    let _ = round_trips(&limited).await;
    let with = round_trips(&limited).await;

    for ((name, without), (_, with)) in without.iter().zip(&with) {
        let (without, with) = (*without, *with);
        if name.contains("session") || name == "append" || name == "list messages" {
            let is_read_first = ["update session", "list sessions"].contains(&name.as_str());
            let expected = if is_read_first { 2 } else { 1 };
            assert_eq!((without, with), (expected, expected), "{name}");
        } else {
            assert!(with <= 2 && with <= without + 1, "{name}: {without} {with}");
        }
    }
}

#[tokio::test]
async fn disabled_limit_sends_no_headers_and_stores_nothing() {
    let app = SkillsApp::start().await;
    for path in ["/api/sessions", "/api/skills", "/api/files", "/api/nothing"] {
        let response = app.api.get(path).await;
        for name in ["ratelimit", "ratelimit-policy", "retry-after"] {
            assert_eq!(response.header(name), None, "{path}");
        }
        if path == "/api/files" {
            assert_eq!(response.round_trips(), 0);
        }
    }
    let keys = app.redis.keys();
    assert!(keys.iter().all(|key| !key.contains("rate")), "{keys:?}");
}

#[tokio::test]
async fn update_with_two_round_trips_counts_once() {
    let app = TestApp::start().await;
    let session = app.session().await;
    let api = in_process(limited(&app.redis, 2));
    let path = session.path();
    // The first call of each script may take another round trip, because Redis does not have it yet.
    let first = app.api.patch(&path, &json!({"name": "x2"})).await;
    first.assert_status(200);
    for name in ["y", "z"] {
        let updated = api.patch(&path, &json!({"name": name})).await;
        assert_eq!(updated.assert_status(200).round_trips(), 2);
    }
    assert_limited(api.patch(&path, &json!({"name": "w"})).await, 2);
}

#[tokio::test]
async fn script_resent_after_noscript_counts_once() {
    let redis = Redis::start().await;
    let api = in_process(limited(&redis, 3));
    list(&api).await.assert_status(200);
    redis.command::<()>(&["SCRIPT", "FLUSH"]);
    let again = list(&api).await.assert_status(200);
    assert_eq!(super::left(&again, 3).0, 1);
}

#[tokio::test]
async fn unauthenticated_requests_do_not_reach_redis() {
    let redis = Redis::start().await;
    let blobs = BlobServer::start().await;
    let (key, entry) = new_key("deploy", "admin").unwrap();
    let api = limited_keys(&redis, 1, &[entry]);
    for path in ["/api/sessions", "/api/skills", "/api/files"] {
        let unknown = with_key(&api, "llmos_unknown");
        for unauthenticated in [&api, &unknown] {
            let refused = unauthenticated.get(path).await;
            assert_eq!(refused.round_trips(), 0, "{path}");
            assert_eq!(refused.header("ratelimit"), None);
            refused.assert_error(401, "unauthorized");
        }
    }
    assert_eq!(redis.keys(), [""; 0]);
    // Requests rejected before Redis is called do not count either.
    let api = with_key(&api, &key);
    let invalid = api.post("/api/sessions", &json!({})).await;
    invalid.assert_invalid("volume");
    assert_eq!(redis.keys(), [""; 0]);
    assert_eq!(blobs.requests(), [""; 0]);
    list(&api).await.assert_status(200);
    assert!(!redis.keys().contains(&UNKNOWN.to_owned()));
}

#[tokio::test]
async fn request_repeated_after_a_lost_reply_is_charged_once() {
    let redis = Redis::start().await;
    let proxy = Proxy::start(redis.socket()).await;
    let api = in_process(Config {
        redis_url: Some(Secret::new(proxy.url())),
        ..limited(&redis, 6)
    });
    assert_eq!(super::left(&list(&api).await.assert_status(200), 6).0, 5);
    proxy.set(Mode::LoseAnswer);
    assert_eq!(super::left(&list(&api).await.assert_status(200), 6).0, 4);
    assert_eq!(super::left(&list(&api).await.assert_status(200), 6).0, 3);
}

#[tokio::test]
async fn not_modified_session_is_one_round_trip_and_reads_no_messages() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let _ = app.api.append(&id, "y").await.assert_status(200);
    let path = format!("/api/sessions/{id}");
    let lists_read = || {
        let statistics: String = app.redis.command(&["INFO", "commandstats"]);
        let lrange = statistics
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_lrange:calls="));
        let calls = lrange.and_then(|line| line.split(',').next()?.parse::<u64>().ok());
        calls.unwrap_or(0)
    };
    let tag = app.api.entity_tag(&path).await;
    let before = lists_read();
    assert!(before > 0);
    let api = app.api.with_header("if-none-match", format!("\"other\", {tag}"));
    let unchanged = api.get(&path).await.assert_status(304);
    assert_eq!(unchanged.round_trips(), 1);
    assert_eq!(unchanged.header("etag"), Some(&*tag));
    assert_eq!(lists_read(), before);
}
