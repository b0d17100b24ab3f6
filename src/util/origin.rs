//! Origins of web pages, and host names of this machine. No I/O.

use std::net::IpAddr;
use std::str::FromStr;

/// An allowed origin: `https://app.example.com`, or `https://*.example.com` for all subdomains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern {
    scheme: String,
    /// The host and port, or the suffix after the `*`.
    host: String,
    is_suffix: bool,
}

impl OriginPattern {
    /// Returns whether an `Origin` header matches this pattern.
    pub fn matches(&self, origin: &str) -> bool {
        let Some((scheme, host)) = origin.split_once("://") else {
            return false;
        };
        let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
        if scheme != self.scheme {
            return false;
        }
        if !self.is_suffix {
            return host == self.host;
        }
        let subdomain = host.strip_suffix(&self.host);
        subdomain.is_some_and(|labels| !labels.is_empty() && labels.split('.').all(is_label))
    }
}

impl FromStr for OriginPattern {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.to_ascii_lowercase();
        let (scheme, host) = text.split_once("://").ok_or(())?;
        let (is_suffix, host) = match host.strip_prefix('*') {
            Some(suffix) => (true, suffix),
            None => (false, host),
        };
        let name = host.strip_prefix('.').filter(|_| is_suffix);
        let name = name.unwrap_or(host);
        let is_valid = ["http", "https"].contains(&scheme)
            && (!is_suffix || host.starts_with('.') && name.contains('.'))
            && is_host_and_port(name);
        is_valid.then_some(()).ok_or(())?;
        Ok(Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            is_suffix,
        })
    }
}

fn is_label(label: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !label.is_empty() && label.bytes().all(is_allowed)
}

fn is_host_and_port(text: &str) -> bool {
    let (host, port) = split_port(text);
    let is_address = host.starts_with('[') && host.ends_with(']');
    (is_address || host.split('.').all(is_label))
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Splits a `Host` header into host and port.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && !host.is_empty() => (host, Some(port)),
        _ => (text, None),
    }
}

/// Returns the host and port of an `Origin` header; `None` for an opaque origin, `null`.
pub fn host_of(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, host)| host)
}

/// Returns whether a `Host` is an IP address or a name of this machine or its network. Any other name can be pointed
/// at this machine by its owner (DNS rebinding), whose pages would then be same-origin.
pub fn is_local(host: &str) -> bool {
    let name = host_name(host);
    let is_single_word = !name.is_empty() && !name.contains('.');
    name.parse::<IpAddr>().is_ok() || is_localhost(&name) || is_single_word
}

/// Returns whether a host, with or without port, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let name = host_name(host);
    match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => is_localhost(&name),
    }
}

fn host_name(host: &str) -> String {
    let (name, _) = split_port(host);
    name.trim_matches(['[', ']']).to_ascii_lowercase()
}

fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_pattern_matches_the_whole_origin() {
        let exact: OriginPattern = "https://App.example.com".parse().unwrap();
        assert!(exact.matches("https://app.example.com"));
        for other in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "https://evilapp.example.com",
            "null",
            "",
        ] {
            assert!(!exact.matches(other), "{other}");
        }
        let local: OriginPattern = "http://localhost:5173".parse().unwrap();
        assert!(local.matches("http://localhost:5173") && !local.matches("http://localhost:3000"));
    }

    #[test]
    fn wildcard_matches_subdomains_only() {
        let pattern: OriginPattern = "https://*.example.com".parse().unwrap();
        for origin in ["https://a.example.com", "https://a.b.example.com"] {
            assert!(pattern.matches(origin), "{origin}");
        }
        for other in [
            "https://example.com",
            "https://.example.com",
            "https://evilexample.com",
            "https://evil.example/.example.com",
            "https://evil.example?.example.com",
            "https://user@evil.example#.example.com",
            "https://a.example.com:444",
        ] {
            assert!(!pattern.matches(other), "{other}");
        }
    }

    #[test]
    fn malformed_pattern_is_rejected() {
        for text in [
            "*",
            "https://*",
            "https://*.com",
            "https://*example.com",
            "https://a.*.example.com",
            "https://example.com/",
            "https://example.com/path",
            "app.example.com",
            "ftp://example.com",
            "https://",
            "https://example.com:port",
            "null",
        ] {
            assert!(text.parse::<OriginPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "a.localhost:1",
            "127.0.0.1:3000",
            "[::1]:3000",
            "[::1]",
        ] {
            assert!(is_local(host) && is_loopback(host), "{host}");
        }
        for host in ["192.168.0.7", "llmos:3000"] {
            assert!(is_local(host) && !is_loopback(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
        ] {
            assert!(!is_local(host) && !is_loopback(host), "{host}");
        }
    }
}
