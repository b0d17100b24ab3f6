//! `REDIS_URL` without its secrets, for logs and error texts.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo};

use super::url::{parse, scheme_of};
use crate::util::host::is_loopback;

/// A URL with `***` in place of user and password. A malformed URL is reduced to its scheme, because the password can
/// be anywhere in it.
#[derive(Clone, Debug)]
pub struct Address {
    shown: String,
    database: i64,
    is_encrypted: bool,
    is_local: bool,
    is_cluster: bool,
}

impl Address {
    /// Reads a URL, which may be malformed.
    pub fn new(url: &str) -> Self {
        let scheme = scheme_of(url);
        let Ok(parsed) = parse(url) else {
            return Self {
                shown: scheme.map_or("…".to_owned(), |scheme| format!("{scheme}://…")),
                database: 0,
                is_encrypted: false,
                is_local: false,
                is_cluster: false,
            };
        };
        let scheme = scheme.unwrap_or("redis");
        let parameter = match parsed.is_cluster && parsed.servers.len() == 1 {
            true => "?cluster=true",
            false => "",
        };
        Self::from_nodes(scheme, &parsed.servers, parameter, parsed.is_cluster)
    }

    fn from_nodes(
        scheme: &str,
        nodes: &[ConnectionInfo],
        parameter: &str,
        is_cluster: bool,
    ) -> Self {
        let redis = nodes[0].redis_settings();
        let database = redis.db();
        let (user, password) = (redis.username().is_some(), redis.password().is_some());
        let credentials = |user_text, password_text, end| {
            [
                (user, user_text),
                (password, password_text),
                (user || password, end),
            ]
            .into_iter()
            .filter_map(|(is_set, text)| is_set.then_some(text))
            .collect::<String>()
        };
        if let ConnectionAddr::Unix(path) = nodes[0].addr() {
            return Self {
                shown: format!(
                    "redis+unix://{}?db={database}{}",
                    path.display(),
                    credentials("&user=***", "&pass=***", "")
                ),
                database,
                is_encrypted: false,
                is_local: true,
                is_cluster,
            };
        }
        let hosts: Vec<(&str, u16, bool)> = nodes.iter().filter_map(host_of).collect();
        let shown: Vec<String> = hosts
            .iter()
            .map(|(host, port, _)| match host.contains(':') {
                true => format!("[{host}]:{port}"),
                false => format!("{host}:{port}"),
            })
            .collect();
        Self {
            shown: format!(
                "{scheme}://{}{}/{database}{parameter}",
                credentials("***", ":***", "@"),
                shown.join(",")
            ),
            database,
            is_encrypted: hosts.iter().all(|(_, _, is_encrypted)| *is_encrypted),
            is_local: hosts.iter().all(|(host, ..)| is_loopback(host)),
            is_cluster,
        }
    }

    /// Returns the number of the database.
    pub fn database(&self) -> i64 {
        self.database
    }

    /// Returns whether the connection uses TLS.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Returns whether the URL names a Redis Cluster.
    pub fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// Returns whether all servers in the URL are on this machine.
    pub fn is_local(&self) -> bool {
        self.is_local
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

/// Returns host, port, and whether the connection uses TLS.
fn host_of(info: &ConnectionInfo) -> Option<(&str, u16, bool)> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => Some((host, *port, false)),
        ConnectionAddr::TcpTls { host, port, .. } => Some((host, *port, true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::url::is_cluster;
    use super::*;

    #[test]
    fn credentials_are_shown_as_stars() {
        for (url, shown) in [
            ("redis://127.0.0.1", "redis://127.0.0.1:6379/0"),
            (
                "redis://:hidden@127.0.0.1:7000/3",
                "redis://:***@127.0.0.1:7000/3",
            ),
            (
                "rediss://hidden:hidden@db.example",
                "rediss://***:***@db.example:6379/0",
            ),
            ("rediss://hidden@[::1]:7000", "rediss://***@[::1]:7000/0"),
            (
                "redis://:p@hidden@db.example",
                "redis://:***@db.example:6379/0",
            ),
            ("redis://db.example/?db=15", "redis://db.example:6379/15"),
            ("REDISS://db.example", "rediss://db.example:6379/0"),
            (
                "valkeys://db.example?protocol=resp2",
                "valkeys://db.example:6379/0",
            ),
            (
                "redis+unix:///run/redis.sock",
                "redis+unix:///run/redis.sock?db=0",
            ),
            (
                "unix:///r?user=hidden&pass=hidden&db=2",
                "redis+unix:///r?db=2&user=***&pass=***",
            ),
        ] {
            assert_eq!(Address::new(url).to_string(), shown, "{url}");
        }
    }

    #[test]
    fn several_hosts_or_cluster_parameter_is_a_cluster() {
        for (url, shown) in [
            ("redis://a:1,b:2,c/0", "redis://a:1,b:2,c:6379/0"),
            ("redis://a:1,redis://[::1]:2", "redis://a:1,[::1]:2/0"),
            (
                "rediss://hidden:hid,den@a,b:2",
                "rediss://***:***@a:6379,b:2/0",
            ),
            (
                "redis://:hidden@a?protocol=resp2&cluster=true",
                "redis://:***@a:6379/0?cluster=true",
            ),
        ] {
            assert!(is_cluster(url), "{url}");
            assert_eq!(Address::new(url).to_string(), shown, "{url}");
        }
        for url in [
            "redis://a:1",
            "redis://:hid,den@a:1",
            "redis://a?cluster=false",
            "redis+unix:///a,b",
        ] {
            assert!(!is_cluster(url), "{url}");
        }
        for (url, shown) in [
            ("redis://a,,b", "redis://…"),
            ("redis://a,b:port", "redis://…"),
            ("redis://:hid/den,b@a", "redis://…"),
            ("redis+unix:///a?cluster=true", "…"),
        ] {
            assert!(parse(url).is_err(), "{url}");
            assert_eq!(Address::new(url).to_string(), shown, "{url}");
        }
    }

    #[test]
    fn malformed_url_shows_only_its_scheme() {
        for (url, shown) in [
            ("hidden", "…"),
            ("hidden://hidden", "…"),
            ("https://:hidden@db.example", "…"),
            ("redis://", "redis://…"),
            ("redis://:hidden@db.example:port", "redis://…"),
            ("redis://:hid/den@db.example", "redis://…"),
            ("redis://user:12#den@db.example", "redis://…"),
            ("rediss://user:12?den@db.example", "rediss://…"),
            ("redis://user:12/3?den@db.example", "redis://…"),
            ("redis+unix://user:hidden@host/path?pass=hidden", "…"),
        ] {
            assert_eq!(Address::new(url).to_string(), shown, "{url}");
        }
    }

    #[test]
    fn loopback_and_socket_urls_are_local() {
        for (url, is_local) in [
            ("redis://localhost", true),
            ("redis://127.0.0.2:7000", true),
            ("rediss://[::1]", true),
            ("redis+unix:///run/redis.sock", true),
            ("redis://Redis.localhost:7000", true),
            ("redis://localhost.example", false),
            ("redis://10.0.0.1", false),
            ("hidden", false),
        ] {
            assert_eq!(Address::new(url).is_local(), is_local, "{url}");
        }
        assert!(Address::new("rediss://db.example").is_encrypted());
        assert!(!Address::new("redis://db.example").is_encrypted());
    }
}
