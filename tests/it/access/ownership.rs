//! What belongs to a caller: lists, cursors, idempotency records, and sessions by what is stored of them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::super::support::{Claims, Client, MAX_ROUND_TRIPS, in_process, write_python_session};
use super::{
    admin, create, hash_of, issuer, keys, median, signed_in, start, text, with, with_secret,
};

/// The ids on all pages of a list, in order.
async fn all_pages(api: &Client, limit: usize) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/sessions?limit={limit}&cursor={cursor}");
        let answer = api.get(&path).await.assert_status(200);
        assert!(answer.round_trips() <= MAX_ROUND_TRIPS);
        let page = answer.json();
        ids.extend(
            page["sessions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| text(&it["id"])),
        );
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn a_list_without_a_volume_is_all_that_the_caller_may_see() {
    let (api, _redis) = start(with_secret()).await;
    let (alice, bob) = (
        signed_in(&api, "alice", &["red", "bob"]),
        signed_in(&api, "bob", &["blue"]),
    );
    let admin = admin(&api);
    let (mut of_alice, mut of_bob, mut of_all) = (Vec::new(), Vec::new(), 0);
    for _ in 0..4 {
        of_alice.push(create(&alice, "user", "default").await);
        of_alice.push(create(&alice, "team", "red").await);
        of_bob.push(create(&bob, "user", "bob").await);
        of_bob.push(create(&bob, "team", "blue").await);
        // A team and a user of one name are two.
        of_alice.push(create(&admin, "team", "bob").await);
        for id in ["default", "system", "x"] {
            let id = create(&admin, "system", id).await;
            of_alice.push(id.clone());
            of_bob.push(id);
        }
        let _ = create(&admin, "team", "green").await;
        of_all += 9;
    }
    of_alice.reverse();
    of_bob.reverse();
    for limit in [1, 3, 7, 200] {
        assert_eq!(all_pages(&alice, limit).await, of_alice);
        assert_eq!(all_pages(&bob, limit).await, of_bob);
    }
    assert_eq!(all_pages(&admin, 5).await.len(), of_all);
    let paused = alice.get("/api/sessions?status=paused").await.json();
    assert_eq!(paused["sessions"], json!([]));
}

#[tokio::test]
async fn default_is_the_callers_own_volume() {
    let (api, _redis) = start(with_secret()).await;
    let alice = signed_in(&api, "auth0|alice", &[]);

    let id = create(&alice, "user", "default").await;

    let found = alice.get(&format!("/api/sessions/{id}")).await.json();
    assert_eq!(found["volume_id"], "auth0|alice");
    for query in [
        "volume=user",
        "volume=user&volume_id=default",
        "volume=user&volume_id=auth0%7Calice",
    ] {
        let listed = alice.get(&format!("/api/sessions?{query}")).await.json();
        assert_eq!(listed["sessions"][0]["id"], id.as_str(), "{query}");
    }
    let bob = signed_in(&api, "bob", &[]);
    let listed = bob.get("/api/sessions?volume=user").await.json();
    assert_eq!(listed["sessions"], json!([]));
}

#[tokio::test]
async fn a_cursor_is_good_for_whoever_got_it() {
    let (api, _redis) = start(with_secret()).await;
    let (alice, bob) = (
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "bob", &["red"]),
    );
    for _ in 0..3 {
        create(&alice, "team", "red").await;
    }
    let path = "/api/sessions?volume=team&volume_id=red&limit=1";
    let page = alice.get(path).await.json();
    let next = format!("{path}&cursor={}", text(&page["next_cursor"]));

    let _ = alice.get(&next).await.assert_status(200);
    let _ = bob.get(&next).await.assert_error(400, "invalid_request");
    let other_list = format!("/api/sessions?cursor={}", text(&page["next_cursor"]));
    let _ = alice
        .get(&other_list)
        .await
        .assert_error(400, "invalid_request");
}

#[tokio::test]
async fn an_idempotency_key_is_good_for_whoever_used_it() {
    let (api, redis) = start(with_secret()).await;
    let key = ("idempotency-key", "the-same");
    let alice = signed_in(&api, "alice", &["red"]).with_header(key.0, key.1);
    let bob = signed_in(&api, "bob", &["red"]).with_header(key.0, key.1);
    let body = json!({"name": "x", "volume": "team", "volume_id": "red"});

    let first = alice
        .post("/api/sessions", &body)
        .await
        .assert_status(201)
        .json();
    let second = bob.post("/api/sessions", &body).await.assert_status(201);
    assert_eq!(second.header("idempotency-replayed"), None);
    assert_ne!(first["id"], second.json()["id"]);
    let again = alice.post("/api/sessions", &body).await.assert_status(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json()["id"], first["id"]);

    let id = text(&first["id"]);
    for (caller, count) in [(&alice, 1), (&bob, 2), (&bob, 2)] {
        let appended = caller.append(&id, "x").await.assert_status(200).json();
        assert_eq!(appended["message_count"], count);
    }
    assert_eq!(
        redis.command::<u64>(&["LLEN", &format!("session:{id}:messages")]),
        2
    );
}

