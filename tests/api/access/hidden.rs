//! Resources that a caller may not read cannot be distinguished from missing ones.

use serde_json::{Value, json};

use super::super::support::Response;
use super::stored::{by_id, is_listed, note, put};
use super::{admin, create, keys, signed_in, start, text, with, with_secret};

#[tokio::test]
async fn unreadable_session_is_reported_to_its_owner_only() {
    let (keys, of_keys) = keys(&["user/alice:read", "admin:read", "user/bob"]);
    let auth = llmos::auth::AuthConfig {
        api_keys: of_keys.api_keys,
        ..with_secret()
    };
    let (api, redis) = start(auth).await;
    put(&redis, "garbage", "no JSON");
    put(&redis, "number", "7");
    put(&redis, "empty", "{}");
    put(&redis, "large", &"x".repeat(40_000));
    put(&redis, "huge", &"x".repeat(2_000_000));
    let () = redis.command(&["RPUSH", "session:list", "no", "document"]);
    let () = redis.command(&["HSET", "session:hash", "volume", "user"]);
    let ids = [
        "garbage", "number", "empty", "large", "huge", "list", "hash",
    ];
    for id in ids {
        note(&redis, "all", id);
        note(&redis, "user:alice", id);
    }
    let alice = signed_in(&api, "alice", &[]);
    let strangers = [
        signed_in(&api, "bob", &["alice"]),
        signed_in(&api, "user", &["red"]),
        with(&api, &keys[2]),
    ];
    for id in ids {
        for stranger in &strangers {
            assert!(!is_listed(stranger, id, &["?volume=user"]).await, "{id}");
            for answer in by_id(stranger, id).await {
                answer.assert_error(404, "not_found");
            }
        }
        let path = format!("/api/sessions/{id}");
        for reader in [
            &alice,
            &admin(&api),
            &with(&api, &keys[0]),
            &with(&api, &keys[1]),
        ] {
            assert!(is_listed(reader, id, &[]).await, "{id}");
            reader.get(&path).await.assert_error(500, "internal");
        }
        let change = json!({"name": "changed"});
        alice
            .patch(&path, &change)
            .await
            .assert_error(500, "internal");
    }
}

/// Returns a response as text, without the request id and times.
fn comparable(answer: Response, id: &str) -> String {
    let round_trips = answer.round_trips();
    let mut headers = answer.headers.clone();
    headers.remove("x-request-id");
    headers.remove("server-timing");
    let mut problem = answer.assert_error(404, "not_found");
    problem["request_id"] = Value::Null;
    format!("{round_trips} {headers:?} {problem}").replace(id, "the id")
}

#[tokio::test]
async fn inaccessible_session_looks_like_a_missing_one() {
    let (api, _redis) = start(with_secret()).await;
    let alice = signed_in(&api, "alice", &[]);
    let bob = signed_in(&api, "bob", &["red"]);
    let body = json!({
        "name": "x".repeat(200), "volume": "user", "initial_message": "x".repeat(10_000),
        "metadata": {"x": "x".repeat(10_000)}
    });
    let hidden = alice.post("/api/sessions", &body).await.assert_status(201);
    let hidden = text(&hidden.json()["id"]);
    for _ in 0..20 {
        let appended = alice.append(&hidden, &"x".repeat(10_000)).await;
        appended.assert_status(200);
    }
    let missing = format!("sess_{}", "0".repeat(hidden.len() - "sess_".len()));
    // The first calls also load the scripts, on a cluster on each node.
    for id in [&missing, &hidden] {
        for answer in by_id(&bob, id).await {
            answer.assert_error(404, "not_found");
        }
    }
    let of_hidden = by_id(&bob, &hidden).await.into_iter();
    let of_missing = by_id(&bob, &missing).await.into_iter();
    for (of_hidden, of_missing) in of_hidden.zip(of_missing) {
        assert_eq!(
            comparable(of_hidden, &hidden),
            comparable(of_missing, &missing)
        );
    }
}

#[tokio::test]
async fn inaccessible_session_of_any_size_takes_the_round_trips_of_a_missing_one() {
    let (api, redis) = start(with_secret()).await;
    let (alice, bob) = (signed_in(&api, "alice", &[]), signed_in(&api, "bob", &[]));
    let small = create(&alice, "user", "alice").await;
    // The Python version stored the first message, of any length, in the document.
    let large = "sess_large_1";
    let document = json!({"id": large, "name": "x", "volume": "user", "volume_id": "alice", "status": "active",
        "messages": [{"role": "user", "content": "x".repeat(900_000)}],
        "created_at": "2025-12-14T10:00:00Z", "updated_at": "2025-12-14T10:00:00Z", "metadata": {}});
    put(&redis, large, &document.to_string());
    note(&redis, "user:alice", large);
    let path = |id: &str| format!("/api/sessions/{id}");
    for id in [&small, large] {
        alice.get(&path(id)).await.assert_status(200);
    }
    // The soak compares durations (benches/soak/timing.rs).
    let missing = "sess_none";
    for id in [missing, &small, large] {
        let answer = bob.get(&path(id)).await;
        assert_eq!(answer.round_trips(), 1, "{id}");
        assert!(!answer.header("server-timing").unwrap().contains("dur="));
        answer.assert_error(404, "not_found");
    }
}
