//! Headers of responses.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The headers that contain the id of a request.
const REQUEST_IDS: [&str; 3] = ["request-id", "x-request-id", "x-generation-id"];
/// The longest id of a request, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 200;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the id of the request, if it is visible ASCII and does not contain `secret`.
pub(super) fn request_id(headers: &HeaderMap, secret: Option<&str>) -> Option<String> {
    let id = REQUEST_IDS.iter().find_map(|name| text(headers, name))?;
    let is_id = !id.is_empty()
        && id.len() <= MAX_REQUEST_ID_BYTES
        && id.bytes().all(|byte| byte.is_ascii_graphic())
        && !secret.is_some_and(|secret| id.contains(secret));
    is_id.then(|| id.to_owned())
}

/// Returns how long to wait before another attempt.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let milliseconds = text(headers, "retry-after-ms").and_then(|it| it.trim().parse::<f64>().ok());
    if let Some(milliseconds) = milliseconds {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some((date.to_utc() - Utc::now()).to_std().unwrap_or_default())
}

/// Returns whether the provider says that another attempt is useful.
pub(super) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    text(headers, "x-should-retry")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn retry_after_is_seconds_milliseconds_or_a_date() {
        let wait = |name, value: &str| retry_after(&headers(name, value));
        assert_eq!(wait("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(wait("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(
            wait("retry-after-ms", "1500"),
            Some(Duration::from_millis(1500))
        );
        assert_eq!(
            wait("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(Duration::ZERO)
        );
        for invalid in ["-1", "soon", "1e300", "NaN"] {
            assert_eq!(wait("retry-after", invalid), None, "{invalid}");
        }
    }

    #[test]
    fn request_id_is_short_visible_and_without_secrets() {
        let id = |value: &str| request_id(&headers("request-id", value), Some("test-key"));
        assert_eq!(id("req_1").as_deref(), Some("req_1"));
        for invalid in ["a b", "x-test-key-x", "é", &"a".repeat(201)] {
            assert_eq!(id(invalid), None, "{invalid}");
        }
    }
}
