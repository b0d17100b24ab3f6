//! The request for a published key set: redirects, limits, and the causes of failures.

use std::time::Duration;

use reqwest::header::{self, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;

use super::config::is_secure_url;
use crate::util::diagnosis::Diagnosis;
use crate::util::http_client::causes;

/// The largest accepted key set, in bytes.
const MAX_SET_BYTES: usize = 256 * 1024;
/// The number of redirects that are followed.
const MAX_REDIRECTS: usize = 3;

/// The reason why there are no keys. The text names no secret: URLs are shown without credentials and query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0}")]
    Transport(String),
    #[error("no response within {} s", .0.as_secs())]
    Timeout(Duration),
    #[error("the server responded with {0}")]
    Status(StatusCode),
    #[error("the URL redirects to {0}, which is not followed")]
    Redirect(String),
    #[error("the URL redirects more than {MAX_REDIRECTS} times, the last time to {0}")]
    TooManyRedirects(String),
    #[error("the JWKS is larger than {} KB", MAX_SET_BYTES / 1024)]
    TooLarge,
    #[error("the response is the metadata of the identity provider, not its JWKS")]
    Metadata,
    #[error("invalid JWKS: {0}")]
    Invalid(String),
    #[error("the JWKS has no usable signing key{}", because(.0.as_deref()))]
    NoUsableKey(Option<String>),
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| {
        format!(": the first one cannot be used, because {reason}")
    })
}

impl FetchError {
    /// Returns the error about a text that is not a key set.
    pub(super) fn invalid(text: &[u8], error: &serde_json::Error) -> Self {
        let document: Option<Value> = serde_json::from_slice(text).ok();
        match document.and_then(|document| document.get("jwks_uri").cloned()) {
            Some(_) => Self::Metadata,
            None => Self::Invalid(error.to_string()),
        }
    }

    /// Returns the cause and its remedy, for the operator.
    pub(super) fn diagnose(&self) -> Diagnosis {
        let remedy = match self {
            Self::Transport(error) if error.contains("certificate") => {
                "check the certificate at AUTH_JWKS_URL: a public authority must have signed it"
            }
            Self::Transport(_) | Self::Timeout(_) => "check AUTH_JWKS_URL, and the network",
            Self::Redirect(_) | Self::TooManyRedirects(_) => {
                "set AUTH_JWKS_URL to the https URL of the JWKS itself"
            }
            Self::Status(_) | Self::TooLarge | Self::Metadata | Self::Invalid(_) => {
                "set AUTH_JWKS_URL to the `jwks_uri` in the issuer's /.well-known/openid-configuration"
            }
            Self::NoUsableKey(_) => {
                "let the identity provider sign tokens with an algorithm that docs/access-control.md lists"
            }
        };
        Diagnosis {
            cause: format!("the keys at AUTH_JWKS_URL: {self}"),
            remedy,
        }
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        // The URL may contain a password.
        Self::Transport(causes(&error.without_url()))
    }
}

/// Fetches a key set, and follows redirects.
pub(super) async fn fetch(http: &Client, url: &str) -> Result<Vec<u8>, FetchError> {
    let mut url = Url::parse(url).map_err(|error| FetchError::Transport(error.to_string()))?;
    for _ in 0..=MAX_REDIRECTS {
        let response = http.get(url.clone()).send().await?;
        let status = response.status();
        let location = response.headers().get(header::LOCATION);
        match location.filter(|_| status.is_redirection()) {
            Some(location) => url = redirected(&url, location)?,
            None if status.is_success() => return read(response).await,
            None => return Err(FetchError::Status(status)),
        }
    }
    Err(FetchError::TooManyRedirects(shown(&url)))
}

/// Returns the target of a redirect. It must use https, or be of the same origin: keys from an insecure connection could
/// be forged.
fn redirected(from: &Url, location: &HeaderValue) -> Result<Url, FetchError> {
    let location = String::from_utf8_lossy(location.as_bytes());
    let Ok(target) = from.join(&location) else {
        return Err(FetchError::Redirect("a malformed URL".to_owned()));
    };
    let is_same_origin = target.origin() == from.origin() && is_secure_url(&target);
    if is_same_origin || target.scheme() == "https" {
        return Ok(target);
    }
    Err(FetchError::Redirect(shown(&target)))
}

/// Returns the URL without the parts that may be secret.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

async fn read(mut response: Response) -> Result<Vec<u8>, FetchError> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_SET_BYTES {
            return Err(FetchError::TooLarge);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_redirect(from: &str, location: &str, expected: Result<&str, &str>) {
        let location = HeaderValue::from_str(location).unwrap();
        let target = redirected(&Url::parse(from).unwrap(), &location);
        let expected = match expected {
            Ok(url) => Ok(Url::parse(url).unwrap()),
            Err(shown) => Err(FetchError::Redirect(shown.to_owned())),
        };
        assert_eq!(target, expected);
    }

    #[test]
    fn redirect_is_followed_to_https_and_within_the_origin_only() {
        let https = "https://id.example/keys";
        assert_redirect(https, "/v2/keys", Ok("https://id.example/v2/keys"));
        assert_redirect(
            https,
            "https://other.example/k?v=2",
            Ok("https://other.example/k?v=2"),
        );
        assert_redirect(https, "//other.example/k", Ok("https://other.example/k"));
        for (location, shown) in [
            ("http://id.example/keys", "http://id.example/keys"),
            (
                "http://user:secret@other.example/k?key=secret#x",
                "http://other.example/k",
            ),
            ("http://127.0.0.1:3000/keys", "http://127.0.0.1:3000/keys"),
            ("file:///etc/passwd", "null/etc/passwd"),
            ("https://[", "a malformed URL"),
        ] {
            assert_redirect(https, location, Err(shown));
        }
        let local = "http://127.0.0.1:8080/keys";
        assert_redirect(local, "certs", Ok("http://127.0.0.1:8080/certs"));
        assert_redirect(local, https, Ok(https));
        let other = "http://127.0.0.1:8081/keys";
        assert_redirect(local, other, Err(other));
    }

    #[test]
    fn metadata_of_the_provider_is_recognized() {
        let error = |text: &str| {
            let error = serde_json::from_str::<Vec<u8>>(text).unwrap_err();
            FetchError::invalid(text.as_bytes(), &error)
        };
        let metadata = r#"{"issuer": "https://id.example", "jwks_uri": "https://id.example/keys"}"#;
        assert_eq!(error(metadata), FetchError::Metadata);
        assert!(matches!(error("<html>"), FetchError::Invalid(_)));
        assert!(matches!(error("{}"), FetchError::Invalid(_)));
    }
}
