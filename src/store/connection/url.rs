//! Parsing of `REDIS_URL`: one server, or the nodes of a cluster.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, parse_redis_url};

use super::parameters::Parameters;
use super::url_error::{MALFORMED_REMEDY, UrlError, reject_other_forms};

/// The schemes of URLs with a host, which can also be part of a list.
const HOST_SCHEMES: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];

/// A parsed URL.
pub(super) struct RedisUrl {
    /// The server, or nodes of a cluster: at least one. Credentials, database and encryption are those of the first.
    pub(super) servers: Vec<ConnectionInfo>,
    /// Whether the servers are nodes of a cluster.
    pub(super) is_cluster: bool,
    /// The protocol, if the URL names one.
    pub(super) protocol: Option<ProtocolVersion>,
}

/// Returns whether a URL names a cluster: several hosts, or `cluster=true` in its query.
pub(super) fn is_cluster(url: &str) -> bool {
    parse(url).is_ok_and(|url| url.is_cluster)
}

/// Checks a URL without connecting.
///
/// # Errors
/// If the URL is malformed, or has a parameter that is unknown or contradicts the rest.
pub fn validate_url(url: &str) -> Result<(), UrlError> {
    parse(url).map(drop)
}

/// Parses a URL.
///
/// # Errors
/// If the URL is malformed, or has a parameter that is unknown or contradicts the rest. The error contains no part of
/// a password.
pub(super) fn parse(text: &str) -> Result<RedisUrl, UrlError> {
    reject_other_forms(text)?;
    let mut parameters = Parameters::default();
    let urls = urls_per_host(text);
    let servers: Vec<_> = urls
        .iter()
        .map(|url| parse_one(url, &mut parameters))
        .collect::<Result<_, _>>()?;
    let is_cluster = parameters.is_cluster(servers.len())?;
    check_equality(&servers)?;
    let database = parameters.database.unwrap_or_default();
    let with_database = |server: ConnectionInfo| {
        let settings = server.redis_settings().clone().set_db(database);
        server.set_redis_settings(settings)
    };
    Ok(RedisUrl {
        servers: servers.into_iter().map(with_database).collect(),
        is_cluster,
        protocol: parameters.protocol,
    })
}

fn parse_one(text: &str, parameters: &mut Parameters) -> Result<ConnectionInfo, UrlError> {
    let malformed = |problem: &str| UrlError::new(problem.to_owned(), MALFORMED_REMEDY);
    let mut url = parse_redis_url(text).ok_or_else(|| malformed("it is malformed"))?;
    let is_socket = url.scheme().ends_with("unix");
    // An unescaped `/`, `?` or `#` in a password ends the host part of a URL. The start of the password would then be
    // sent to a name server as a host name.
    let after_host = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once(['/', '?', '#']));
    if !is_socket && after_host.is_some_and(|(_, rest)| rest.contains('@')) {
        return Err(malformed("it is malformed: an @ follows the host"));
    }
    if url.fragment().is_some() {
        return Err(UrlError::new(
            "it contains a #".to_owned(),
            "percent-encode it in a password (%23); remove #insecure, because certificates are always verified",
        ));
    }
    parameters.read(&url)?;
    if !is_socket {
        parameters.read_path(url.path())?;
        url.set_path("");
        // The crate ignores the parameters that it does not know.
        url.set_query(None);
    }
    url.into_connection_info().map_err(|error| {
        // The text before the kind is constant.
        let text = error.to_string();
        let problem = text.split(" - ").next().unwrap_or_default();
        malformed(&format!("it is malformed: {problem}"))
    })
}

