//! The first lines that the local server prints: its address, its storage, missing settings and access.

use std::net::SocketAddr;

use super::blob_store::{BlobStore, LOCAL_TOKEN};
use super::redis_server::RedisServer;
use crate::config::{AccessConfig, Config, Sources};
use crate::provider::Settings;

/// Prints the address and the source of each variable. `is_host_ignored` adds a warning about `HOST`.
pub fn print_address(addresses: &[SocketAddr], sources: &Sources, is_host_ignored: bool) {
    let addresses: Vec<String> = addresses
        .iter()
        .map(|address| format!("http://{address}"))
        .collect();
    line("llmos", &addresses.join(" "));
    for (index, (source, names)) in sources.describe().iter().enumerate() {
        let name = if index == 0 { "variables" } else { "" };
        line(name, &format!("from {source}: {}", names.join(", ")));
    }
    if is_host_ignored {
        line(
            "warning",
            "HOST in the environment is ignored, because it is not an IP address or localhost: to listen on a name, \
             set HOST in .env",
        );
    }
}

/// Prints the storage, the model, and access. `config` includes the addresses of the private storage.
pub fn print_startup_banner(
    address: SocketAddr,
    config: &Config,
    redis: Option<&RedisServer>,
    blobs: Option<&BlobStore>,
) {
    print_sessions(config, redis);
    print_files(config, blobs);
    print_model(&config.model);
    print_access(address, &config.access);
}

fn print_model(settings: &Settings) {
    let Some(provider) = settings.select(None, None) else {
        return line(
            "not set",
            "a model for chat: run `make model` in another terminal, or set ANTHROPIC_API_KEY, OPENAI_API_KEY, \
             AI_GATEWAY_API_KEY, OPENROUTER_API_KEY or LLMOS_MODEL_BASE_URL",
        );
    };
    let model = provider.default_model();
    let place = match (provider.name(), &settings.local) {
        ("local", Some(local)) => format!("on this machine, at {}", local.url()),
        ("custom", _) => "from the server at LLMOS_MODEL_BASE_URL".to_owned(),
        (name, _) => format!("from {name}"),
    };
    line("model", &format!("{model} {place}"));
}

fn print_sessions(config: &Config, redis: Option<&RedisServer>) {
    match (redis, &config.redis_url) {
        (Some(redis), _) => {
            let directory = redis.directory().display();
            line("sessions", &format!("private Redis, data in {directory}"));
        }
        (None, Some(_)) => line("sessions", "Redis at REDIS_URL"),
        (None, None) => line(
            "sessions",
            "read-only samples: to store sessions, install redis-server (apt install redis-server, \
             brew install redis) or set REDIS_URL",
        ),
    }
}

fn print_files(config: &Config, blobs: Option<&BlobStore>) {
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
                let path = path.display();
                line("warning", &format!("{path} is not a valid blob, ignored"));
            }
        }
        (None, Some(_)) => line("files", "Vercel Blob at BLOB_READ_WRITE_TOKEN"),
        (None, None) => line("files", "Vercel Blob at BLOB_STORE_ID"),
    }
}

fn print_access(address: SocketAddr, access: &AccessConfig) {
    let (name, text) = match (access.auth.is_configured(), access.is_network_reachable) {
        (true, _) => (
            "access",
            "restricted to valid tokens and API keys (AUTH_…, API_KEYS)".to_owned(),
        ),
        (false, false) => (
            "access",
            "full access without authentication, from this machine only".to_owned(),
        ),
        (false, true) if access.allow_anonymous => (
            "warning",
            format!(
                "every machine that can reach {address} has full access without authentication"
            ),
        ),
        (false, true) => (
            "warning",
            format!(
                "all requests are rejected: other machines can reach {address}, and access is not configured. \
                 Set AUTH_JWKS_URL or AUTH_JWT_SECRET (users), API_KEYS (programs), or ALLOW_ANONYMOUS=true \
                 (open access)"
            ),
        ),
    };
    line(name, &text);
}

#[expect(
    clippy::print_stdout,
    reason = "these lines are for the person at the terminal"
)]
fn line(name: &str, text: &str) {
    println!("{name:<10} {text}");
}
