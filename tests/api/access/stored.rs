//! Access to data that is already in Redis, including data of other programs.

use serde_json::{Value, json};

use super::super::support::{Client, Redis, Response, write_python_session};
use super::{admin, create, signed_in, start, with_secret};

/// Returns a stored session document.
fn document(id: &str, volume: &str, volume_id: &str) -> Value {
    let time = "2026-01-02T03:04:05.123456Z";
    json!({
        "id": id, "name": "hidden", "volume": volume, "volume_id": volume_id, "status": "active",
        "messages": [], "traces_count": 0, "created_at": time, "updated_at": time, "metadata": {}
    })
}

pub(super) fn put(redis: &Redis, id: &str, text: &str) {
    let () = redis.command(&["SET", &format!("session:{id}"), text]);
}

/// Adds an id to the session set of a scope, as the Python version does.
pub(super) fn note(redis: &Redis, scope: &str, id: &str) {
    let () = redis.command(&["SADD", &format!("{scope}:sessions"), id]);
}

/// Adds an id to the index of a scope, as a stale index contains it.
fn index(redis: &Redis, scope: &str, id: &str) {
    note(redis, scope, id);
    let key = format!("llmos:recent:{scope}:active");
    let () = redis.command(&["ZADD", &key, "1767000000000000", id]);
    let () = redis.command(&["INCR", &format!("llmos:indexed:{scope}")]);
}

/// Sends every request that names a session by id.
pub(super) async fn by_id(api: &Client, id: &str) -> Vec<Response> {
    let path = format!("/api/sessions/{id}");
    let change = json!({"name": "changed"});
    vec![
        api.get(&path).await,
        api.get(&format!("{path}/messages")).await,
        api.append(id, "changed").await,
        api.patch(&path, &change).await,
        api.put(&path, &change).await,
        api.delete(&path).await,
    ]
}

