//! What `vercel.json` puts on every page: the local server puts the same on it.

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;

/// The file itself, so that a page that its policy breaks breaks here, too.
const VERCEL_JSON: &str = include_str!("../../vercel.json");

#[derive(Deserialize)]
struct Deployment {
    headers: Vec<Rule>,
}

/// Which paths it is for is not read: each is for all paths, or for all but the API's.
#[derive(Deserialize)]
struct Rule {
    headers: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    key: String,
    value: String,
}

/// The headers, but for the one that a server without TLS must not send (RFC 6797, section 7.2).
///
/// # Errors
/// If `vercel.json` has no headers, or one that HTTP does not know.
pub fn page_headers() -> anyhow::Result<HeaderMap> {
    let deployment: Deployment =
        serde_json::from_str(VERCEL_JSON).context("vercel.json has no headers")?;
    let rules = deployment.headers.into_iter();
    let mut headers = HeaderMap::new();
    for Header { key, value } in rules.flat_map(|rule| rule.headers) {
        let context = || format!("vercel.json: the header {key} is none");
        let name: HeaderName = key.parse().with_context(context)?;
        let value = HeaderValue::from_str(&value).with_context(context)?;
        if name != header::STRICT_TRANSPORT_SECURITY {
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_get_what_the_deployment_gives_them_but_for_what_needs_tls() {
        let headers = page_headers().unwrap();
        for name in [
            "content-security-policy",
            "cross-origin-opener-policy",
            "permissions-policy",
            "referrer-policy",
            "x-content-type-options",
            "x-frame-options",
        ] {
            assert!(headers.contains_key(name), "{name}");
        }
        assert!(VERCEL_JSON.contains("Strict-Transport-Security"));
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