#[tokio::test]
async fn a_key_of_another_scope_does_not_get_what_it_did_before() {
    let (_, redis) = start(with_secret()).await;
    let (secrets, mut auth) = keys(&["team/red"]);
    let body = json!({"name": "x", "volume": "team"});
    let post = async |auth| {
        let api = in_process(super::closed(&redis, auth));
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

#[tokio::test]
async fn a_session_is_judged_by_what_is_stored() {
    let (api, redis) = start(with_secret()).await;
    let (alice, bob) = (
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "bob", &[]),
    );
    let id = create(&bob, "user", "bob").await;
    let path = format!("/api/sessions/{id}");
    // The sets and the index say that it is alice's.
    for key in ["user:alice:sessions", "user:default:sessions"] {
        redis.command::<()>(&["SADD", key, &id]);
    }
    let listed = alice
        .get("/api/sessions?volume=user")
        .await
        .assert_status(200)
        .json();
    assert_eq!(listed["sessions"], json!([]));
    let _ = alice.get(&path).await.assert_error(404, "not_found");
    let _ = alice.delete(&path).await.assert_error(404, "not_found");
    let _ = alice.append(&id, "x").await.assert_error(404, "not_found");
    let _ = bob.get(&path).await.assert_status(200);

    // Volumes that the Python version would have let anybody write.
    for volume_id in ["alice\nteam:red", "*", "", "red\n", "ALICE"] {
        let document = json!({"id": id, "name": "x", "volume": "user", "volume_id": volume_id, "status": "active",
            "created_at": "2025-12-14T10:00:00Z", "updated_at": "2025-12-14T10:00:00Z", "metadata": {}});
        redis.command::<()>(&["SET", &format!("session:{id}"), &document.to_string()]);
        let _ = alice.get(&path).await.assert_error(404, "not_found");
        let _ = bob.get(&path).await.assert_error(404, "not_found");
        let _ = admin(&api).get(&path).await.assert_status(200);
    }
    write_python_session(&redis, "sess_old_1", 1);
    let _ = alice
        .get("/api/sessions/sess_old_1")
        .await
        .assert_error(404, "not_found");
    let _ = admin(&api)
        .get("/api/sessions/sess_old_1")
        .await
        .assert_status(200);
}

#[tokio::test]
async fn garbage_is_an_error_to_whom_it_belongs_and_nothing_to_others() {
    let (api, redis) = start(with_secret()).await;
    let (alice, bob) = (signed_in(&api, "alice", &[]), signed_in(&api, "bob", &[]));
    for make in [["SET", "no json"], ["SET", "{}"], ["RPUSH", "x"]] {
        let id = create(&alice, "user", "alice").await;
        let key = format!("session:{id}");
        redis.command::<()>(&["DEL", &key]);
        redis.command::<()>(&[make[0], &key, make[1]]);
        let path = format!("/api/sessions/{id}");
        let _ = bob.get(&path).await.assert_error(404, "not_found");
        let _ = bob.delete(&path).await.assert_error(404, "not_found");
        let _ = alice.get(&path).await.assert_error(500, "internal");
        let _ = admin(&api).get(&path).await.assert_error(500, "internal");
        let listed = alice.get("/api/sessions").await.assert_status(200).json();
        let unreadable: BTreeSet<String> = listed["unreadable"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect();
        assert!(unreadable.contains(&id));
        let listed = bob.get("/api/sessions").await.assert_status(200).json();
        assert_eq!(listed["unreadable"], json!(null));
    }
}

#[tokio::test]
async fn what_is_no_session_is_not_named_to_others_where_it_says_whose_it_is() {
    let (api, redis) = start(with_secret()).await;
    let alice = signed_in(&api, "alice", &["red"]);
    for (id, place, is_named) in [
        ("of_bob", r#""volume":"user","volume_id":"bob","#, false),
        ("of_nobody", r#""volume":"team","volume_id":"a/b","#, false),
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
async fn what_is_hidden_takes_no_longer_than_what_is_missing() {
    let (api, redis) = start(with_secret()).await;
    let (alice, bob) = (signed_in(&api, "alice", &[]), signed_in(&api, "bob", &[]));
    let small = create(&alice, "user", "alice").await;
    // The Python version kept the first message, of any length, in the document.
    let large = "sess_large_1";
    let document = json!({"id": large, "name": "x", "volume": "user", "volume_id": "alice", "status": "active",
        "messages": [{"role": "user", "content": "x".repeat(900_000)}],
        "created_at": "2025-12-14T10:00:00Z", "updated_at": "2025-12-14T10:00:00Z", "metadata": {}});
    redis.command::<()>(&["SET", &format!("session:{large}"), &document.to_string()]);
    redis.command::<()>(&["SADD", "user:alice:sessions", large]);
    let _ = alice
        .get(&format!("/api/sessions/{large}"))
        .await
        .assert_status(200);

    let time_of = async |id: &str| {
        let mut times = Vec::new();
        for _ in 0..100 {
            let answer = bob.get(&format!("/api/sessions/{id}")).await;
            let elapsed = answer.elapsed;
            assert!(!answer.header("server-timing").unwrap().contains("dur="));
            let _ = answer.assert_error(404, "not_found");
            times.push(elapsed);
        }
        median(times)
    };
    let missing = time_of("sess_none").await;
    for hidden in [&small, large] {
        let hidden = time_of(hidden).await;
        assert!(
            hidden < missing * 2 + Duration::from_millis(1),
            "{hidden:?} and {missing:?}"
        );
    }
}

#[tokio::test]
async fn only_the_claim_that_is_named_makes_an_admin() {
    let auth = llmos::config::AuthConfig {
        role_claim: None,
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    let claims = Claims::of("eve").with("role", "admin").with("admin", true);
    let eve = with(&api, &issuer().token(&claims));
    let id = create(&signed_in(&api, "alice", &[]), "user", "alice").await;

    let _ = eve
        .get(&format!("/api/sessions/{id}"))
        .await
        .assert_error(404, "not_found");
    let body = json!({"name": "x", "volume": "system"});
    let _ = eve
        .post("/api/sessions", &body)
        .await
        .assert_error(403, "forbidden");
}
