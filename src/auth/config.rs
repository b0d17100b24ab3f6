//! Settings of authentication.

use std::fmt;

use super::ApiKey;
use crate::util::secret::Secret;

/// Which credentials are accepted. The default is none.
#[derive(Clone, Default)]
pub struct AuthConfig {
    /// `AUTH_JWKS_URL`: where the identity provider publishes the keys that its tokens are signed with.
    pub jwks_url: Option<String>,
    /// `AUTH_JWT_SECRET`: the secret that tokens are signed with, where it is shared.
    pub jwt_secret: Option<Secret>,
    /// `AUTH_ISSUER`: the only `iss` of tokens. Unset: any.
    pub issuer: Option<String>,
    /// `AUTH_AUDIENCE`: the `aud` of tokens, or several. Unset: only tokens without one.
    pub audiences: Vec<String>,
    /// `AUTH_TEAMS_CLAIM`: the claim that names the holder's teams. Unset: `teams`.
    pub teams_claim: Option<String>,
    /// `AUTH_ROLE_CLAIM`: the claim that is or holds `admin` for those who may do everything. Unset: nobody.
    pub role_claim: Option<String>,
    /// `API_KEYS`: keys of servers and scripts.
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
    /// Whether any credentials are accepted.
    pub fn is_configured(&self) -> bool {
        self.accepts_tokens() || !self.api_keys.is_empty()
    }

    /// Whether tokens are accepted.
    pub fn accepts_tokens(&self) -> bool {
        self.jwks_url.is_some() || self.jwt_secret.is_some()
    }
}
