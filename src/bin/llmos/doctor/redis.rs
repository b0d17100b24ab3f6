//! Whether a Redis does everything that the service needs of it.

use std::time::{Duration, Instant};

use llmos::config::Config;
use llmos::local::report::Report;
use llmos::store::{Address, RedisClient, Store, diagnose};
use llmos::util::diagnosis::Diagnosis;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{median, same};

/// How many round trips are measured.
const PINGS: usize = 9;

/// When a value that we cannot delete is gone by itself.
const EXPIRY: Duration = Duration::from_secs(60);

/// Checks the Redis at `REDIS_URL`.
pub(crate) async fn check(config: &Config, report: &mut Report) {
    let url = config.redis_url.as_ref().map(|url| url.reveal().to_owned());
    let address = Address::new(url.as_deref().unwrap_or_default());
    if url.is_some() {
        let what = match address.is_cluster() {
            true => "Redis Cluster",
            false => "Redis",
        };
        report.say(&format!("{what} at {address}"));
    }
    let store = Store::new(url, config.redis_ca_cert.clone());
    let client = match store.client() {
        Ok(client) => client,
        Err(error) => return report.fail("REDIS_URL", &diagnose(&error)),
    };
    if let Err(error) = client.ping().await {
        report.fail("connection", &diagnose(&error));
        return report.say("nothing else can be checked until this works");
    }
    report.outcome("connection", Ok(String::new()));

    let prefix = format!("llmos:doctor:{}", Uuid::now_v7());
    let keys = ["value", "json", "set", "list", "script"].map(|name| format!("{prefix}:{name}"));
    let [value, json, set, list, script] = &keys;
    let outcomes = [
        ("set and get", set_and_get(&client, value).await),
        ("JSON object", json_object(&client, json).await),
        ("set operations", set_operations(&client, set).await),
        ("list operations", list_operations(&client, list).await),
        ("Lua script", lua_script(&client, script).await),
    ];
    let has_written = outcomes.iter().any(|(_, outcome)| outcome.is_ok());
    for (name, outcome) in outcomes {
        report.outcome(name, outcome);
    }
    let cleaned = clean_up(&client, &keys).await;
    if let (Err(problem), true) = (cleaned, has_written) {
        report.fail(&format!("deleting {prefix}:*"), &problem);
    }

    report.outcome("round trip", round_trip(&client).await);
    if address.is_cluster() {
        report.outcome("cluster", masters(&client).await);
    }
    report.advice("version", version(&client).await);
    report.advice("memory policy", memory_policy(&client).await);
    report.advice("TLS", encryption(&address, config.redis_ca_cert.is_some()));
}

async fn set_and_get(client: &RedisClient<'_>, key: &str) -> Result<String, Diagnosis> {
    client.set(key, &"text, also ünïcödé", Some(EXPIRY)).await?;
    let found: Option<String> = client.get(key).await?;
    same(&found.as_deref(), &Some("text, also ünïcödé"))
}

async fn json_object(client: &RedisClient<'_>, key: &str) -> Result<String, Diagnosis> {
    let object = json!({"name": "doctor", "numbers": [1, 2.5, -3], "nested": {"nothing": null}});
    client.set(key, &object, Some(EXPIRY)).await?;
    same(&client.get::<Value>(key).await?, &Some(object))
}

async fn set_operations(client: &RedisClient<'_>, key: &str) -> Result<String, Diagnosis> {
    client.sadd(key, &"one").await?;
    client.sadd(key, &"two").await?;
    let mut members: Vec<String> = client.smembers(key).await?;
    members.sort();
    same(&members, &vec!["one".to_owned(), "two".to_owned()])?;
    client.srem(key, &"one").await?;
    same(
        &client.smembers::<String>(key).await?,
        &vec!["two".to_owned()],
    )?;
    Ok("sadd, smembers, srem".to_owned())
}

async fn list_operations(client: &RedisClient<'_>, key: &str) -> Result<String, Diagnosis> {
    client.rpush(key, &"first").await?;
    client.rpush(key, &"second").await?;
    let values: Vec<String> = client.lrange(key, 0, -1).await?;
    same(&values, &vec!["first".to_owned(), "second".to_owned()])?;
    same(&client.llen(key).await?, &2)?;
    Ok("rpush, lrange, llen".to_owned())
}

async fn lua_script(client: &RedisClient<'_>, key: &str) -> Result<String, Diagnosis> {
    let script = "redis.call('SET', KEYS[1], ARGV[1], 'EX', 60) return redis.call('GET', KEYS[1])";
    let answer: String = client.eval(script, key, "from Lua").await?;
    same(&answer.as_str(), &"from Lua")
}

/// Deletes what the checks may have written, as far as possible; tells of the first failure.
async fn clean_up(client: &RedisClient<'_>, keys: &[String]) -> Result<(), Diagnosis> {
    let mut result = Ok(());
    for key in keys {
        let deleted = client.delete(key).await;
        result = result.and(deleted.map(drop).map_err(Diagnosis::from));
    }
    result
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
        Some(count) => format!("{count} masters answer"),
        None => "masters answer".to_owned(),
    })
}

async fn version(client: &RedisClient<'_>) -> Result<String, Diagnosis> {
    match client.version().await? {
        Some(version) if version.is_too_old() => Err(Diagnosis {
            cause: format!("{version} is too old"),
            remedy: "use Redis 6.2 or later, or Valkey",
        }),
        Some(version) => Ok(version.to_string()),
        None => Ok("not told by the server".to_owned()),
    }
}

async fn memory_policy(client: &RedisClient<'_>) -> Result<String, Diagnosis> {
    match client.memory_policy().await? {
        Some(policy) if policy != "noeviction" => Err(Diagnosis {
            cause: format!("{policy}: when its memory is full, the server may throw sessions away"),
            remedy: "set maxmemory-policy to noeviction, or turn eviction off at the provider",
        }),
        Some(policy) => Ok(policy),
        None => Ok("not told by the server".to_owned()),
    }
}

fn encryption(address: &Address, has_own_authority: bool) -> Result<String, Diagnosis> {
    match (address.is_encrypted(), address.is_local()) {
        (true, _) if has_own_authority => Ok("on, trusting REDIS_CA_CERT only".to_owned()),
        (true, _) => Ok("on".to_owned()),
        (false, true) => Ok("off, and not needed on the same machine".to_owned()),
        (false, false) => Err(Diagnosis {
            cause: "off: password and messages cross the network in the open".to_owned(),
            remedy: "use rediss:// if the server offers it",
        }),
    }
}
