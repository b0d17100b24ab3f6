//! Who may call, and what they may do: tokens, keys, and every route for every kind of caller.

#[path = "access/hidden.rs"]
mod hidden;
#[path = "access/lists.rs"]
mod lists;
#[path = "access/ownership.rs"]
mod ownership;
#[path = "access/stored.rs"]
mod stored;
#[path = "access/table.rs"]
mod table;
one_redis! {
#[path = "access/api_keys.rs"]
mod api_keys;
#[path = "access/claims.rs"]
mod claims;
#[path = "access/configuration.rs"]
mod configuration;
#[path = "access/key_failures.rs"]
mod key_failures;
#[path = "access/keys.rs"]
mod keys;
#[path = "access/links.rs"]
mod links;
#[path = "access/me.rs"]
mod me;
#[path = "access/tokens.rs"]
mod tokens;
}

use std::time::Duration;

use llmos::auth::AuthConfig;
use llmos::auth::new_key;
use llmos::config::{AccessConfig, Config};
use llmos::util::hash::hex;
use llmos::util::secret::Secret;
use serde_json::Value;

use super::support::{
    AUDIENCE, Claims, Client, ISSUER, Issuer, KeyServer, Redis, Response, config, in_process,
};

/// What tokens are signed with that have a shared secret.
fn secret() -> String {
    "s3cret/".repeat(8)
}

/// Those who sign tokens with the shared secret.
fn issuer() -> Issuer {
    Issuer::hs256(secret())
}

/// A good token of alice's.
fn token(issuer: &Issuer) -> String {
    issuer.token(&Claims::of("alice"))
}

/// Accepts the tokens of [`issuer`], and takes those whose `role` is `admin` for admins.
fn with_secret() -> AuthConfig {
    AuthConfig {
        jwt_secret: Some(Secret::new(secret())),
        role_claim: Some("role".to_owned()),
        ..of_issuer()
    }
}

/// Accepts the tokens that the keys at this server sign.
fn with_keys(server: &KeyServer) -> AuthConfig {
    AuthConfig {
        jwks_url: Some(server.url()),
        ..of_issuer()
    }
}

fn of_issuer() -> AuthConfig {
    AuthConfig {
        issuer: Some(ISSUER.to_owned()),
        audiences: vec![AUDIENCE.to_owned()],
        ..AuthConfig::default()
    }
}

/// The configuration of a deployment on this Redis that accepts these credentials.
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

/// The service in this process, on a Redis of its own.
async fn start(auth: AuthConfig) -> (Client, Redis) {
    let redis = Redis::start().await;
    let api = in_process(closed(&redis, auth));
    (api, redis)
}

/// The same way, for whoever has this credential.
fn with(api: &Client, credential: &str) -> Client {
    api.with_header("authorization", format!("Bearer {credential}"))
}

/// The same way, for a user of these teams.
fn signed_in(api: &Client, user: &str, teams: &[&str]) -> Client {
    with(api, &issuer().token(&Claims::of(user).with("teams", teams)))
}

/// The same way, for an admin.
fn admin(api: &Client) -> Client {
    let claims = Claims::of("root").with("role", "admin");
    with(api, &issuer().token(&claims))
}

/// Fresh keys of these scopes: each with the entry that accepts it.
fn keys(scopes: &[&str]) -> (Vec<String>, AuthConfig) {
    let made = scopes.iter().enumerate();
    let made = made.map(|(index, scope)| new_key(&format!("key-{index}"), scope).unwrap());
    let (keys, entries): (Vec<_>, Vec<_>) = made.unzip();
    let auth = AuthConfig {
        api_keys: entries.iter().map(|it| it.parse().unwrap()).collect(),
        ..AuthConfig::default()
    };
    (keys, auth)
}

/// What an entry of `API_KEYS` holds of a key.
fn hash_of(key: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, key.as_bytes()).as_ref())
}

/// A request that every signed-in caller may make.
async fn call(api: &Client) -> Response {
    api.get("/api/sessions?limit=1").await
}

/// The refusal of a caller who is nobody; what it says.
#[track_caller]
fn assert_refused(response: Response, has_credentials: bool) -> String {
    let challenge = match has_credentials {
        true => r#"Bearer realm="llmos", error="invalid_token""#,
        false => r#"Bearer realm="llmos""#,
    };
    assert_eq!(
        response.header("www-authenticate"),
        Some(challenge),
        "{response:?}"
    );
    let problem = response.assert_error(401, "unauthorized");
    problem["detail"].as_str().unwrap().to_owned()
}

/// Creates a session in a volume and gives its id.
async fn create(api: &Client, volume: &str, id: &str) -> String {
    let body = serde_json::json!({"name": "x", "volume": volume, "volume_id": id});
    let created = api.post("/api/sessions", &body).await.assert_status(201);
    text(&created.json()["id"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
