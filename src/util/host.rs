//! Host names: those of this machine and its network, and further names that are allowed. No I/O.

use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// Names that are reserved for local networks (RFC 6761, 6762, 8375, and ICANN for `internal`). Names below them cannot
/// be registered, so DNS rebinding with them needs an attacker who answers names in the local network.
const LOCAL_SUFFIXES: [&str; 5] = [".localhost", ".local", ".home.arpa", ".test", ".internal"];

/// An allowed host: `dev.example.com`, or `*.example.com` for all subdomains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// The name, or the suffix after the `*`.
    name: String,
    is_suffix: bool,
}

impl HostPattern {
    /// Returns whether a host, with or without port, matches this pattern.
    pub fn matches(&self, host: &str) -> bool {
        let name = host_name(host);
        match self.is_suffix {
            true => is_subdomain(&name, &self.name),
            false => name == self.name,
        }
    }
}

impl FromStr for HostPattern {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (is_suffix, name) = split_wildcard(text.strip_suffix('.').unwrap_or(text));
        // Ports are not compared.
        if !is_host_name(name) {
            return Err(());
        }
        let normalized = normalize("http", name).ok_or(())?;
        if is_suffix && !normalized.contains('.') {
            return Err(());
        }
        let name = match is_suffix {
            true => format!(".{normalized}"),
            false => host_name(&normalized),
        };
        Ok(Self { name, is_suffix })
    }
}

/// Returns whether a request may name this host, with or without port, on a server without access control.
pub fn is_accepted(host: &str, allowed: &[HostPattern]) -> bool {
    is_local(host) || allowed.iter().any(|allowed| allowed.matches(host))
}

/// Returns whether a host is an IP address, or a name of this machine or its network. Any other name can be pointed at
/// this machine by its owner (DNS rebinding), whose pages would then be same-origin.
pub fn is_local(host: &str) -> bool {
    let name = host_name(host);
    let is_single_word = !name.is_empty() && !name.contains('.');
    let is_reserved = LOCAL_SUFFIXES
        .iter()
        .any(|suffix| is_subdomain(&name, suffix));
    name.parse::<IpAddr>().is_ok() || is_single_word || is_reserved
}

/// Returns whether a host, with or without port, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let name = host_name(host);
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name == "localhost" || is_subdomain(&name, ".localhost"),
    }
}

/// Returns the host and the port, if it is not the default, in the form that browsers send; `None` if `authority` is
/// something else.
pub(super) fn normalize(scheme: &str, authority: &str) -> Option<String> {
    // A URL could have further parts, and its parser ignores line breaks.
    let is_part = |character: char| character.is_whitespace() || "/?#@\\".contains(character);
    if authority.contains(is_part) {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{authority}")).ok()?;
    let host = url.host_str()?;
    let is_address = host.starts_with('[');
    (is_address || host.split('.').all(is_label)).then(|| match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Returns whether the text is a host name, without port.
pub fn is_host_name(text: &str) -> bool {
    !text.contains(':') && normalize("http", text).is_some()
}

/// Returns whether the text starts with `*.`, and the rest of it.
pub(super) fn split_wildcard(text: &str) -> (bool, &str) {
    match text.strip_prefix("*.") {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

/// Returns whether a name consists of labels and this suffix, which starts with a dot.
pub(super) fn is_subdomain(name: &str, suffix: &str) -> bool {
    let labels = name.strip_suffix(suffix);
    labels.is_some_and(|labels| labels.split('.').all(is_label))
}

fn is_label(label: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !label.is_empty() && label.bytes().all(is_allowed)
}

/// Returns the lower-case name or address without port, brackets and the dot of the root.
fn host_name(host: &str) -> String {
    if host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    let (name, _) = split_port(host);
    let name = name.trim_matches(['[', ']']).to_ascii_lowercase();
    name.strip_suffix('.').unwrap_or(&name).to_owned()
}

/// Splits a `Host` header into host and port.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && !host.is_empty() => (host, Some(port)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_this_machine_are_loopback() {
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "localhost.",
            "a.localhost:1",
            "127.0.0.1:3000",
            "127.1.2.3",
            "[::1]:3000",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(is_local(host) && is_loopback(host), "{host}");
        }
    }

    #[test]
    fn reserved_names_and_addresses_are_local() {
        for host in [
            "192.168.0.7",
            "llmos:3000",
            "mac.local",
            "Mac-Book.LOCAL:3000",
            "router.home.arpa",
            "app.test:8080",
            "a.b.test",
            "host.docker.internal:3000",
            "service.internal.",
        ] {
            assert!(is_local(host) && !is_loopback(host), "{host}");
        }
    }

    #[test]
    fn public_names_are_not_local() {
        for host in [
            "evil.example",
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "local.evil.example",
            "evil.notlocal",
            "evil.arpa",
            ".local",
            "evil/.local",
            "evil.example?.test",
            "user@.internal",
            "",
            ".",
        ] {
            assert!(!is_local(host) && !is_loopback(host), "{host}");
        }
    }

    #[test]
    fn pattern_matches_its_host_on_any_port() {
        for (pattern, host, is_match) in [
            ("dev.example.com", "dev.example.com", true),
            ("Dev.Example.com", "dev.example.COM:3000", true),
            ("dev.example.com", "dev.example.com.", true),
            ("dev.example.com.", "dev.example.com", true),
            ("größe.example", "xn--gre-6ka8i.example", true),
            ("dev.example.com", "a.dev.example.com", false),
            ("dev.example.com", "dev.example.com.evil.example", false),
            ("*.ngrok.example", "a.ngrok.example:443", true),
            ("*.ngrok.example", "a.b.ngrok.example", true),
            ("*.ngrok.example", "ngrok.example", false),
            ("*.ngrok.example", "evilngrok.example", false),
            ("*.ngrok.example", "evil.example/.ngrok.example", false),
        ] {
            let parsed: HostPattern = pattern.parse().unwrap_or_else(|()| panic!("{pattern}"));
            assert_eq!(parsed.matches(host), is_match, "{pattern} {host}");
        }
    }

    #[test]
    fn malformed_host_pattern_is_rejected() {
        for text in [
            "",
            "*",
            "*.com",
            "*example.com",
            "a.*.example.com",
            "https://dev.example.com",
            "dev.example.com:3000",
            "dev.example.com/",
            "user@dev.example.com",
            "a b",
            ".example.com",
        ] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }
}
