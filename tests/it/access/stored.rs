//! What stands in Redis already, also what nobody of us wrote: shown to nobody whose it is not.

use serde_json::{Value, json};

use super::super::support::{Client, Redis, Response, write_python_session};
use super::{admin, create, signed_in, start, with_secret};

/// A document of a session, as it is stored.
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

/// Puts an id into the set of a scope's sessions, as the Python version does.
pub(super) fn note(redis: &Redis, scope: &str, id: &str) {
    let () = redis.command(&["SADD", &format!("{scope}:sessions"), id]);
}

/// Puts an id into the index of a scope, as an index has it that was right once.
fn index(redis: &Redis, scope: &str, id: &str) {
    note(redis, scope, id);
    let key = format!("llmos:recent:{scope}:active");
    let () = redis.command(&["ZADD", &key, "1767000000000000", id]);
    let () = redis.command(&["INCR", &format!("llmos:indexed:{scope}")]);
}

/// Every way to ask for a session by its id.
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

/// Whether any list of this caller names a session, as one that is readable or not.
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
async fn what_a_session_says_goes_before_where_it_is_noted() {
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
    // Nothing was changed on the way: it is still bob's.
    for place in 0..scopes.len() {
        let found = bob.get(&format!("/api/sessions/stray_0_{place}")).await;
        assert_eq!(found.assert_status(200).json()["name"], "hidden");
    }
}

#[tokio::test]
async fn what_is_no_session_is_not_named_to_others_where_it_says_whose_it_is() {
    let (api, redis) = start(with_secret()).await;
    let alice = signed_in(&api, "alice", &["red"]);
    for (id, place, is_named) in [
        ("of_bob", r#""volume":"user","volume_id":"bob","#, false),
        ("of_nobody", r#""volume":"team","volume_id":"a/b","#, false),
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
        let _ = found.assert_error(status, code);
    }
}

#[tokio::test]
async fn ids_that_look_like_several_volumes_are_none_of_them() {
    let (api, redis) = start(with_secret()).await;
    let (alice, nobody) = (
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "nobody", &[]),
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
        for caller in [&alice, &nobody] {
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
async fn what_says_no_volume_of_today_is_the_admins() {
    let (api, redis) = start(with_secret()).await;
    let (alice, bob) = (
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "bob", &[]),
    );
    // Volumes that the Python version would have let anybody write.
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
    // The volume of all, in its day.
    write_python_session(&redis, "sess_old_1", 1);
    let path = "/api/sessions/sess_old_1";
    alice.get(path).await.assert_error(404, "not_found");
    let _ = admin(&api).get(path).await.assert_status(200);
}