/// Rejects a list of nodes with different credentials or schemes: the crate would use those of the first.
fn check_equality(servers: &[ConnectionInfo]) -> Result<(), UrlError> {
    let is_socket = |server: &ConnectionInfo| matches!(server.addr(), ConnectionAddr::Unix(_));
    let is_encrypted =
        |server: &ConnectionInfo| matches!(server.addr(), ConnectionAddr::TcpTls { .. });
    let Some((first, others)) = servers.split_first() else {
        return Ok(());
    };
    let settings = first.redis_settings();
    for other in others {
        let difference = if is_socket(other) || is_encrypted(other) != is_encrypted(first) {
            "schemes"
        } else if other.redis_settings().username() != settings.username() {
            "user names"
        } else if other.redis_settings().password() != settings.password() {
            "passwords"
        } else {
            continue;
        };
        return Err(UrlError::new(
            format!("its hosts have different {difference}"),
            "use the same user, password and scheme for every host: redis://user:password@a:6379,b:6379",
        ));
    }
    Ok(())
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
    let (start, _) = text.split_once("://")?;
    HOST_SCHEMES
        .into_iter()
        .find(|scheme| start.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        let error = validate_url(url).expect_err(url).to_string();
        assert!(!error.contains("hidden"), "{error}");
        error
    }

    #[test]
    fn database_of_path_or_parameter_is_used() {
        for (url, database) in [
            ("redis://h", 0),
            ("redis://h/", 0),
            ("redis://h/?db=15", 15),
            ("redis://h?db=15", 15),
            ("rediss://h/15", 15),
            ("redis://h/15?db=15", 15),
            ("REDIS://h/2/", 2),
            ("redis+unix:///r?db=3", 3),
            ("redis://a/4,redis://b", 4),
            ("redis://a,redis://b/4", 4),
            ("redis://a,b?db=4&protocol=resp2", 4),
        ] {
            let parsed = parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            for server in parsed.servers {
                assert_eq!(server.redis_settings().db(), database, "{url}");
            }
        }
    }

    #[test]
    fn parameter_that_contradicts_the_rest_is_named() {
        for (url, name) in [
            ("redis://h/3?db=15", "db"),
            ("redis://h?db=3&db=15", "db"),
            ("redis://a/1,redis://b/2", "db"),
            ("redis://a?protocol=resp2,redis://b?protocol=3", "protocol"),
            ("redis://a,b?cluster=false", "cluster"),
            ("redis://h?cluster=true&cluster=false", "cluster"),
            ("redis+unix:///r?cluster=true", "cluster"),
            ("redis+unix:///r?db=1&db=2", "db"),
            ("redis+unix:///r?user=a&user=b", "user"),
            ("redis://h?ssl_cert_reqs=required", "ssl_cert_reqs"),
        ] {
            let error = problem(url);
            assert!(
                error.starts_with(&format!("the parameter {name} contradicts")),
                "{error}"
            );
        }
    }

    #[test]
    fn unknown_parameter_is_named() {
        for (url, name) in [
            ("redis://h?timeout=5", "timeout"),
            ("redis://h/0?db=0&Db=1", "Db"),
            ("rediss://h?ssl=true", "ssl"),
            ("redis://h?user=a&pass=hidden", "user"),
            ("redis://a,b?x=1", "x"),
            ("redis+unix:///r?password=hidden", "password"),
            ("redis+unix:///r?user=a&x=1", "x"),
            ("redis://h?x", "x"),
        ] {
            let error = problem(url);
            assert!(
                error.starts_with(&format!("the parameter {name} is unknown")),
                "{error}"
            );
        }
        // These can be a part of a password.
        for url in [
            "redis+unix:///r?pass=a&hidden",
            "redis://h?hid+den",
            "redis://h?=hidden",
        ] {
            assert!(problem(url).starts_with("a parameter is unknown"), "{url}");
        }
    }

    #[test]
    fn parameter_with_an_invalid_value_is_named() {
        for (url, expected) in [
            ("redis://h?db=", "db must be a number"),
            ("redis://h?db=-1", "db must be a number"),
            ("redis://h?db=%201", "db must be a number"),
            ("redis://h?db=+1", "db must be a number"),
            (
                "redis://h/main",
                "the database after the host must be a number",
            ),
            (
                "redis://h/-1",
                "the database after the host must be a number",
            ),
            ("redis://h?protocol=4", "protocol must be resp2 or resp3"),
            ("redis://h?cluster=1", "cluster must be true or false"),
            ("redis://h?family=6", "family must be 0"),
            (
                "rediss://h?ssl_cert_reqs=none",
                "ssl_cert_reqs must be required",
            ),
            (
                "rediss://h?ssl_cert_reqs=CERT_OPTIONAL",
                "ssl_cert_reqs must be required",
            ),
        ] {
            assert!(problem(url).contains(expected), "{}", problem(url));
        }
        for url in [
            "rediss://h?ssl_cert_reqs=required",
            "rediss://h?ssl_cert_reqs=CERT_REQUIRED",
            "redis://h?family=0&protocol=2",
            "redis://h?protocol=resp3&cluster=false",
        ] {
            assert_eq!(validate_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn fragment_is_rejected() {
        for url in [
            "redis://h#hidden",
            "rediss://h/0#insecure",
            "redis+unix:///r#hidden",
            "redis://a,b#hidden",
        ] {
            assert!(problem(url).starts_with("it contains a #"), "{url}");
        }
    }

    #[test]
    fn hosts_of_a_cluster_must_not_differ() {
        for (url, difference) in [
            ("redis://:hidden@a,redis://b", "passwords"),
            ("redis://a,redis://:hidden@b", "passwords"),
            ("redis://u:p@a,redis://v:p@b", "user names"),
            ("redis://a,rediss://b", "schemes"),
        ] {
            let expected = format!("its hosts have different {difference}");
            assert!(problem(url).starts_with(&expected), "{url}");
        }
        assert_eq!(validate_url("rediss://u:p@a,valkeys://u:p@b"), Ok(()));
    }
}
