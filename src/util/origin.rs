//! Origins of web pages and of the shells of apps. No I/O.

use std::str::FromStr;

use super::host::{is_subdomain, normalize, split_wildcard};

/// The schemes of web pages.
const WEB_SCHEMES: [&str; 2] = ["http", "https"];
/// Schemes that do not identify an app: browsers never send them in `Origin`, or every page can use them.
const OTHER_SCHEMES: [&str; 10] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "ftp",
    "javascript",
    "mailto",
    "ws",
    "wss",
];

/// An allowed origin: `https://app.example.com`, `https://*.example.com` for all subdomains, or that of an app, such
/// as `tauri://localhost`.
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
        scheme == self.scheme
            && match self.is_suffix {
                true => is_subdomain(&host, &self.host),
                false => host == self.host,
            }
    }
}

impl FromStr for OriginPattern {
    type Err = ();

    /// Parses a pattern into the form in which browsers send origins: in lower case, without the default port, and with
    /// international names as Punycode. A slash at the end is removed.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, host) = text.split_once("://").ok_or(())?;
        let scheme = scheme.to_ascii_lowercase();
        let host = host.strip_suffix('/').unwrap_or(host);
        let (is_suffix, name) = split_wildcard(host);
        let host = match WEB_SCHEMES.contains(&&*scheme) {
            true => normalize(&scheme, name),
            false if is_app_scheme(&scheme) && !is_suffix => app_host(host),
            false => None,
        };
        let host = host.ok_or(())?;
        if is_suffix && !host.contains('.') {
            return Err(());
        }
        Ok(Self {
            scheme,
            host: if is_suffix { format!(".{host}") } else { host },
            is_suffix,
        })
    }
}

/// Returns whether a scheme can be that of an app or browser extension. Rejects misspellings of `https`, which consist of its letters.
fn is_app_scheme(scheme: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let is_misspelled = scheme.bytes().all(|byte| b"htps".contains(&byte));
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_allowed)
        && !is_misspelled
        && !OTHER_SCHEMES.contains(&scheme)
}

/// Returns the host of an app's origin: a name, the id of an extension, or `.`.
fn app_host(text: &str) -> Option<String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let is_valid = !text.is_empty() && text.bytes().all(is_allowed);
    is_valid.then(|| text.to_ascii_lowercase())
}

/// Returns the host and port of an `Origin` header; `None` for an opaque origin, `null`.
pub fn host_of(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, host)| host)
}

/// Returns whether `Origin` is that of a web page of this host and port. Apps and opaque origins have no host.
pub fn is_page_of(origin: &str, host: Option<&str>) -> bool {
    web_host_of(origin).is_some_and(|page| host.is_some_and(|host| host.eq_ignore_ascii_case(page)))
}

fn web_host_of(origin: &str) -> Option<&str> {
    let (scheme, host) = origin.split_once("://")?;
    WEB_SCHEMES.contains(&scheme).then_some(host)
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
            "https://example.com//",
            "https://example.com/path",
            "https://example.com?a",
            "https://user@example.com",
            "https://exa mple.com",
            "https://example.com:+443",
            "htps://example.com",
            "file://",
            "ws://example.com",
            "tauri://",
            "tauri://localhost/path",
            "chrome-extension://*",
            "app://*.example.com",
            "1app://localhost",
            "://localhost",
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
    fn pattern_is_put_into_the_form_that_browsers_send() {
        for (pattern, origin) in [
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
            ("https://app.example.com:0443", "https://app.example.com"),
            ("https://app.example.com:", "https://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            ("HTTPS://App.Example.COM/", "https://app.example.com"),
            ("https://größe.example", "https://xn--gre-6ka8i.example"),
            ("http://[0:0:0::1]:5173", "http://[::1]:5173"),
            ("https://*.example.com:443/", "https://a.example.com"),
            ("https://*.Example.com:8443", "https://a.example.com:8443"),
        ] {
            let parsed: OriginPattern = pattern.parse().unwrap_or_else(|()| panic!("{pattern}"));
            assert!(parsed.matches(origin), "{pattern} {origin}");
        }
    }

    #[test]
    fn origins_of_apps_and_extensions_are_patterns() {
        for origin in [
            "tauri://localhost",
            "capacitor://localhost",
            "ionic://localhost",
            "app://.",
            "app://-",
            "app://obsidian.md",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "moz-extension://0f5d1a4e-7d5f-4d52-8f3c-2b7d7f0f6c11",
            "safari-web-extension://E4770F5C-8B3A-4C11-9B0F-2A7C1D7F6C11",
            "vscode-webview://0a1b2c",
            "com.example.app://localhost:8080",
        ] {
            for text in [origin.to_owned(), format!("{origin}/")] {
                let pattern: OriginPattern = text.parse().unwrap_or_else(|()| panic!("{text}"));
                assert!(pattern.matches(origin), "{text}");
                for other in [
                    "https://localhost",
                    "tauri://localhost.evil.example",
                    "null",
                ] {
                    assert!(!pattern.matches(other), "{text} {other}");
                }
            }
        }
    }

    #[test]
    fn only_web_pages_have_a_host_of_the_web() {
        assert_eq!(web_host_of("http://localhost:3000"), Some("localhost:3000"));
        for origin in ["tauri://localhost", "null", ""] {
            assert_eq!(web_host_of(origin), None, "{origin}");
        }
    }
}
