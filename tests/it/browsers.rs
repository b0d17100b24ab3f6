//! Pages that call: which may read and change what, and what browsers are told of every answer.

mod answers;
mod blob_store;
mod chromium;
mod cors;
mod forms;

use llmos::auth::AuthConfig;
use llmos::auth::new_key;
use llmos::config::{AccessConfig, Config};

use crate::support::{Client, Response};

/// A page that may call.
const OURS: &str = "https://app.example.com";
/// A page that may not.
const EVIL: &str = "https://evil.example";

/// The same deployment, which pages of these origins may call.
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

/// The same deployment, which accepts one key of an admin, and the key.
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

/// The same way, for a page.
fn from(api: &Client, origin: &str) -> Client {
    api.with_header("origin", origin)
}

/// The values of a header that is a list, in lower case.
fn list(response: &Response, name: &str) -> Vec<String> {
    let values = response.headers.get_all(name).iter();
    let values = values.flat_map(|value| value.to_str().unwrap().split(','));
    let mut values: Vec<_> = values
        .map(|value| value.trim().to_ascii_lowercase())
        .collect();
    values.sort();
    values
}
