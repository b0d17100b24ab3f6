//! The Redis checks of `llmos doctor`: connection, sessions, latency, version and settings.

use std::time::Instant;

use llmos::config::Config;
use llmos::local::report::Report;
use llmos::store::{Address, RedisClient, Store, diagnose};
use llmos::util::diagnosis::Diagnosis;

use super::{median, session};

/// The checks of every TLS connection.
const CHECKED: &str = "; certificate and host name are checked";
/// Number of round trips that are measured.
const PINGS: usize = 9;

/// Checks the Redis at `REDIS_URL`.
pub(crate) async fn check(config: &Config, report: &mut Report) {
    let url = config.redis_url.as_ref().map(|url| url.reveal().to_owned());
    let address = Address::new(url.as_deref().unwrap_or_default());
    if url.is_some() {
        let kind = match address.is_cluster() {
            true => "Redis Cluster",
            false => "Redis",
        };
        report.note(&format!("{kind} at {address}"));
    }
    let store = Store::new(url, config.redis_ca_cert.clone());
    let client = match store.client() {
        Ok(client) => client,
        Err(error) => return report.fail("REDIS_URL", &diagnose(&error)),
    };
    if let Err(error) = client.ping().await {
        report.fail("connection", &diagnose(&error));
        return report.note("the other Redis checks are skipped: they need a connection");
    }
    let database = format!("database {}", address.database());
    report.outcome("connection", Ok(database));
    session::check(&store, report).await;
    report.outcome("round trip", round_trip(&client).await);
    if address.is_cluster() {
        report.outcome("cluster", masters(&client).await);
    }
    report.advice("version", version(&client).await);
    report.advice("memory policy", memory_policy(&client).await);
    report.advice("TLS", encryption(&address, config.redis_ca_cert.is_some()));
}

async fn round_trip(client: &RedisClient<'_>) -> Result<String, Diagnosis> {
    let mut times = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let started = Instant::now();
        client.ping().await?;
        times.push(started.elapsed());
    }
    Ok(median(times))
}

async fn masters(client: &RedisClient<'_>) -> Result<String, Diagnosis> {
    Ok(match client.masters().await? {
        Some(count) => format!("{count} masters respond"),
        None => "all masters respond".to_owned(),
    })
}

async fn version(client: &RedisClient<'_>) -> Result<String, Diagnosis> {
    match client.version().await? {
        Some(version) if version.is_too_old() => Err(Diagnosis {
            cause: format!("{version} is too old"),
            remedy: "use Redis 6.2 or later, or Valkey",
        }),
        Some(version) => Ok(version.to_string()),
        None => Ok("not reported by the server".to_owned()),
    }
}

async fn memory_policy(client: &RedisClient<'_>) -> Result<String, Diagnosis> {
    match client.memory_policy().await? {
        Some(policy) if policy != "noeviction" => Err(Diagnosis {
            cause: format!("{policy}: the server may evict sessions when its memory is full"),
            remedy: "set maxmemory-policy to noeviction, or turn off eviction at the provider",
        }),
        Some(policy) => Ok(policy),
        None => Ok("not reported by the server".to_owned()),
    }
}

fn encryption(address: &Address, has_own_authority: bool) -> Result<String, Diagnosis> {
    match (address.is_encrypted(), address.is_local()) {
        (true, _) if has_own_authority => Ok(format!("on, trusting REDIS_CA_CERT only{CHECKED}")),
        (true, _) => Ok(format!("on, trusting public authorities{CHECKED}")),
        (false, true) => Ok("off, not needed on the same machine".to_owned()),
        (false, false) => Err(Diagnosis {
            cause: "off: the password and all messages are sent unencrypted".to_owned(),
            remedy: "use rediss:// if the server offers it",
        }),
    }
}
