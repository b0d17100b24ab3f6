//! `/api/me`: identity and permissions of the caller.

use llmos::auth::AuthConfig;
use serde_json::{Value, json};

use super::super::support::{Client, TestApp};
use super::{admin, keys, signed_in, start, with, with_secret};

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

    let alice = signed_in(&api, "alice", &["red", "blue"]);
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
