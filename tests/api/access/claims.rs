//! Token claims: which volumes a token opens, for each configuration of teams and roles.

use axum::http::Method;
use llmos::auth::AuthConfig;
use llmos::config::Config;
use serde_json::{Value, json};

use super::super::support::{BlobServer, Claims, Client, Redis, blob_config, in_process};
use super::{admin, closed, create, issuer, keys, signed_in, start, text, with, with_secret};

/// Returns whether a caller can read a session by id, and checks that the list of its volume agrees.
async fn sees(api: &Client, session: &str, volume: &str, id: &str) -> bool {
    let found = api.get(&format!("/api/sessions/{session}")).await;
    let query = format!("volume={volume}&volume_id={}", id.replace('|', "%7C"));
    let listed = api.get(&format!("/api/sessions?{query}")).await;
    assert_eq!(found.status, listed.status, "{listed:?}");
    assert!([200, 404].contains(&found.status.as_u16()), "{found:?}");
    found.status == 200
}

#[tokio::test]
async fn teams_are_read_from_the_configured_claim() {
    const ADDRESS: &str = "https://app.example/teams";
    let cases: [(Option<&str>, &str, Value, bool); 18] = [
        (None, "teams", json!(["blue", "red"]), true),
        (None, "teams", json!("red"), true),
        (None, "teams", json!(["blue"]), false),
        (None, "teams", json!("red,blue"), false),
        (None, "teams", json!("Red"), false),
        (None, "teams", json!({"red": true}), false),
        (
            None,
            "teams",
            json!([["red"], {"id": "red"}, 7, null]),
            false,
        ),
        (None, "groups", json!(["red"]), false),
        (Some("groups"), "groups", json!(["red"]), true),
        (Some("groups"), "teams", json!(["red"]), false),
        (Some("app.teams"), "app", json!({"teams": ["red"]}), true),
        (Some("app.teams"), "app.teams", json!(["red"]), true),
        (Some(ADDRESS), ADDRESS, json!(["red", "not an id"]), true),
        (Some("org.o.id"), "org", json!({"o": {"id": "red"}}), true),
        (
            Some("https://x.example/claims.teams"),
            "https://x.example/claims",
            json!({"teams": ["red"]}),
            true,
        ),
        (
            Some("resource_access.my.app.roles"),
            "resource_access",
            json!({"my.app": {"roles": ["red"]}}),
            true,
        ),
        (
            Some("resource_access.my.app.roles"),
            "resource_access.my",
            json!({"app.roles": ["red"]}),
            true,
        ),
        (
            Some("resource_access.my.app.roles"),
            "resource_access",
            json!({"my": {"app": "red"}}),
            false,
        ),
    ];
    let redis = Redis::start().await;
    let api = in_process(closed(&redis, with_secret()));
    let session = create(&admin(&api), "team", "red").await;
    for (configured, name, value, is_member) in cases {
        let api = in_process(closed(
            &redis,
            AuthConfig {
                teams_claim: configured.map(ToOwned::to_owned),
                ..with_secret()
            },
        ));
        let token = issuer().token(&Claims::of("alice").with(name, value.clone()));
        let sees = sees(&with(&api, &token), &session, "team", "red").await;
        assert_eq!(sees, is_member, "{configured:?}: {name} is {value}");
    }
}

