//! The page headers of `vercel.json`, which the local server also sends.

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;

/// The deployment's own file: a page that violates its content security policy also fails locally.
const VERCEL_JSON: &str = include_str!("../../vercel.json");

#[derive(Deserialize)]
struct Deployment {
    headers: Vec<Rule>,
}

/// The `source` of a rule is not read: every rule matches all pages.
#[derive(Deserialize)]
struct Rule {
    headers: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    key: String,
    value: String,
}

/// Returns the headers without `Strict-Transport-Security`, which a server without TLS must not send (RFC 6797,
/// section 7.2).
///
/// # Errors
/// If `vercel.json` has no headers or an invalid one.
pub fn page_headers() -> anyhow::Result<HeaderMap> {
    let deployment: Deployment =
        serde_json::from_str(VERCEL_JSON).context("vercel.json has no headers")?;
    let rules = deployment.headers.into_iter();
    let mut headers = HeaderMap::new();
    for Header { key, value } in rules.flat_map(|rule| rule.headers) {
        let context = || format!("vercel.json: the header {key} is invalid");
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
    fn page_headers_are_those_of_vercel_json_without_hsts() {
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
