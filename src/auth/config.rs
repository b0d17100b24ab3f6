//! Configuration of authentication.

use std::fmt;

use reqwest::Url;

use super::ApiKey;
use crate::util::host::is_loopback;
use crate::util::secret::Secret;

/// The accepted credentials. The default accepts none.
#[derive(Clone, Default)]
pub struct AuthConfig {
    /// `AUTH_JWKS_URL`: URL of the identity provider's JSON Web Key Set.
    pub jwks_url: Option<String>,
    /// `AUTH_JWT_SECRET`: shared secret of tokens that are signed with HS256.
    pub jwt_secret: Option<Secret>,
    /// `AUTH_ISSUER`: required `iss` of tokens. Default: any.
    pub issuer: Option<String>,
    /// `AUTH_AUDIENCE`: accepted `aud` values. Default: only tokens without `aud`.
    pub audiences: Vec<String>,
    /// `AUTH_TEAMS_CLAIM`: claim with the user's teams. Default: `teams`.
    pub teams_claim: Option<String>,
    /// `AUTH_ROLE_CLAIM`: claim that is or contains `admin` for admins. Default: no admins.
    pub role_claim: Option<String>,
    /// `API_KEYS`: API keys of servers and scripts.
    pub api_keys: Vec<ApiKey>,
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.api_keys.iter().map(ApiKey::name).collect();
        formatter
            .debug_struct("AuthConfig")
            .field("jwks_url", &self.jwks_url)
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("api_keys", &keys)
            .finish_non_exhaustive()
    }
}

impl AuthConfig {
    /// Returns whether any credentials are accepted.
    pub fn is_configured(&self) -> bool {
        self.accepts_tokens() || !self.api_keys.is_empty()
    }

    /// Returns whether tokens are accepted.
    pub fn accepts_tokens(&self) -> bool {
        self.jwks_url.is_some() || self.jwt_secret.is_some()
    }
}

/// Returns whether keys can be fetched from a URL: over https, because keys from an insecure connection could be forged,
/// or from this machine.
pub(crate) fn is_secure_url(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    }
}
