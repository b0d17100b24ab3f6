//! Authentication of requests: extractors of the caller and the state of the rate limit.
//!
//! | configured | credentials | caller |
//! |---|---|---|
//! | tokens or keys | valid | the user or program that they belong to |
//! | tokens or keys | missing or invalid | 401 |
//! | nothing, on a loopback address | ignored | unrestricted |
//! | `ALLOW_ANONYMOUS=true` only | ignored | unrestricted |
//! | nothing, on a public address | ignored | 401 that names the variables to set |

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::client_ip::caller_address;
use super::headers::reject_unsupported_headers;
use super::vercel_headers::X_VERCEL_OIDC_TOKEN;
use crate::app::App;
use crate::auth::AuthError;
use crate::domain::caller::Caller;
use crate::domain::rate_limit::RateLimit;
use crate::domain::request_context::RequestContext;
use crate::http::error::{Error, Result};
use crate::http::middleware::cross_site;
use crate::util::bearer;
use crate::util::secret::Secret;

const NOT_CONFIGURED: &str = "Access is not configured. Set AUTH_JWKS_URL or AUTH_JWT_SECRET (users), \
     API_KEYS (programs), or ALLOW_ANONYMOUS=true (open access).";
const NO_CREDENTIALS: &str =
    "Authentication required: send `Authorization: Bearer <token or API key>`.";
const MALFORMED: &str = "Send exactly one `Authorization` header: `Bearer <token or API key>`.";

impl FromRequestParts<App> for RequestContext {
    type Rejection = Error;

    /// Authenticates the request, and rejects headers that its route does not apply. The rate limit is charged by the
    /// first Redis call of the request.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = if app.config.access.auth.is_configured() {
            let credential = credential(&parts.headers)?;
            let authenticated = app.authenticator.authenticate(credential).await;
            authenticated.map_err(rejection)?
        } else {
            unauthenticated_caller(parts, app)?
        };
        reject_unsupported_headers(parts)?;
        Ok(with_rate_limit(caller, parts, app))
    }
}

/// An authenticated request that is already charged to the caller's rate limit, by a Redis call of its own: for
/// handlers that call Blob before Redis. Charging later would let a limited caller cause calls to Blob.
pub(crate) struct RateLimited(pub(crate) RequestContext);

impl FromRequestParts<App> for RateLimited {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let context = RequestContext::from_request_parts(parts, app).await?;
        app.store.check_rate_limit(&context).await?;
        Ok(Self(context))
    }
}

/// A request without authentication, already charged to the rate limit of its client address: health checks and
/// signed links.
pub(crate) struct Unauthenticated(pub(crate) RequestContext);

impl FromRequestParts<App> for Unauthenticated {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        reject_unsupported_headers(parts)?;
        let context = with_rate_limit(Caller::unrestricted(), parts, app);
        app.store.check_rate_limit(&context).await?;
        Ok(Self(context))
    }
}

/// Returns the context of the request. Where a limit is configured, it applies to the caller, or to the client
/// address where callers are not authenticated.
fn with_rate_limit(caller: Caller, parts: &Parts, app: &App) -> RequestContext {
    let rate_limit = parts.extensions.get::<Arc<_>>();
    let client = match caller.name() {
        "" => caller_address(parts, &app.config),
        name => name.to_owned(),
    };
    let context = RequestContext {
        caller,
        client,
        rate_limit: rate_limit.cloned().unwrap_or_default(),
        oidc_token: oidc_token(parts, app),
    };
    if let Some(requests) = app.config.access.rate_limit {
        let caller = context.client.clone();
        context.rate_limit.set_limit(RateLimit { caller, requests });
    }
    context
}

fn unauthenticated_caller(parts: &Parts, app: &App) -> Result<Caller> {
    let access = &app.config.access;
    if access.is_network_reachable && !access.allow_anonymous {
        return Err(Error::Unauthorized {
            detail: NOT_CONFIGURED.to_owned(),
            had_credentials: false,
        });
    }
    cross_site::reject_other_pages(parts, access)?;
    Ok(Caller::unrestricted())
}

/// Returns the token by which Vercel identifies the deployment to other services; it sends one with each request.
fn oidc_token(parts: &Parts, app: &App) -> Option<Secret> {
    app.config.blob.store_id.as_ref()?;
    let token = parts.headers.get(X_VERCEL_OIDC_TOKEN)?.to_str().ok()?;
    Some(Secret::new(token.to_owned()))
}

/// Returns the credential of the `Authorization: Bearer …` header.
fn credential(headers: &HeaderMap) -> Result<&str> {
    let error = |detail: &str, had_credentials| Error::Unauthorized {
        detail: detail.to_owned(),
        had_credentials,
    };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| error(NO_CREDENTIALS, false))?;
    let credential = value.to_str().ok().and_then(bearer::credential);
    match (credential, values.next()) {
        (Some(credential), None) if !credential.is_empty() => Ok(credential),
        _ => Err(error(MALFORMED, true)),
    }
}

fn rejection(error: AuthError) -> Error {
    match error {
        AuthError::Invalid(reason) => Error::Unauthorized {
            detail: format!("The token or API key is not valid: {reason}."),
            had_credentials: true,
        },
        AuthError::KeysUnavailable { cause, retry_after } => Error::KeysUnavailable {
            cause: format!("the keys at AUTH_JWKS_URL: {cause}"),
            retry_after,
        },
    }
}
