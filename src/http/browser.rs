//! Pages that call: which origins may (CORS), and that a page elsewhere cannot use what is open on this machine.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::AccessConfig;
use crate::error::{Error, Result};
use crate::origin::{OriginPattern, host_of, is_local};

/// How long browsers keep the answer to a preflight: as long as Chromium does at most.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(2 * 60 * 60);

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

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

fn is_among(origin: &HeaderValue, origins: &[OriginPattern]) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    origins.iter().any(|pattern| pattern.matches(origin))
}

/// Refuses what another page sends where no credentials are asked for: a browser sends forms, and some other
/// requests, from any page to any address, and a page's own name can be made to lead to this machine.
///
/// # Errors
/// If it is not from a page of ours, of an allowed origin, or of no page at all.
pub(super) fn refuse_other_pages(parts: &Parts, access: &AccessConfig) -> Result<()> {
    if !access.is_public && !hosts(parts).all(is_local) {
        return Err(Error::Forbidden(
            "Without access control this server does not answer to a name of the internet; \
             set AUTH_JWKS_URL, AUTH_JWT_SECRET or API_KEYS to give it one.",
        ));
    }
    if parts.method.is_safe() || !is_from_other_page(parts, access) {
        return Ok(());
    }
    Err(Error::Forbidden(
        "Pages of this origin may not change anything here; CORS_ALLOWED_ORIGINS names those that may.",
    ))
}

fn is_from_other_page(parts: &Parts, access: &AccessConfig) -> bool {
    let Some(origin) = parts.headers.get(header::ORIGIN) else {
        let site = parts.headers.get(SEC_FETCH_SITE);
        return site.is_some_and(|site| site == "cross-site" || site == "same-site");
    };
    let page_host = host_of(origin.to_str().unwrap_or_default());
    // `vercel dev` puts its own host into `Host`, and the one that was called before it.
    let called = hosts(parts).next();
    let is_ours =
        page_host.is_some_and(|page| called.is_some_and(|it| it.eq_ignore_ascii_case(page)));
    !is_ours && !is_among(origin, &access.cors_allowed_origins)
}

/// All hosts that a request names: whoever names one may add others.
fn hosts(parts: &Parts) -> impl Iterator<Item = &str> {
    let headers = [X_FORWARDED_HOST, header::HOST];
    let named = headers
        .into_iter()
        .flat_map(|name| parts.headers.get_all(name).iter());
    named
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .chain(parts.uri.authority().map(Authority::as_str))
}
