//! Server properties from `INFO`: version, memory policy, cluster size.

use std::fmt;

use super::client::RedisClient;
use super::error::Result;

/// Oldest supported version of Redis.
const OLDEST: (u32, u32) = (6, 2);

/// Product and version of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    product: &'static str,
    number: String,
    /// Version of Redis, or the one that the product is compatible with.
    compatible: (u32, u32),
}

impl Version {
    /// Returns whether the version is older than the oldest supported one.
    pub fn is_too_old(&self) -> bool {
        self.compatible < OLDEST
    }

    fn parse(info: &str) -> Option<Self> {
        let redis = field(info, "redis_version")?;
        let mut parts = redis.split('.').map(str::parse);
        let compatible = (parts.next()?.ok()?, parts.next()?.ok()?);
        let (product, number) = match field(info, "valkey_version") {
            Some(valkey) => ("Valkey", valkey),
            None => ("Redis", redis),
        };
        Some(Self {
            product,
            number: number.to_owned(),
            compatible,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.product, self.number)
    }
}

impl RedisClient<'_> {
    /// Returns the version of the server, if INFO contains it.
    pub async fn version(&self) -> Result<Option<Version>> {
        Ok(Version::parse(&self.info("server").await?))
    }

    /// Returns the number of masters of a cluster.
    pub async fn masters(&self) -> Result<Option<u32>> {
        let info = self.cluster_info().await?;
        Ok(field(&info, "cluster_size").and_then(|size| size.parse().ok()))
    }

    /// Returns the eviction policy (`noeviction`, `allkeys-lru`, …), if INFO contains it. Managed servers reject
    /// `CONFIG` but support INFO.
    pub async fn memory_policy(&self) -> Result<Option<String>> {
        Ok(field(&self.info("memory").await?, "maxmemory_policy").map(str::to_owned))
    }
}

/// Returns the value of a line `name:value`.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_of_redis_and_valkey_is_parsed() {
        let redis =
            Version::parse("# Server\r\nredis_version:7.0.15\r\nredis_git_sha1:0\r\n").unwrap();
        assert_eq!(redis.to_string(), "Redis 7.0.15");
        assert!(!redis.is_too_old());

        let valkey = "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.3\r\n";
        assert_eq!(Version::parse(valkey).unwrap().to_string(), "Valkey 8.1.3");
    }

    #[test]
    fn version_before_6_2_is_too_old() {
        for (number, is_too_old) in [
            ("5.0.14", true),
            ("6.0.16", true),
            ("6.2.0", false),
            ("10.0.0", false),
        ] {
            let version = Version::parse(&format!("redis_version:{number}\r\n")).unwrap();
            assert_eq!(version.is_too_old(), is_too_old, "{number}");
        }
        assert_eq!(Version::parse("# Server\r\n"), None);
        assert_eq!(Version::parse("redis_version:unstable\r\n"), None);
    }
}
