//! Pages that call: which origins may (CORS), and that a page elsewhere cannot use what is open on this machine.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::util::origin::OriginPattern;

/// How long browsers keep the answer to a preflight: as long as Chromium does at most.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

/// What pages may send.
const REQUEST_HEADERS: [HeaderName; 8] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    HeaderName::from_static("idempotency-key"),
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::RANGE,
];
/// What pages may read, beside what all may.
const ANSWER_HEADERS: [HeaderName; 14] = [
    header::ACCEPT_RANGES,
    header::ALLOW,
    header::CONTENT_DISPOSITION,
    header::CONTENT_RANGE,
    header::ETAG,
    HeaderName::from_static("idempotency-replayed"),
    header::LOCATION,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    header::RETRY_AFTER,
    HeaderName::from_static("server-timing"),
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("x-llmos-storage"),
    HeaderName::from_static("x-request-id"),
];

/// The layer that lets pages of these origins call; none where there are none. It answers preflights itself.
pub(crate) fn cors(origins: &[OriginPattern]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins.to_vec();
    let is_allowed = move |origin: &HeaderValue, _: &Parts| is_among(origin, &origins);
    Some(
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(is_allowed))
            .allow_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers(REQUEST_HEADERS)
            .expose_headers(ANSWER_HEADERS)
            .max_age(PREFLIGHT_LIFETIME),
    )
}

pub(super) fn is_among(origin: &HeaderValue, origins: &[OriginPattern]) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    origins.iter().any(|pattern| pattern.matches(origin))
}
