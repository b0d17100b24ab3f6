//! The context of one request: its caller, the state of the caller's rate limit, and the token for Blob.

use std::sync::Arc;

use super::caller::Caller;
use super::rate_limit::RateLimitState;
use crate::util::secret::Secret;

/// The caller of a request, the rate limit that the request is charged to, and the token for Blob.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The authenticated caller.
    pub caller: Caller,
    /// The name by which callers are told apart: that of the caller, or the client address where callers are not
    /// authenticated.
    pub client: String,
    /// The rate limit of the request; shared with the middleware that writes the `RateLimit` headers.
    pub rate_limit: Arc<RateLimitState>,
    /// The OIDC token that identifies the deployment to Vercel Blob.
    pub oidc_token: Option<Secret>,
}

impl RequestContext {
    /// Returns a context without a rate limit.
    pub fn unlimited(caller: Caller) -> Self {
        Self {
            client: caller.name().to_owned(),
            caller,
            rate_limit: Arc::default(),
            oidc_token: None,
        }
    }

    /// Returns the context of steps without a caller, or whose caller's access was checked before.
    pub fn internal() -> Self {
        Self::unlimited(Caller::unrestricted())
    }
}