/// Returns whether any list of this caller names a session, readable or not.
pub(super) async fn is_listed(api: &Client, id: &str, volumes: &[&str]) -> bool {
    let own = ["", "?volume=system", "?volume=system&volume_id=x"];
    for query in own.iter().chain(volumes) {
        let page = api.get(&format!("/api/sessions{query}")).await;
        let page = page.assert_status(200).json().to_string();
        if page.contains(id) || page.contains("hidden") {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn volume_in_the_document_overrides_membership_in_a_set() {
    let (api, redis) = start(with_secret()).await;
    let alice = signed_in(&api, "alice", &["red"]);
    let bob = signed_in(&api, "bob", &[]);
    let alices = create(&alice, "user", "alice").await;
    let scopes = ["user:alice", "team:red", "system:system", "system:x"];
    for (number, volume_id) in ["bob", "red", "default", "alice "].iter().enumerate() {
        for (place, scope) in scopes.iter().enumerate() {
            let id = format!("stray_{number}_{place}");
            put(&redis, &id, &document(&id, "user", volume_id).to_string());
            match place % 2 {
                0 => index(&redis, scope, &id),
                _ => note(&redis, scope, &id),
            }
        }
    }
    assert!(
        !is_listed(
            &alice,
            "stray_",
            &["?volume=user", "?volume=team&volume_id=red"]
        )
        .await
    );
    let page = alice.get("/api/sessions").await.assert_status(200).json();
    assert_eq!(page["sessions"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(page["sessions"][0]["id"], alices);
    for number in 0..4 {
        for place in 0..scopes.len() {
            for answer in by_id(&alice, &format!("stray_{number}_{place}")).await {
                answer.assert_error(404, "not_found");
            }
        }
    }
    // Nothing was changed: the session is still bob's.
    for place in 0..scopes.len() {
        let found = bob.get(&format!("/api/sessions/stray_0_{place}")).await;
        assert_eq!(found.assert_status(200).json()["name"], "hidden");
    }
}

#[tokio::test]
async fn unreadable_session_with_a_volume_is_listed_to_its_owner_only() {
    let (api, redis) = start(with_secret()).await;
    let alice = signed_in(&api, "alice", &["red"]);
    for (id, place, is_named) in [
        ("of_bob", r#""volume":"user","volume_id":"bob","#, false),
        ("of_invalid", r#""volume":"team","volume_id":"a/b","#, false),
        ("of_nothing", r#""volume":"*","volume_id":"*","#, false),
        ("of_red", r#""volume":"team","volume_id":"red","#, true),
        ("of_system", r#""volume":"system","volume_id":"x","#, true),
        ("unsaid", "", true),
    ] {
        for scope in ["user:alice", "all"] {
            let () = redis.command(&["SADD", &format!("{scope}:sessions"), id]);
        }
        let document = format!("{{{place}\"name\":7}}");
        let () = redis.command(&["SET", &format!("session:{id}"), &document]);
        for list in ["/api/sessions", "/api/sessions?volume=user"] {
            let listed = alice.get(list).await.assert_status(200).json();
            let named = listed["unreadable"]
                .as_array()
                .is_some_and(|ids| ids.contains(&json!(id)));
            assert_eq!(named, is_named, "{id} in {list}");
        }
        let everything = admin(&api).get("/api/sessions").await;
        let everything = everything.assert_status(200).json();
        assert!(
            everything["unreadable"]
                .as_array()
                .unwrap()
                .contains(&json!(id))
        );
        let (status, code) = if is_named {
            (500, "internal")
        } else {
            (404, "not_found")
        };
        let found = alice.get(&format!("/api/sessions/{id}")).await;
        found.assert_error(status, code);
    }
}

#[tokio::test]
async fn ids_that_resemble_other_volumes_grant_no_access() {
    let (api, redis) = start(with_secret()).await;
    let (alice, stranger) = (
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "stranger", &[]),
    );
    for (number, (volume, volume_id)) in [
        ("user", "*"),
        ("*", "*"),
        ("user", "alice\nteam:red"),
        ("user", "bob\nuser:alice"),
        ("team", "red\n"),
        ("team", "\nred"),
        ("team", ""),
        ("user", "alice\0"),
        ("user:alice", ""),
        ("", "user:alice"),
        ("user", "alice:sessions"),
        ("User", "alice"),
        ("\nuser", "alice"),
        ("System", "system"),
        ("system\n", "system"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("trick_{number}");
        let document = document(&id, volume, volume_id);
        put(&redis, &id, &document.to_string());
        note(&redis, "all", &id);
        note(&redis, &format!("{volume}:{volume_id}"), &id);
        index(&redis, "user:alice", &id);
        for caller in [&alice, &stranger] {
            assert!(!is_listed(caller, &id, &[]).await, "{document}");
            for answer in by_id(caller, &id).await {
                answer.assert_error(404, "not_found");
            }
        }
    }
    assert!(
        !is_listed(
            &alice,
            "trick_",
            &["?volume=user", "?volume=team&volume_id=red"]
        )
        .await
    );
}

#[tokio::test]
async fn session_with_unknown_volume_is_visible_to_admins_only() {
    let (api, redis) = start(with_secret()).await;
    let (alice, bob) = (
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "bob", &[]),
    );
    // Volumes that every caller could write in the Python version.
    for volume_id in ["alice\nteam:red", "*", "", "red\n", "ALICE"] {
        put(
            &redis,
            "old",
            &document("old", "user", volume_id).to_string(),
        );
        for user in [&alice, &bob] {
            let found = user.get("/api/sessions/old").await;
            found.assert_error(404, "not_found");
        }
        let found = admin(&api).get("/api/sessions/old").await;
        assert_eq!(found.assert_status(200).json()["volume_id"], volume_id);
    }
    // The shared volume of the Python version.
    write_python_session(&redis, "sess_old_1", 1);
    let path = "/api/sessions/sess_old_1";
    alice.get(path).await.assert_error(404, "not_found");
    admin(&api).get(path).await.assert_status(200);
}
