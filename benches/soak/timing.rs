//! Timing comparisons: the duration of a 404 must not reveal a hidden session, and rejecting a token takes about as
//! long as accepting one. The test suite compares round trips instead, which do not depend on the machine's load.

use std::time::Duration;

use llmos::auth::AuthConfig;
use llmos::config::{AccessConfig, Config};
use llmos::util::secret::Secret;
use serde_json::json;

use crate::support::{
    AUDIENCE, Claims, Client, ISSUER, Issuer, KeyServer, Redis, config, in_process, in_seconds,
};

const REPETITIONS: usize = 100;

/// Runs all comparisons, prints a line for each, and returns the violations.
pub async fn compare() -> Vec<String> {
    let mut violations = hidden_and_missing_sessions().await;
    violations.extend(rejected_and_accepted_tokens().await);
    violations
}

/// Compares the median duration of a 404 for hidden sessions, small and large, with that for a missing one.
async fn hidden_and_missing_sessions() -> Vec<String> {
    let redis = Redis::start().await;
    let issuer = Issuer::hs256(secret());
    let api = in_process(closed(&redis, with_secret()));
    let user = |name: &str| with(&api, &issuer.token(&Claims::of(name)));
    let (alice, bob) = (user("alice"), user("bob"));
    let small = alice.create_session("small").await;
    // The Python version stored the first message, of any length, in the document.
    let large = "sess_large_1";
    let document = json!({"id": large, "name": "x", "volume": "user", "volume_id": "alice", "status": "active",
        "messages": [{"role": "user", "content": "x".repeat(900_000)}],
        "created_at": "2025-12-14T10:00:00Z", "updated_at": "2025-12-14T10:00:00Z", "metadata": {}});
    redis.command::<()>(&["SET", &format!("session:{large}"), &document.to_string()]);
    redis.command::<()>(&["SADD", "user:alice:sessions", large]);
    let path = |id: &str| format!("/api/sessions/{id}");
    alice.get(&path(large)).await.assert_status(200);

    let missing = median(&bob, &path("sess_none"), 404).await;
    let limit = missing * 2 + Duration::from_millis(1);
    println!("404 of a missing session: {missing:?}");
    let mut violations = Vec::new();
    for (what, id) in [("a small hidden session", &*small), ("a large one", large)] {
        let hidden = median(&bob, &path(id), 404).await;
        println!("404 of {what}: {hidden:?}");
        if hidden >= limit {
            violations.push(format!("404 of {what} took {hidden:?}, limit {limit:?}"));
        }
    }
    violations
}

/// Compares the median duration of a 401 for each kind of bad token with that of a 200.
async fn rejected_and_accepted_tokens() -> Vec<String> {
    let issuers = [
        Issuer::rs256("rsa", 0),
        Issuer::es256("ec"),
        Issuer::eddsa("ed"),
    ];
    let server = KeyServer::start(&issuers.each_ref()).await;
    let redis = Redis::start().await;
    let auth = AuthConfig {
        jwks_url: Some(server.url()),
        ..with_secret()
    };
    let api = in_process(closed(&redis, auth));
    let alice = Claims::of("alice");
    let me = "/api/me";
    let good = median(&with(&api, &issuers[0].token(&alice)), me, 200).await;
    let limit = good * 5 + Duration::from_millis(20);
    println!("200 of a valid token: {good:?}");

    let unknown = Issuer::es256("unknown");
    let expired = alice.clone().with("exp", in_seconds(-3600));
    let mut own_key = unknown.header();
    own_key["jwk"] = unknown.jwk();
    own_key["jku"] = "http://127.0.0.1:1/keys".into();
    let valid = issuers[0].token(&alice);
    let mut violations = Vec::new();
    for (what, token) in [
        (
            "RS256 of another key",
            Issuer::rs256("rsa", 1).token(&alice),
        ),
        ("ES256 of another key", Issuer::es256("ec").token(&alice)),
        ("EdDSA of another key", Issuer::eddsa("ed").token(&alice)),
        (
            "HS256 of another secret",
            Issuer::hs256("another".repeat(8)).token(&alice),
        ),
        ("an unknown key", unknown.token(&alice)),
        (
            "a key in its header",
            unknown.token_with_header(&own_key, &alice),
        ),
        ("an expired token", issuers[0].token(&expired)),
        ("a truncated token", valid[..valid.len() / 2].to_owned()),
        ("a malformed token", "a.b.c".to_owned()),
    ] {
        let bad = median(&with(&api, &token), me, 401).await;
        println!("401 of {what}: {bad:?}");
        if bad >= limit {
            violations.push(format!("401 of {what} took {bad:?}, limit {limit:?}"));
        }
    }
    violations
}

/// Returns the median duration of a request, whose status is checked each time.
async fn median(api: &Client, path: &str, status: u16) -> Duration {
    let mut times = Vec::new();
    for _ in 0..REPETITIONS {
        times.push(api.get(path).await.assert_status(status).elapsed);
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn secret() -> String {
    "s3cret/".repeat(8)
}

fn with_secret() -> AuthConfig {
    AuthConfig {
        issuer: Some(ISSUER.to_owned()),
        audiences: vec![AUDIENCE.to_owned()],
        jwt_secret: Some(Secret::new(secret())),
        ..AuthConfig::default()
    }
}

/// Returns the configuration of a deployment on this Redis with access control.
fn closed(redis: &Redis, auth: AuthConfig) -> Config {
    Config {
        access: AccessConfig {
            auth,
            is_network_reachable: true,
            ..AccessConfig::default()
        },
        ..config(&redis.url())
    }
}

fn with(api: &Client, credential: &str) -> Client {
    api.with_header("authorization", format!("Bearer {credential}"))
}
