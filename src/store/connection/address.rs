//! `REDIS_URL`: read in one place, and shown without its secrets.

use std::net::IpAddr;
use std::{fmt, slice};

use redis::{ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisResult};

/// What a URL leads to.
pub(super) enum Target {
    /// One server.
    One(Box<ConnectionInfo>),
    /// Nodes of a cluster; there is at least one.
    Cluster(Vec<ConnectionInfo>),
}

impl Target {
    /// The server, or the first node.
    pub(super) fn first(&self) -> &ConnectionInfo {
        match self {
            Self::One(info) => info,
            Self::Cluster(nodes) => &nodes[0],
        }
    }
}

/// Whether a URL names a cluster: by several hosts, or by `cluster=true`.
pub(super) fn is_cluster(url: &str) -> bool {
    let (_, query) = url.split_once('?').unwrap_or_default();
    let says_so = query.split(['&', '#', ',']).any(|it| it == "cluster=true");
    says_so || one_for_each_host(url).len() > 1
}

/// What a URL says.
///
/// # Errors
/// If it cannot be understood. The error repeats nothing of a password.
pub(super) fn parse(url: &str) -> RedisResult<Target> {
    if !is_cluster(url) {
        return parse_one(url).map(|info| Target::One(Box::new(info)));
    }
    let nodes: Vec<_> = one_for_each_host(url)
        .iter()
        .map(|url| parse_one(url))
        .collect::<RedisResult<_>>()?;
    if nodes
        .iter()
        .any(|node| matches!(node.addr(), ConnectionAddr::Unix(_)))
    {
        return Err((ErrorKind::InvalidClientConfig, "a cluster has no socket").into());
    }
    Ok(Target::Cluster(nodes))
}

fn parse_one(url: &str) -> RedisResult<ConnectionInfo> {
    let info = url.into_connection_info()?;
    // `/`, `?` or `#` in a password ends the host as URLs are read: the password's start would be looked
    // up as a name, in the open.
    let after_host = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once(['/', '?', '#']));
    let is_unix = matches!(info.addr(), ConnectionAddr::Unix(_));
    if !is_unix && after_host.is_some_and(|(_, rest)| rest.contains('@')) {
        return Err((ErrorKind::InvalidClientConfig, "an @ follows the host").into());
    }
    Ok(info)
}

/// A URL for each host: of `redis://user:password@a:1,b:2/0`, and of `redis://a:1,redis://b:2`.
fn one_for_each_host(text: &str) -> Vec<String> {
    if scheme_of(text).is_none() {
        return vec![text.to_owned()];
    }
    let mut parts: Vec<&str> = Vec::new();
    let mut start = 0;
    for (comma, _) in text.match_indices(',') {
        if scheme_of(&text[comma + 1..]).is_some() {
            parts.push(&text[start..comma]);
            start = comma + 1;
        }
    }
    parts.push(&text[start..]);
    let mut urls = Vec::new();
    for part in parts {
        let (scheme, rest) = part.split_once("://").unwrap_or_default();
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (credentials, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let hosts = hosts.split(',');
        urls.extend(hosts.map(|host| format!("{scheme}://{credentials}{host}{tail}")));
    }
    urls
}

/// Which scheme with hosts a text begins with.
fn scheme_of(text: &str) -> Option<&'static str> {
    let schemes = ["redis", "rediss", "valkey", "valkeys"];
    let is_followed = |rest: &str| rest.starts_with("://");
    schemes
        .into_iter()
        .find(|scheme| text.strip_prefix(scheme).is_some_and(is_followed))
}

/// A URL as a person may see it: with `***` for user and password. One that cannot be understood shows its
/// scheme only, because nobody knows where in it the password is.
#[derive(Clone, Debug)]
pub struct Address {
    shown: String,
    is_encrypted: bool,
    is_local: bool,
    is_cluster: bool,
}

impl Address {
    /// Reads a URL, also one that is none.
    pub fn new(url: &str) -> Self {
        let scheme = scheme_of(url);
        let Ok(target) = parse(url) else {
            return Self {
                shown: scheme.map_or("…".to_owned(), |scheme| format!("{scheme}://…")),
                is_encrypted: false,
                is_local: false,
                is_cluster: false,
            };
        };
        let scheme = scheme.unwrap_or("redis");
        match &target {
            Target::One(info) => Self::of_nodes(scheme, slice::from_ref(&**info), "", false),
            Target::Cluster(nodes) => {
                let mark = if nodes.len() > 1 { "" } else { "?cluster=true" };
                Self::of_nodes(scheme, nodes, mark, true)
            }
        }
    }

    fn of_nodes(scheme: &str, nodes: &[ConnectionInfo], mark: &str, is_cluster: bool) -> Self {
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
            .filter_map(|(is_there, text)| is_there.then_some(text))
            .collect::<String>()
        };
        if let ConnectionAddr::Unix(path) = nodes[0].addr() {
            return Self {
                shown: format!(
                    "redis+unix://{}?db={database}{}",
                    path.display(),
                    credentials("&user=***", "&pass=***", "")
                ),
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
                "{scheme}://{}{}/{database}{mark}",
                credentials("***", ":***", "@"),
                shown.join(",")
            ),
            is_encrypted: hosts.iter().all(|(_, _, is_encrypted)| *is_encrypted),
            is_local: hosts.iter().all(|(host, ..)| is_loopback(host)),
            is_cluster,
        }
    }

    /// Whether the URL asks for TLS.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether it is a Redis Cluster.
    pub fn is_cluster(&self) -> bool {
        self.is_cluster
    }

    /// Whether the server is on this machine, of a cluster the nodes that are named.
    pub fn is_local(&self) -> bool {
        self.is_local
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

/// Host, port, and whether it is spoken to encrypted.
fn host_of(info: &ConnectionInfo) -> Option<(&str, u16, bool)> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => Some((host, *port, false)),
        ConnectionAddr::TcpTls { host, port, .. } => Some((host, *port, true)),
        _ => None,
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_with_stars_for_user_and_password() {
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
    fn a_cluster_is_named_by_several_hosts_or_says_so() {
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
    fn a_malformed_url_shows_no_part_that_may_be_a_password() {
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
    fn a_server_on_this_machine_is_known_as_such() {
        for (url, is_local) in [
            ("redis://localhost", true),
            ("redis://127.0.0.2:7000", true),
            ("rediss://[::1]", true),
            ("redis+unix:///run/redis.sock", true),
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
