//! Parsing of `REDIS_URL`: one server, or the nodes of a cluster.

use redis::{ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisResult};

/// The servers that a URL names.
pub(super) enum Target {
    /// One server.
    One(Box<ConnectionInfo>),
    /// Nodes of a cluster, at least one.
    Cluster(Vec<ConnectionInfo>),
}

impl Target {
    /// Returns the server, or the first node.
    pub(super) fn first(&self) -> &ConnectionInfo {
        match self {
            Self::One(info) => info,
            Self::Cluster(nodes) => &nodes[0],
        }
    }
}

/// Returns whether a URL names a cluster: several hosts, or `cluster=true` in its query.
pub(super) fn is_cluster(url: &str) -> bool {
    let (_, query) = url.split_once('?').unwrap_or_default();
    let has_parameter = query
        .split(['&', '#', ','])
        .any(|parameter| parameter == "cluster=true");
    has_parameter || urls_per_host(url).len() > 1
}

/// Parses a URL.
///
/// # Errors
/// `InvalidClientConfig` if the URL is malformed. The error contains no part of a password.
pub(super) fn parse(url: &str) -> RedisResult<Target> {
    if !is_cluster(url) {
        return parse_one(url).map(|info| Target::One(Box::new(info)));
    }
    let nodes: Vec<_> = urls_per_host(url)
        .iter()
        .map(|url| parse_one(url))
        .collect::<RedisResult<_>>()?;
    if nodes
        .iter()
        .any(|node| matches!(node.addr(), ConnectionAddr::Unix(_)))
    {
        return Err((
            ErrorKind::InvalidClientConfig,
            "a cluster cannot be reached by a socket",
        )
            .into());
    }
    Ok(Target::Cluster(nodes))
}

fn parse_one(url: &str) -> RedisResult<ConnectionInfo> {
    let info = url.into_connection_info()?;
    // An unescaped `/`, `?` or `#` in a password ends the host part of a URL. The start of the password would then be
    // sent to a name server as a host name.
    let after_host = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once(['/', '?', '#']));
    let is_unix = matches!(info.addr(), ConnectionAddr::Unix(_));
    if !is_unix && after_host.is_some_and(|(_, rest)| rest.contains('@')) {
        return Err((ErrorKind::InvalidClientConfig, "an @ follows the host").into());
    }
    Ok(info)
}

/// Returns one URL per host of `redis://user:password@a:1,b:2/0` or `redis://a:1,redis://b:2`.
fn urls_per_host(text: &str) -> Vec<String> {
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

/// Returns the scheme of a text that starts with a scheme and `://`; only schemes of URLs with hosts.
pub(super) fn scheme_of(text: &str) -> Option<&'static str> {
    let schemes = ["redis", "rediss", "valkey", "valkeys"];
    let is_followed = |rest: &str| rest.starts_with("://");
    schemes
        .into_iter()
        .find(|scheme| text.strip_prefix(scheme).is_some_and(is_followed))
}