#[tokio::test]
async fn users_and_teams_with_the_same_name_are_separate() {
    let (keys, of_keys) = keys(&["user/red", "team/red"]);
    let auth = AuthConfig {
        api_keys: of_keys.api_keys,
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    let admin = admin(&api);
    let of_user = create(&admin, "user", "red").await;
    let of_team = create(&admin, "team", "red").await;
    for (what, caller, is_user, is_member) in [
        ("user red", signed_in(&api, "red", &[]), true, false),
        ("a member", signed_in(&api, "alice", &["red"]), false, true),
        ("both", signed_in(&api, "red", &["red"]), true, true),
        ("the user's key", with(&api, &keys[0]), true, false),
        ("the team's key", with(&api, &keys[1]), false, true),
        (
            "prefixed",
            signed_in(&api, "user|red", &["team|red"]),
            false,
            false,
        ),
    ] {
        assert_eq!(
            sees(&caller, &of_user, "user", "red").await,
            is_user,
            "{what}"
        );
        assert_eq!(
            sees(&caller, &of_team, "team", "red").await,
            is_member,
            "{what}"
        );
    }
}

#[tokio::test]
async fn user_names_are_compared_exactly() {
    let (api, _redis) = start(with_secret()).await;
    let names = [
        "auth0|6f1a",
        "auth0|6f1b",
        "auth0|6F1A",
        "auth0",
        "6f1a",
        "a@b.example",
        "a+b@b.example",
        "=~.-_",
    ];
    let mut sessions = Vec::new();
    for name in names {
        let own = signed_in(&api, name, &[]);
        let body = json!({"name": "x", "volume": "user"});
        let created = own.post("/api/sessions", &body).await.assert_status(201);
        assert_eq!(created.json()["volume_id"], name);
        sessions.push(text(&created.json()["id"]));
    }
    for name in names {
        let caller = signed_in(&api, name, &[]);
        for (owner, session) in names.iter().zip(&sessions) {
            let found = caller.get(&format!("/api/sessions/{session}")).await;
            assert_eq!(found.status == 200, *owner == name, "{name}, {owner}");
        }
        let list = caller.get("/api/sessions").await.assert_status(200).json();
        assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "{list}");
    }
}

#[tokio::test]
async fn identifiers_of_any_provider_have_volumes_of_their_own() {
    let (redis, blobs) = (Redis::start().await, BlobServer::start().await);
    let api = in_process(Config {
        blob: blob_config(&blobs),
        ..closed(&redis, with_secret())
    });
    let longest = [":".repeat(255), "王".repeat(255)];
    let cases = [
        ("alice", "alice"),
        ("did:privy:cl1", "!did!3Aprivy!3Acl1"),
        ("!did!3Aprivy!3Acl1", "!!21did!213Aprivy!213Acl1"),
        ("f:5f7a:jane", "!f!3A5f7a!3Ajane"),
        ("a/b", "!a!2Fb"),
        ("a!2Fb", "!a!212Fb"),
        ("system:serviceaccount:ns:x", "!system!3Aserviceaccount!3Ans!3Ax"),
        ("../../system/system", "!..!2F..!2Fsystem!2Fsystem"),
        ("{user}:*", "!!7Buser!7D!3A!2A"),
        ("größe", "!!uABnAByAD2ADfABl"),
        (&longest[0], &*format!("!{}", "!3A".repeat(255))),
        (&longest[1], &*format!("!!u{}", "HOL".repeat(255))),
    ];
    let mut sessions = Vec::new();
    for (subject, id) in cases {
        let own = signed_in(&api, subject, &[]);
        let me = own.get("/api/me").await.assert_status(200).json();
        assert_eq!((&me["volume"], &me["volume_id"]), (&json!("user"), &json!(id)), "{subject}");
        let created = own.post("/api/sessions", &json!({"name": "x", "volume": "user"})).await;
        let created = created.assert_status(201).json();
        assert_eq!(created["volume_id"], id);
        sessions.push(text(&created["id"]));

        let put = own.with_header("content-type", "text/plain");
        let put = put.send(Method::PUT, "/api/files/notes/a.txt", subject.as_bytes().to_vec()).await;
        put.assert_status(200);
        let query = format!("volume=user&volume_id={}", id.replace('!', "%21"));
        let list = own.get(&format!("/api/files?{query}")).await.assert_status(200).json();
        assert_eq!(list["files"][0]["path"], "notes/a.txt", "{list}");
        let link = own.post("/api/files/link", &json!({"path": "notes/a.txt"})).await;
        let link = text(&link.assert_status(200).json()["url"]);
        assert_eq!(api.get(&link).await.assert_status(200).body, subject.as_bytes());

        let skill = json!({"name": "Skill", "description": "x", "code": "1", "language": "js"});
        own.post("/api/skills?volume=user", &skill).await.assert_status(201);
        own.get(&format!("/api/skills/skill?{query}")).await.assert_status(200);
    }
    for (subject, _) in cases {
        let caller = signed_in(&api, subject, &[]);
        let list = caller.get("/api/sessions").await.assert_status(200).json();
        assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "{list}");
        for ((owner, id), session) in cases.iter().zip(&sessions) {
            let found = caller.get(&format!("/api/sessions/{session}")).await;
            assert_eq!(found.status == 200, *owner == subject, "{subject}, {owner}");
            let query = format!("volume=user&volume_id={}", id.replace('!', "%21"));
            let files = caller.get(&format!("/api/files?{query}")).await;
            assert_eq!(files.status == 200, *owner == subject, "{subject}, {owner}");
        }
    }
    // No pathname leaves the folder of its user.
    let page = blobs.blobs().list("volumes/", 1000, None, false).await.unwrap();
    for blob in page.blobs {
        let parts: Vec<&str> = blob.pathname.split('/').collect();
        assert_eq!(parts[1], "user", "{}", blob.pathname);
        assert!(["files", "skills"].contains(&parts[3]), "{}", blob.pathname);
    }
}

