//! Rate limits: which requests pass, the key of each caller, cost, and Redis failures.

#[path = "limits/callers.rs"]
mod callers;
#[path = "limits/counting.rs"]
mod counting;
one_redis! {
#[path = "limits/cost.rs"]
mod cost;
#[path = "limits/redis_trouble.rs"]
mod redis_trouble;
}

use std::time::Duration;

use llmos::auth::AuthConfig;
use llmos::config::{AccessConfig, Config};
use serde_json::json;

use super::support::{Client, Redis, Response, config, in_process};

/// The rate limit key of anonymous callers without an address.
const UNKNOWN: &str = "llmos:rate:address unknown";

/// Returns the configuration of an open deployment with a limit.
fn limited(redis: &Redis, requests: u32) -> Config {
    let access = AccessConfig {
        rate_limit: Some(requests),
        ..AccessConfig::default()
    };
    Config {
        access,
        ..config(&redis.url())
    }
}

/// Starts a deployment with a limit that accepts these API keys.
fn limited_keys(redis: &Redis, requests: u32, entries: &[String]) -> Client {
    let mut config = limited(redis, requests);
    config.access.auth = AuthConfig {
        api_keys: entries.iter().map(|entry| entry.parse().unwrap()).collect(),
        ..AuthConfig::default()
    };
    in_process(config)
}

/// Returns a client that sends this key.
fn with_key(api: &Client, key: &str) -> Client {
    api.with_header("authorization", format!("Bearer {key}"))
}

async fn list(api: &Client) -> Response {
    api.get("/api/sessions").await
}

async fn create(api: &Client) -> Response {
    let body = json!({"name": "x", "volume": "user"});
    api.post("/api/sessions", &body).await
}

/// Returns the remaining requests and the reset in seconds of the `RateLimit` header.
#[track_caller]
fn left(response: &Response, limit: u32) -> (u32, u64) {
    let policy = response.header("ratelimit-policy");
    assert_eq!(policy, Some(&*format!("\"requests\";q={limit};w=60")));
    let left = response.header("ratelimit").unwrap();
    let left = left.strip_prefix("\"requests\";r=").unwrap();
    let (remaining, reset) = left.split_once(";t=").unwrap();
    (remaining.parse().unwrap(), reset.parse().unwrap())
}

/// Checks the format of a 429 and returns its `Retry-After`.
#[track_caller]
fn assert_limited(response: Response, limit: u32) -> Duration {
    let (remaining, reset) = left(&response, limit);
    assert_eq!(remaining, 0);
    let pause: u64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!(pause >= 1 && reset >= 1 && pause <= 60, "{response:?}");
    response.assert_error(429, "rate_limited");
    Duration::from_secs(pause)
}
