//! Default volumes and idempotency keys belong to the caller.

use std::collections::BTreeSet;

use llmos::auth::AuthConfig;
use serde_json::{Value, json};

use super::super::support::in_process;
use super::lists::read_all;
use super::{admin, closed, hash_of, keys, signed_in, start, text, with, with_secret};

#[tokio::test]
async fn default_volume_is_the_callers_own() {
    let (keys, of_keys) = keys(&["team/red", "admin"]);
    let auth = AuthConfig {
        api_keys: of_keys.api_keys,
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    for (caller, volume, own) in [
        (signed_in(&api, "alice", &["red"]), "user", "alice"),
        (signed_in(&api, "auth0|6f1a", &[]), "user", "auth0|6f1a"),
        (admin(&api), "user", "root"),
        (with(&api, &keys[0]), "team", "red"),
        (with(&api, &keys[1]), "user", "default"),
    ] {
        let mut created = Vec::new();
        for id in [Value::Null, "default".into(), own.into()] {
            let body = json!({"name": "x", "volume": volume, "volume_id": id});
            let answer = caller.post("/api/sessions", &body).await;
            let session = answer.assert_status(201).json();
            assert_eq!(session["volume_id"], own, "{session}");
            created.insert(0, text(&session["id"]));
        }
        let path = "/api/sessions?volume_id=default";
        let body = json!({"name": "x", "volume": volume});
        let answer = caller.post(path, &body).await.assert_status(201).json();
        assert_eq!(answer["volume_id"], own);
        created.insert(0, text(&answer["id"]));
        let named = format!("&volume_id={}", own.replace('|', "%7C"));
        for query in ["", "&volume_id=", "&volume_id=default", &named] {
            let query = format!("&volume={volume}{query}");
            assert_eq!(read_all(&caller, &query, 2).await, created, "{query}");
        }
    }
    // A user has no default team.
    let alice = signed_in(&api, "alice", &["red"]);
    let body = json!({"name": "x", "volume": "team"});
    let refused = alice.post("/api/sessions", &body).await;
    refused.assert_error(404, "not_found");
    let refused = alice.get("/api/sessions?volume=team").await;
    refused.assert_error(404, "not_found");
}

#[tokio::test]
async fn idempotency_key_is_bound_to_its_caller() {
    let (keys, of_keys) = keys(&["team/red", "admin"]);
    let auth = AuthConfig {
        api_keys: of_keys.api_keys,
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    let callers = [
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "bob", &["red"]),
        with(&api, &keys[0]),
        with(&api, &keys[1]),
    ]
    .map(|it| it.with_header("idempotency-key", "same"));
    let body = json!({
        "name": "x", "volume": "team", "volume_id": "red", "initial_message": "first"
    });
    let mut created = BTreeSet::new();
    for caller in &callers {
        let first = caller.post("/api/sessions", &body).await;
        let first = first.assert_status(201);
        assert_eq!(first.header("idempotency-replayed"), None);
        let again = caller.post("/api/sessions", &body).await;
        let again = again.assert_status(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(first.json()["id"], again.json()["id"]);
        created.insert(text(&first.json()["id"]));
    }
    assert_eq!(created.len(), callers.len());

    let session = created.first().unwrap();
    for (index, caller) in callers.iter().enumerate() {
        for is_replayed in [false, true] {
            let answer = caller.append(session, "x").await.assert_status(200);
            assert_eq!(
                answer.header("idempotency-replayed").is_some(),
                is_replayed,
                "{answer:?}"
            );
            if !is_replayed {
                assert_eq!(answer.json()["message_count"], index + 2);
            }
        }
    }
    let path = format!("/api/sessions/{session}/messages");
    let messages = callers[0].get(&path).await.assert_status(200).json();
    let count = messages["messages"].as_array().unwrap().len();
    assert_eq!(count, 1 + callers.len());
}

#[tokio::test]
async fn api_key_with_a_changed_scope_does_not_get_earlier_replies() {
    let (_, redis) = start(with_secret()).await;
    let (secrets, mut auth) = keys(&["team/red"]);
    let body = json!({"name": "x", "volume": "team"});
    let post = async |auth| {
        let api = in_process(closed(&redis, auth));
        let api = with(&api, &secrets[0]).with_header("idempotency-key", "k");
        api.post("/api/sessions", &body).await.assert_status(201)
    };
    let red = post(auth.clone()).await.json();
    assert_eq!(red["volume_id"], "red");

    let entry = format!("{:?}", auth.api_keys[0]);
    assert!(entry.contains("red"));
    let hash = hash_of(&secrets[0]);
    auth.api_keys = vec![format!("key-0:{hash}:team/blue").parse().unwrap()];
    let blue = post(auth).await;

    assert_eq!(blue.header("idempotency-replayed"), None);
    assert_eq!(blue.json()["volume_id"], "blue");
}
