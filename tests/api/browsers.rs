//! Requests from browser pages: cross-origin rules and security headers.

mod answers;
mod blob_store;
mod cors;
mod forms;
mod options;

use llmos::auth::AuthConfig;
use llmos::auth::new_key;
use llmos::config::{AccessConfig, Config};

use crate::support::{Client, Response};

/// The origin of a page that is allowed.
const OURS: &str = "https://app.example.com";
/// The origin of a page that is not allowed.
const EVIL: &str = "https://evil.example";

/// Adds allowed origins to a configuration.
fn allowing(config: Config, origins: &[&str]) -> Config {
    let origins = origins.iter().map(|origin| origin.parse().unwrap());
    Config {
        access: AccessConfig {
            cors_allowed_origins: origins.collect(),
            ..config.access
        },
        ..config
    }
}

/// Adds one admin key to a configuration and returns the key.
fn with_key(config: Config) -> (Config, String) {
    let (key, entry) = new_key("page", "admin").unwrap();
    let access = AccessConfig {
        auth: AuthConfig {
            api_keys: vec![entry.parse().unwrap()],
            ..AuthConfig::default()
        },
        is_network_reachable: true,
        ..config.access
    };
    (Config { access, ..config }, key)
}

/// Returns a client that sends this origin.
fn from(api: &Client, origin: &str) -> Client {
    api.with_header("origin", origin)
}

/// Returns the values of a list header in lower case.
fn list(response: &Response, name: &str) -> Vec<String> {
    let values = response.headers.get_all(name).iter();
    let values = values.flat_map(|value| value.to_str().unwrap().split(','));
    let mut values: Vec<_> = values
        .map(|value| value.trim().to_ascii_lowercase())
        .collect();
    values.sort();
    values
}
