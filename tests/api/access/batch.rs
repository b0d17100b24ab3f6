//! Access to sessions in a change of many sessions.

use llmos::auth::AuthConfig;
use serde_json::{Value, json};

use super::super::support::in_process;
use super::{admin, closed, create, keys, signed_in, start, with, with_secret};

const BATCH: &str = "/api/sessions/batch";

#[tokio::test]
async fn hidden_sessions_are_reported_like_missing_ones() {
    let (api, redis) = start(with_secret()).await;
    let (alice, bob) = (
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "bob", &[]),
    );
    let own = create(&bob, "user", "bob").await;
    let hidden = create(&alice, "user", "alice").await;
    let of_team = create(&alice, "team", "red").await;
    let of_system = create(&admin(&api), "system", "default").await;
    let ids = [&*own, &hidden, "none", &of_team, &of_system];
    let before = redis.dump();
    for change in [json!({"set": {"archived": true}}), json!({"delete": true})] {
        for is_dry_run in [true, false] {
            let mut body = json!({"ids": ids, "dry_run": is_dry_run});
            let members = body.as_object_mut().unwrap();
            members.extend(change.as_object().unwrap().clone());
            let answer = bob.post(BATCH, &body).await.assert_status(200).json();
            let expected = json!({
                "matched": 2, "changed": 1, "next_cursor": null,
                "failed": [
                    {"id": hidden, "code": "not_found"},
                    {"id": "none", "code": "not_found"},
                    {"id": of_team, "code": "not_found"},
                    {"id": of_system, "code": "forbidden"},
                ],
            });
            assert_eq!(answer, expected, "{change}");
            if is_dry_run && change.get("set").is_some() {
                assert_eq!(redis.dump(), before);
            }
        }
    }
    for id in [&hidden, &of_team] {
        let found = alice.get(&format!("/api/sessions/{id}")).await;
        assert_eq!(found.assert_status(200).json()["archived"], false);
    }
}

#[tokio::test]
async fn filter_selects_only_visible_sessions() {
    let (api, _redis) = start(with_secret()).await;
    let (alice, bob) = (
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "bob", &[]),
    );
    let hidden = create(&alice, "user", "alice").await;
    let own = create(&bob, "user", "bob").await;
    let of_system = create(&admin(&api), "system", "default").await;
    let body = json!({"filter": {}, "set": {"archived": true}});
    let answer = bob.post(BATCH, &body).await.assert_status(200).json();
    let failed = json!([{"id": of_system, "code": "forbidden"}]);
    assert_eq!(
        answer,
        json!({"matched": 2, "changed": 1, "failed": failed, "next_cursor": null})
    );
    let found = bob.get(&format!("/api/sessions/{own}")).await.json();
    assert_eq!(found["archived"], true);
    let found = alice.get(&format!("/api/sessions/{hidden}")).await.json();
    assert_eq!(found["archived"], false);

    let of_other = json!({"filter": {"volume": "user", "volume_id": "alice"}, "delete": true});
    let refused = bob.post(BATCH, &of_other).await;
    refused.assert_error(404, "not_found");
    // A cursor belongs to its caller.
    create(&alice, "user", "alice").await;
    let page = alice.get("/api/sessions?limit=1").await.json();
    let body = json!({"filter": {}, "cursor": page["next_cursor"], "delete": true});
    let refused = bob.post(BATCH, &body).await;
    refused.assert_error(400, "invalid_request");
}

#[tokio::test]
async fn read_only_callers_are_rejected() {
    let (keys, of_keys) = keys(&["user/alice:read", "admin:read"]);
    let auth = AuthConfig {
        api_keys: of_keys.api_keys,
        ..with_secret()
    };
    let (api, redis) = start(auth).await;
    let own = create(&signed_in(&api, "alice", &[]), "user", "alice").await;
    let before = redis.dump();
    for key in &keys {
        for target in [
            json!({"ids": [own]}),
            json!({"ids": ["none"]}),
            json!({"filter": {}}),
        ] {
            let mut body = target;
            body["delete"] = Value::Bool(true);
            let refused = with(&api, key).post(BATCH, &body).await;
            refused.assert_error(403, "forbidden");
        }
    }
    assert_eq!(redis.dump(), before);
}

#[tokio::test]
async fn batch_over_the_rate_limit_changes_nothing() {
    let (api, redis) = start(with_secret()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&signed_in(&api, "alice", &[]), "user", "alice").await);
    }
    let mut config = closed(&redis, with_secret());
    config.access.rate_limit = Some(1);
    let alice = signed_in(&in_process(config), "alice", &[]);
    alice.get("/api/sessions").await.assert_status(200);
    let stored = || -> Vec<String> {
        let key = |id| format!("session:{id}");
        ids.iter()
            .map(|id| redis.command(&["GET", &key(id)]))
            .collect()
    };
    let before = stored();
    let body = json!({"ids": ids, "set": {"archived": true}});
    let refused = alice.post(BATCH, &body).await;
    refused.assert_error(429, "rate_limited");
    assert_eq!(stored(), before);
}
