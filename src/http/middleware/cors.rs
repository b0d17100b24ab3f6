//! Cross-origin resource sharing (CORS): which origins may call, and which headers their pages may send and read.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::util::origin::OriginPattern;

/// The time for which browsers may cache the response to a preflight: the longest that Chromium accepts.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

/// The headers that pages may read, besides the CORS-safelisted ones.
const RESPONSE_HEADERS: [HeaderName; 15] = [
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
    HeaderName::from_static("x-llmos-replayed"),
    HeaderName::from_static("x-llmos-storage"),
    HeaderName::from_static("x-request-id"),
];

/// Returns the layer that allows calls from these origins and answers their preflights; `None` without origins.
pub(crate) fn cors(origins: &[OriginPattern]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins.to_vec();
    let is_allowed = move |origin: &HeaderValue, _: &Parts| matches_any(origin, &origins);
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
            // All that a preflight asks for: browsers and tracing add headers of their own, and cookies are not used.
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(RESPONSE_HEADERS)
            .max_age(PREFLIGHT_LIFETIME),
    )
}

/// Returns whether an `Origin` header matches one of the patterns.
pub(super) fn matches_any(origin: &HeaderValue, origins: &[OriginPattern]) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    origins.iter().any(|pattern| pattern.matches(origin))
}
