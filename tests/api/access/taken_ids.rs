//! Ids of sessions that the caller may not read.

use serde_json::{Value, json};

use super::{signed_in, start, with_secret};

/// Returns a problem without the id of its request.
fn without_request_id(mut problem: Value) -> Value {
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

#[tokio::test]
async fn taken_id_has_one_response_for_every_caller() {
    let (api, redis) = start(with_secret()).await;
    let (alice, bob) = (signed_in(&api, "alice", &[]), signed_in(&api, "bob", &[]));
    let new = json!({"id": "secret", "name": "Private", "volume": "user"});
    let created = alice.post("/api/sessions", &new).await;
    created.assert_status(201);
    // A session whose document has no owner.
    let () = redis.command(&["SET", "session:garbage", "no JSON"]);
    let before = redis.dump();

    let mut responses = Vec::new();
    for (caller, id, query) in [
        (&alice, "secret", ""),
        (&bob, "secret", ""),
        (&bob, "secret", "?if_exists=return"),
        (&bob, "garbage", ""),
        (&bob, "garbage", "?if_exists=return"),
    ] {
        let body = json!({"id": id, "name": "Other", "volume": "user"});
        let refused = caller.post(&format!("/api/sessions{query}"), &body).await;
        let location = refused.header("location").map(ToOwned::to_owned);
        let problem = refused.assert_error(409, "session_exists");
        assert!(!problem.to_string().contains("Private"), "{problem}");
        responses.push((location, without_request_id(problem)));
    }
    responses.dedup();
    assert_eq!(responses.len(), 1, "{responses:?}");
    assert_eq!(redis.dump(), before);

    let path = "/api/sessions?if_exists=return";
    let found = alice.post(path, &new).await.assert_status(200).json();
    assert_eq!(found["name"], "Private");
}

#[tokio::test]
async fn idempotency_key_does_not_replay_the_session_of_another_caller() {
    let (api, _redis) = start(with_secret()).await;
    let (alice, bob) = (signed_in(&api, "alice", &[]), signed_in(&api, "bob", &[]));
    let new = json!({"id": "secret", "name": "Private", "volume": "user"});
    let alice = alice.with_header("idempotency-key", "same");
    let created = alice.post("/api/sessions", &new).await;
    created.assert_status(201);
    for key in ["same", "other"] {
        let bob = bob.with_header("idempotency-key", key);
        for _ in 0..2 {
            let refused = bob.post("/api/sessions", &new).await;
            refused.assert_error(409, "session_exists");
        }
    }
    let again = alice.post("/api/sessions", &new).await.assert_status(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}
