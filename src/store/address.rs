//! `REDIS_URL`: read in one place, and shown without its secrets.

use std::fmt;
use std::net::IpAddr;

use redis::{ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisResult};

/// What a URL says.
///
/// # Errors
/// If it cannot be understood. The error repeats nothing of a password.
pub(super) fn parse(url: &str) -> RedisResult<ConnectionInfo> {
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

/// A URL as a person may see it: with `***` for user and password. One that cannot be understood shows its
/// scheme only, because nobody knows where in it the password is.
#[derive(Clone, Debug)]
pub struct Address {
    shown: String,
    is_encrypted: bool,
    is_local: bool,
}

impl Address {
    /// Reads a URL, also one that is none.
    pub fn new(url: &str) -> Self {
        let known = ["redis", "rediss", "valkey", "valkeys"];
        let scheme = url.split("://").next().filter(|name| known.contains(name));
        let Ok(info) = parse(url) else {
            return Self {
                shown: scheme.map_or("…".to_owned(), |scheme| format!("{scheme}://…")),
                is_encrypted: false,
                is_local: false,
            };
        };
        let redis = info.redis_settings();
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
        match info.addr() {
            ConnectionAddr::Unix(path) => Self {
                shown: format!(
                    "redis+unix://{}?db={database}{}",
                    path.display(),
                    credentials("&user=***", "&pass=***", "")
                ),
                is_encrypted: false,
                is_local: true,
            },
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => Self {
                shown: format!(
                    "{}://{}{}:{port}/{database}",
                    scheme.unwrap_or("redis"),
                    credentials("***", ":***", "@"),
                    if host.contains(':') {
                        format!("[{host}]")
                    } else {
                        host.clone()
                    }
                ),
                is_encrypted: matches!(info.addr(), ConnectionAddr::TcpTls { .. }),
                is_local: is_loopback(host),
            },
            _ => Self {
                shown: "…".to_owned(),
                is_encrypted: false,
                is_local: false,
            },
        }
    }

    /// Whether the URL asks for TLS.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether the server is on this machine.
    pub fn is_local(&self) -> bool {
        self.is_local
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
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
