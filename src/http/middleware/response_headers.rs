//! The headers that every response has.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::domain::rate_limit::{RateLimitState, WINDOW};
use crate::util::metrics::{CallStats, RequestMetrics};
use crate::util::time::milliseconds;

/// The largest number of headers that are added to a response.
const ADDED_HEADERS: usize = 7;

pub(super) const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Sets the headers of a response whose head took `elapsed`.
pub(super) fn set_response_headers(
    response: &mut Response,
    request_id: &str,
    metrics: &RequestMetrics,
    rate_limit: Option<&RateLimitState>,
    elapsed: Duration,
) {
    // The timing of a 404 could reveal hidden resources.
    let timing = (response.status() != StatusCode::NOT_FOUND).then_some(elapsed);
    let headers = response.headers_mut();
    headers.reserve(ADDED_HEADERS);
    set_header(headers, X_REQUEST_ID, request_id.to_owned());
    set_header(headers, SERVER_TIMING, server_timing(metrics, timing));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Files set another one if pages of other origins may show them.
    headers
        .entry(CROSS_ORIGIN_RESOURCE_POLICY)
        .or_insert(HeaderValue::from_static("same-origin"));
    // Responses are per caller. Only files have a policy of their own.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if let Some(rate_limit) = rate_limit {
        set_rate_limit_headers(headers, rate_limit);
    }
}

/// Sets the `RateLimit` and `RateLimit-Policy` fields (draft-ietf-httpapi-ratelimit-headers) if the request was
/// charged to a limit.
fn set_rate_limit_headers(headers: &mut HeaderMap, rate_limit: &RateLimitState) {
    let (Some(limit), Some(status)) = (rate_limit.limit(), rate_limit.status()) else {
        return;
    };
    let seconds = |duration: Duration| duration.as_secs_f64().ceil();
    let policy = format!("\"requests\";q={};w={}", limit.requests, WINDOW.as_secs());
    let status = format!(
        "\"requests\";r={};t={}",
        status.remaining,
        seconds(status.reset)
    );
    set_header(headers, RATELIMIT_POLICY, policy);
    set_header(headers, RATELIMIT, status);
}

/// Returns a `Server-Timing` value: the number of Redis round trips, the number of Blob requests if there were any,
/// and their durations and that of the whole request if `elapsed` is given.
fn server_timing(metrics: &RequestMetrics, elapsed: Option<Duration>) -> String {
    let mut timing = String::with_capacity(128);
    add_timing(&mut timing, "redis", "round trip", &metrics.redis, elapsed);
    if metrics.blob.times() > 0 {
        timing.push_str(", ");
        add_timing(&mut timing, "blob", "request", &metrics.blob, elapsed);
    }
    if let Some(elapsed) = elapsed {
        // Writing to a `String` does not fail.
        let _ = write!(timing, ", total;dur={}", milliseconds(elapsed));
    }
    timing
}

fn add_timing(
    timing: &mut String,
    name: &str,
    unit: &str,
    count: &CallStats,
    elapsed: Option<Duration>,
) {
    let times = count.times();
    let plural = if times == 1 { "" } else { "s" };
    let _ = write!(timing, "{name};desc=\"{times} {unit}{plural}\"");
    if elapsed.is_some() {
        let _ = write!(timing, ";dur={}", milliseconds(count.elapsed()));
    }
}

fn set_header(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
