//! Rejects requests of other sites' pages where no credentials are required. A browser sends some requests, such as
//! forms, from any page to any address. An attacker can also let the name of a page's host resolve to this machine (DNS
//! rebinding).

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, header};

use super::cors::matches_any;
use crate::config::AccessConfig;
use crate::http::error::{Error, Result};
use crate::util::host::is_accepted;
use crate::util::origin::is_page_of;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Rejects a request that a page of another site sent.
///
/// # Errors
/// [`Error::Forbidden`] if access control is off and the request names a host that is neither local nor in
/// `ALLOWED_HOSTS`, or if it changes something and comes from a page whose origin is neither this service nor allowed.
/// Requests that no page sent are accepted.
pub(crate) fn reject_other_pages(parts: &Parts, access: &AccessConfig) -> Result<()> {
    let is_accepted = |host: &str| is_accepted(host, &access.allowed_hosts);
    if !access.is_network_reachable && !hosts(parts).all(is_accepted) {
        return Err(Error::Forbidden(
            "Access control is off, so only IP addresses, local host names and ALLOWED_HOSTS are accepted. Call the server \
             by such a name, add the host to ALLOWED_HOSTS, or set AUTH_JWKS_URL, AUTH_JWT_SECRET or API_KEYS.",
        ));
    }
    if parts.method.is_safe() || !is_from_other_page(parts, access) {
        return Ok(());
    }
    Err(Error::Forbidden(
        "Pages of this origin may only read. Add the origin to CORS_ALLOWED_ORIGINS to allow changes.",
    ))
}

fn is_from_other_page(parts: &Parts, access: &AccessConfig) -> bool {
    let Some(origin) = parts.headers.get(header::ORIGIN) else {
        return is_sent_by_other_page(&parts.headers);
    };
    // `vercel dev` sets `Host` to its own host, and `X-Forwarded-Host` to the host that the client called.
    let called_host = hosts(parts).next();
    let is_same_host = is_page_of(origin.to_str().unwrap_or_default(), called_host);
    !is_same_host && !matches_any(origin, &access.cors_allowed_origins)
}

/// Returns whether the browser reports that a page of another origin sent the request.
pub(super) fn is_sent_by_other_page(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE);
    site.is_some_and(|site| site == "cross-site" || site == "same-site")
}

/// Returns all hosts that a request names, since a client can add further ones. The host that it called is the first.
fn hosts(parts: &Parts) -> impl Iterator<Item = &str> {
    let headers = [X_FORWARDED_HOST, header::HOST];
    let values = headers
        .into_iter()
        .flat_map(|name| parts.headers.get_all(name).iter());
    values
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .chain(parts.uri.authority().map(Authority::as_str))
}
