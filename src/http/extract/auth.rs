//! Who calls: one extractor that every handler takes.
//!
//! | configured | credentials | who calls |
//! |---|---|---|
//! | tokens or keys | ones that hold | their holder |
//! | tokens or keys | none, or others | nobody: 401 |
//! | nothing, on one's own machine | are not looked at | the person at the machine, who may do everything |
//! | `ALLOW_ANONYMOUS=true` alone | are not looked at | anybody, who may do everything |
//! | nothing, where others can call | are not looked at | nobody: 401 that says what to set |

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::client_ip::caller_address;
use crate::app::App;
use crate::auth::Refusal;
use crate::domain::caller::Caller;
use crate::domain::rate_limit::{Quota, RateLimit};
use crate::http::error::{Error, Result};
use crate::http::middleware::cross_site;

const NOTHING_CONFIGURED: &str = "Nobody may call yet: set AUTH_JWKS_URL or AUTH_JWT_SECRET for users, \
     API_KEYS for programs, or ALLOW_ANONYMOUS=true to let everybody do everything.";
const NO_CREDENTIALS: &str = "Say who you are: Authorization: Bearer, and a token or a key.";

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    /// Whoever sent the request. It counts on their limit with the first thing that is asked of Redis.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = if app.config.access.auth.is_configured() {
            let credential = bearer(&parts.headers)?;
            let authenticated = app.authenticator.authenticate(credential).await;
            authenticated.map_err(refused)?
        } else {
            without_credentials(parts, app)?
        };
        Ok(counted(caller, parts, app))
    }
}

/// A caller whose request counted already, in a round trip to Redis of its own: for handlers that ask Blob
/// before they ask Redis anything.
pub(crate) struct Admitted(pub(crate) Caller);

impl FromRequestParts<App> for Admitted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        app.store.admit(&caller).await?;
        Ok(Self(caller))
    }
}

/// Anybody, without a look at credentials, whose request counted already: for the health check, which tells
/// nothing of what is stored and costs a call of each storage, and for those who have a link.
pub(crate) struct Visitor;

impl FromRequestParts<App> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let visitor = counted(Caller::anybody(), parts, app);
        app.store.admit(&visitor).await?;
        Ok(Self)
    }
}

/// Where limits are set: the caller with the one that the request counts on, by name or by address.
fn counted(caller: Caller, parts: &Parts, app: &App) -> Caller {
    let quota = parts.extensions.get::<Arc<Quota>>();
    let quota = quota.cloned().unwrap_or_default();
    if let Some(requests) = app.config.access.rate_limit {
        let name = match caller.name() {
            "" => caller_address(parts, &app.config),
            name => name.to_owned(),
        };
        quota.begin(RateLimit {
            caller: name,
            requests,
        });
    }
    caller.counted_on(quota)
}

fn without_credentials(parts: &Parts, app: &App) -> Result<Caller> {
    let access = &app.config.access;
    if access.is_public && !access.allow_anonymous {
        return Err(Error::Unauthorized {
            detail: NOTHING_CONFIGURED.to_owned(),
            had_credentials: false,
        });
    }
    cross_site::refuse_other_pages(parts, access)?;
    Ok(Caller::anybody())
}

/// The credential of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Result<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let refuse = |detail: &str, had_credentials| {
        Err(Error::Unauthorized {
            detail: detail.to_owned(),
            had_credentials,
        })
    };
    let Some(value) = values.next() else {
        return refuse(NO_CREDENTIALS, false);
    };
    let credential = value.to_str().ok().and_then(|text| {
        let (scheme, credential) = text.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(credential.trim())
    });
    match (credential, values.next()) {
        (Some(credential), None) if !credential.is_empty() => Ok(credential),
        _ => refuse(
            "Authorization must be there once, with Bearer and a token or a key.",
            true,
        ),
    }
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Invalid(reason) => Error::Unauthorized {
            detail: format!("Your token or key is not accepted: {reason}."),
            had_credentials: true,
        },
        Refusal::KeysUnavailable(cause) => {
            Error::KeysUnavailable(format!("the keys at AUTH_JWKS_URL: {cause}"))
        }
    }
}
