//! `/api/me`: identity and permissions of the caller.

use std::time::Duration;

use llmos::auth::AuthConfig;
use serde_json::{Value, json};

use super::super::support::{AUDIENCE, Claims, Client, ISSUER, Process, Redis, TestApp};
use super::{admin, issuer, keys, secret, start, with, with_secret};

async fn check(api: &Client, expected: Value) {
    let response = api.get("/api/me").await.assert_status(200);
    assert_eq!(response.json(), expected);
    // The request takes no Redis round trip.
    assert_eq!(response.round_trips(), 0);
}

#[tokio::test]
async fn me_returns_identity_and_permissions_of_each_caller() {
    let (keys, of_keys) = keys(&["user/alice:read", "team/red", "admin"]);
    let auth = AuthConfig {
        api_keys: of_keys.api_keys,
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    let me = |volume: &str, id: &str, teams: &[&str], all: bool, read_only: bool| {
        json!({
            "signed_in": true, "volume": volume, "volume_id": id, "teams": teams, "all_volumes": all,
            "read_only": read_only,
        })
    };

    let alice = Claims::of("alice").with("teams", ["red", "blue"]).with("role", "user");
    let alice = with(&api, &issuer().token(&alice));
    check(&alice, me("user", "alice", &["red", "blue"], false, false)).await;
    check(&admin(&api), me("user", "root", &[], true, false)).await;
    let [of_alice, of_red, of_admin] = [0, 1, 2].map(|index| with(&api, &keys[index]));
    check(&of_alice, me("user", "alice", &[], false, true)).await;
    check(&of_red, me("team", "red", &["red"], false, false)).await;
    check(&of_admin, me("user", "default", &[], true, false)).await;
    api
        .get("/api/me")
        .await
        .assert_error(401, "unauthorized");
}

#[tokio::test]
async fn claim_that_is_configured_and_missing_is_a_warning() {
    let auth = AuthConfig {
        teams_claim: Some("app.groups".to_owned()),
        role_claim: Some("app.role".to_owned()),
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    let warnings = async |app: Value| {
        let token = issuer().token(&Claims::of("alice").with("app", app));
        let me = with(&api, &token).get("/api/me").await.assert_status(200);
        me.json()["warnings"].clone()
    };
    let expected = json!([
        "The token has no claim `app.groups` (AUTH_TEAMS_CLAIM), so the caller has no teams. Add the claim at the \
         identity provider, or correct AUTH_TEAMS_CLAIM.",
        "The token has no claim `app.role` (AUTH_ROLE_CLAIM), so the caller is not an admin. Add the claim at the \
         identity provider, or correct AUTH_ROLE_CLAIM.",
    ]);
    assert_eq!(warnings(json!({})).await, expected);
    assert_eq!(warnings(json!({"groups": null, "role": null})).await, expected);
    assert_eq!(warnings(json!({"groups": [], "role": "user"})).await, Value::Null);
    let malformed = warnings(json!({"groups": {"red": true}, "role": true})).await;
    assert_eq!(
        malformed,
        json!([
            "The claim `app.groups` of the token (AUTH_TEAMS_CLAIM) is neither a string nor a list of strings, so the \
             caller has no teams. Correct the claim at the identity provider, or AUTH_TEAMS_CLAIM.",
            "The claim `app.role` of the token (AUTH_ROLE_CLAIM) is neither a string nor a list of strings, so the \
             caller is not an admin. Correct the claim at the identity provider, or AUTH_ROLE_CLAIM.",
        ])
    );
    let ignored = warnings(json!({"groups": ["red", "a b", 7], "role": "user"})).await;
    assert!(ignored[0].as_str().unwrap().contains("2 entries that are ignored"), "{ignored}");
}

#[tokio::test]
async fn missing_claim_is_logged_once_a_minute() {
    let redis = Redis::start().await;
    let environment = [
        ("REDIS_URL", &*redis.url()),
        ("AUTH_JWT_SECRET", &*secret()),
        ("AUTH_ISSUER", ISSUER),
        ("AUTH_AUDIENCE", AUDIENCE),
        ("AUTH_TEAMS_CLAIM", "groups"),
        ("AUTH_ROLE_CLAIM", "role"),
    ];
    let (mut process, api) = Process::function(env!("CARGO_BIN_EXE_sessions"), &environment).await;
    let api = with(&api, &issuer().token(&Claims::of("alice")));
    for _ in 0..5 {
        api.get("/api/sessions").await.assert_status(200);
    }
    // The log line of the last request follows all others.
    let last = api.get("/api/sessions").await.assert_status(200);
    let last = last.header("x-request-id").unwrap().to_owned();
    assert!(process.wait_for(&last, Duration::from_secs(5)).await);
    let output = process.output();
    for claim in ["has no claim `groups`", "has no claim `role`"] {
        assert_eq!(output.matches(claim).count(), 1, "{output}");
    }
}

#[tokio::test]
async fn me_without_access_control_returns_full_permissions() {
    let app = TestApp::start().await;
    check(
        &app.api,
        json!({
            "signed_in": false, "volume": "user", "volume_id": "default", "teams": [], "all_volumes": true,
            "read_only": false,
        }),
    )
    .await;
}
