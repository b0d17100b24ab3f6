//! Rejects requests of other sites' pages where no credentials are required.

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, header};

use super::cors::is_among;
use crate::config::AccessConfig;
use crate::http::error::{Error, Result};
use crate::util::origin::{host_of, is_local};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another page sends where no credentials are asked for: a browser sends forms, and some other
/// requests, from any page to any address, and a page's own name can be made to lead to this machine.
///
/// # Errors
/// If it is not from a page of ours, of an allowed origin, or of no page at all.
pub(crate) fn refuse_other_pages(parts: &Parts, access: &AccessConfig) -> Result<()> {
    if !access.is_network_reachable && !hosts(parts).all(is_local) {
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
