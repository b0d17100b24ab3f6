//! Access control: tokens, API keys, and every route for every kind of caller.

#[path = "access/batch.rs"]
mod batch;
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
#[path = "access/taken_ids.rs"]
mod taken_ids;
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

use llmos::auth::{AuthConfig, new_key};
use llmos::config::{AccessConfig, Config};
use llmos::util::hash::sha256;
use llmos::util::secret::Secret;
use serde_json::Value;

use super::support::{
    AUDIENCE, Claims, Client, ISSUER, Issuer, KeyServer, Redis, Response, config, in_process,
};

/// The shared secret that signs tokens.
fn secret() -> String {
    "s3cret/".repeat(8)
}

/// The issuer with the shared secret.
fn issuer() -> Issuer {
    Issuer::hs256(secret())
}

/// Signs a valid token for alice.
fn token(issuer: &Issuer) -> String {
    issuer.token(&Claims::of("alice"))
}

/// Accepts the tokens of [`issuer`]; tokens with `role: admin` are admins.
fn with_secret() -> AuthConfig {
    AuthConfig {
        jwt_secret: Some(Secret::new(secret())),
        role_claim: Some("role".to_owned()),
        ..of_issuer()
    }
}

/// Accepts the tokens signed by the keys of this server.
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

/// Starts the service in this process on a private Redis.
async fn start(auth: AuthConfig) -> (Client, Redis) {
    let redis = Redis::start().await;
    let api = in_process(closed(&redis, auth));
    (api, redis)
}

/// Returns a client with this credential.
fn with(api: &Client, credential: &str) -> Client {
    api.with_header("authorization", format!("Bearer {credential}"))
}

/// Returns a client of a user in these teams.
fn signed_in(api: &Client, user: &str, teams: &[&str]) -> Client {
    with(api, &issuer().token(&Claims::of(user).with("teams", teams)))
}

/// Returns a client of an admin.
fn admin(api: &Client) -> Client {
    let claims = Claims::of("root").with("role", "admin");
    with(api, &issuer().token(&claims))
}

/// Creates an API key for each scope and the configuration that accepts them.
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

/// Returns the hash of a key in `API_KEYS`.
fn hash_of(key: &str) -> String {
    hex::encode(sha256(key.as_bytes()))
}

/// Sends a request that every authenticated caller may make.
async fn call(api: &Client) -> Response {
    api.get("/api/sessions?limit=1").await
}

/// Checks the format of a 401 and returns its body.
#[track_caller]
fn assert_rejected(response: Response, has_credentials: bool) -> String {
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

/// Creates a session in a volume and returns its id.
async fn create(api: &Client, volume: &str, id: &str) -> String {
    let body = serde_json::json!({"name": "x", "volume": volume, "volume_id": id});
    let created = api.post("/api/sessions", &body).await.assert_status(201);
    text(&created.json()["id"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
