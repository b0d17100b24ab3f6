//! API keys: the access of each scope, and invalid keys.

use std::process::Command;

use serde_json::json;

use super::super::support::{Process, Redis, clear_configuration};
use super::{assert_rejected, call, create, hash_of, keys, start, with};

#[tokio::test]
async fn api_key_grants_only_its_scope() {
    let scopes = [
        "admin",
        "admin:read",
        "user/alice",
        "user/alice:read",
        "team/red",
        "team/red:read",
    ];
    let (secrets, auth) = keys(&scopes);
    let (api, _redis) = start(auth).await;
    let callers: Vec<_> = secrets.iter().map(|secret| with(&api, secret)).collect();
    let ids = [
        create(&callers[0], "user", "alice").await,
        create(&callers[0], "team", "red").await,
        create(&callers[0], "user", "bob").await,
        create(&callers[0], "system", "system").await,
    ];
    // For each session: whether the key can read it and change it.
    let expected = [
        [(200, 200); 4],
        [(200, 403); 4],
        [(200, 200), (404, 404), (404, 404), (200, 403)],
        [(200, 403), (404, 404), (404, 404), (200, 403)],
        [(404, 404), (200, 200), (404, 404), (200, 403)],
        [(404, 404), (200, 403), (404, 404), (200, 403)],
    ];
    for ((caller, scope), expected) in callers.iter().zip(scopes).zip(expected) {
        for (id, (read, write)) in ids.iter().zip(expected) {
            let path = format!("/api/sessions/{id}");
            let found = caller.get(&path).await;
            assert_eq!(found.status, read, "{scope}: {found:?}");
            let appended = caller.append(id, "x").await;
            assert_eq!(appended.status, write, "{scope}: {appended:?}");
        }
    }
    // A key with one volume may omit it.
    let created = callers[4]
        .post("/api/sessions", &json!({"name": "x", "volume": "team"}))
        .await;
    assert_eq!(created.assert_status(201).json()["volume_id"], "red");
}

#[tokio::test]
async fn unknown_api_key_is_rejected_in_every_position() {
    let (secrets, auth) = keys(&["admin"]);
    let (api, _redis) = start(auth).await;
    let key = &secrets[0];
    let hash = hash_of(key);
    let flipped = format!(
        "{}{}",
        &key[..key.len() - 1],
        if key.ends_with('A') { 'B' } else { 'A' }
    );
    call(&with(&api, key)).await.assert_status(200);
    for wrong in [
        &hash,
        &flipped,
        &key.to_lowercase(),
        &format!("{key}A"),
        "key-0",
        "llmos_",
        "a.b.c",
    ] {
        assert_rejected(call(&with(&api, wrong)).await, true);
    }
    let elsewhere = api.with_header("x-api-key", key);
    assert_rejected(call(&elsewhere).await, false);
    let in_query = api
        .get(&format!("/api/sessions?key={key}&access_token={key}"))
        .await;
    assert_rejected(in_query, false);
    let basic = api.with_header("authorization", format!("Basic {key}"));
    assert_rejected(call(&basic).await, true);
}

/// Runs `llmos keys new` and returns its success and output.
fn new_key(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_llmos"));
    clear_configuration(&mut command);
    let output = command.args(["keys", "new"]).args(arguments).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
}

#[tokio::test]
async fn key_created_by_keys_new_is_accepted_by_a_deployment() {
    let redis = Redis::start().await;
    let (is_made, printed) = new_key(&["nightly", "user/alice"]);
    assert!(is_made, "{printed}");
    let value = |name: &str| {
        let line = printed.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let environment = [
        ("VERCEL", "1"),
        ("REDIS_URL", &redis.url()),
        ("API_KEYS", &value("entry")),
    ];
    let (process, api) = Process::function(env!("CARGO_BIN_EXE_sessions"), &environment).await;

    assert_rejected(call(&api).await, false);
    let caller = with(&api, &value("key"));
    let id = create(&caller, "user", "alice").await;
    caller
        .get(&format!("/api/sessions/{id}"))
        .await
        .assert_status(200);
    assert!(!process.output().contains(&value("key")));
}

#[test]
fn keys_new_with_invalid_arguments_prints_its_usage() {
    for arguments in [
        &["nightly"][..],
        &["nightly", "root"],
        &["a b", "admin"],
        &["x", "user/"],
        &["x", "admin", "y"],
    ] {
        let (is_made, printed) = new_key(arguments);
        assert!(
            !is_made && printed.contains("NAME") && printed.contains("SCOPE"),
            "{printed}"
        );
    }
}
