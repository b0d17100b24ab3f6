//! The first lines of the local server: where it is, on what storage, and what is missing.

use std::net::SocketAddr;

use super::blob_store::{BlobStore, LOCAL_TOKEN};
use super::redis_server::RedisServer;
use crate::config::{AccessConfig, Config};

/// Prints them. `config` is what the service runs with, private storage included.
pub fn introduce(
    address: SocketAddr,
    config: &Config,
    redis: Option<&RedisServer>,
    blobs: Option<&BlobStore>,
) {
    line("llmos", &format!("http://{address}"));
    match (redis, &config.redis_url) {
        (Some(redis), _) => {
            let directory = redis.directory().display();
            line("sessions", &format!("private Redis, data in {directory}"));
        }
        (None, Some(_)) => line("sessions", "Redis at REDIS_URL"),
        (None, None) => line(
            "sessions",
            "samples only, nothing is stored: install redis-server (apt install redis-server, \
             brew install redis) or set REDIS_URL",
        ),
    }
    introduce_files(config, blobs);
    if config.anthropic_api_key.is_none() {
        line("not set", "ANTHROPIC_API_KEY");
    }
    introduce_access(address, &config.access);
}

fn introduce_access(address: SocketAddr, access: &AccessConfig) {
    let (name, text) = match (access.auth.is_configured(), access.is_network_reachable) {
        (true, _) => ("access", "by tokens and keys, as AUTH_… and API_KEYS say".to_owned()),
        (false, false) => (
            "access",
            "you are the local user, who may do everything; other machines cannot connect".to_owned(),
        ),
        (false, true) if access.allow_anonymous => (
            "careful",
            format!("every machine that reaches {address} may read and write everything"),
        ),
        (false, true) => (
            "careful",
            "nobody may call: other machines reach this address, so set AUTH_JWKS_URL, AUTH_JWT_SECRET or \
             API_KEYS, or ALLOW_ANONYMOUS=true"
                .to_owned(),
        ),
    };
    line(name, &text);
}

fn introduce_files(config: &Config, blobs: Option<&BlobStore>) {
    match (blobs, &config.blob.read_write_token) {
        (Some(blobs), _) => {
            let directory = blobs.directory().display();
            line("files", &format!("on disk in {directory}"));
            let url = config.blob.api_url.as_deref().unwrap_or_default();
            line(
                "",
                &format!(
                    "for other programs: VERCEL_BLOB_API_URL={url} BLOB_READ_WRITE_TOKEN={LOCAL_TOKEN}"
                ),
            );
            for path in blobs.unreadable() {
                line("careful", &format!("{} is not a blob", path.display()));
            }
        }
        (None, Some(_)) => line("files", "Vercel Blob at BLOB_READ_WRITE_TOKEN"),
        (None, None) => line("files", "Vercel Blob at BLOB_STORE_ID"),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "these lines are for the person at the terminal"
)]
fn line(name: &str, text: &str) {
    println!("{name:<10} {text}");
}