#[tokio::test]
async fn team_with_any_visible_name_has_a_volume() {
    let (api, _redis) = start(with_secret()).await;
    let alice = signed_in(&api, "alice", &["/eng/backend", "default", "a b"]);
    let me = alice.get("/api/me").await.assert_status(200).json();
    assert_eq!(me["teams"], json!(["!!2Feng!2Fbackend"]));
    let session = create(&alice, "team", "!!2Feng!2Fbackend").await;
    let member = signed_in(&api, "bob", &["/eng/backend"]);
    assert!(sees(&member, &session, "team", "!!2Feng!2Fbackend").await);
    for other in ["eng/backend", "!!2Feng!2Fbackend"] {
        let other = signed_in(&api, "bob", &[other]);
        assert!(!sees(&other, &session, "team", "!!2Feng!2Fbackend").await);
    }
}

#[tokio::test]
async fn unconfigured_role_grants_nothing() {
    let cases: [(Option<&str>, &str, Value, bool); 12] = [
        (None, "role", json!("admin"), false),
        (None, "roles", json!(["admin"]), false),
        (None, "admin", json!(true), false),
        (Some("role"), "role", json!("admin"), true),
        (Some("role"), "role", json!(["editor", "admin"]), true),
        (Some("role"), "role", json!("Admin"), false),
        (Some("role"), "role", json!("admin,editor"), false),
        (Some("role"), "role", json!({"admin": true}), false),
        (Some("role"), "role", json!(true), false),
        (
            Some("role"),
            "user_metadata",
            json!({"role": "admin"}),
            false,
        ),
        (Some("app.role"), "app", json!({"role": "admin"}), true),
        (Some("app.role"), "role", json!("admin"), false),
    ];
    let redis = Redis::start().await;
    let api = in_process(closed(&redis, with_secret()));
    let session = create(&signed_in(&api, "bob", &[]), "user", "bob").await;
    for (configured, name, value, is_admin) in cases {
        let api = in_process(closed(
            &redis,
            AuthConfig {
                role_claim: configured.map(ToOwned::to_owned),
                ..with_secret()
            },
        ));
        let token = issuer().token(&Claims::of("alice").with(name, value.clone()));
        let caller = with(&api, &token);
        let what = format!("{configured:?}: {name} is {value}");
        assert_eq!(
            sees(&caller, &session, "user", "bob").await,
            is_admin,
            "{what}"
        );
        let body = json!({"name": "x", "volume": "system"});
        let status = caller.post("/api/sessions", &body).await.status;
        assert_eq!(status == 201, is_admin, "{what}: {status}");
    }
}
