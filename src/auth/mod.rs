//! Authentication: checks a bearer credential and returns its [`Caller`].
//!
//! | credential | issued to | checked by |
//! |---|---|---|
//! | JSON Web Token | users, by an identity provider | its signature, with published keys (JWKS) or a shared secret |
//! | API key | servers and scripts | its SHA-256 hash; only the hash is configured |
//!
//! Both are sent as `Authorization: Bearer …`. An error about a token reveals only what its holder can read in it.

mod algorithm;
mod api_key;
mod claims;
mod config;
mod fetch;
mod jwk;
mod jwks;
mod jwt;
mod signature;
mod validation;

use std::time::Duration;

use self::api_key::ApiKeys;
use self::jwt::TokenVerifier;
use crate::domain::caller::Caller;
use crate::util::diagnosis::Diagnosis;

pub use self::api_key::{ApiKey, new_key};
pub use self::config::AuthConfig;
pub(crate) use self::config::is_secure_url;

/// The longest accepted credential, in bytes. Vercel accepts request heads of 32 KB.
const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

/// The number of parts of a signed token (RFC 7515, section 3.1).
const TOKEN_PARTS: usize = 3;
/// The number of parts of an encrypted token (RFC 7516, section 3.1).
const ENCRYPTED_PARTS: usize = 5;
/// The remedy for a token of another kind.
const ASK_FOR_JWT: &str =
    "ask the identity provider for a signed JSON Web Token (JWT) for the audience of this service";

/// Reason for rejecting a credential.
#[derive(Debug, PartialEq, Eq)]
pub enum AuthError {
    /// The credential is invalid. The text is shown to the caller.
    Invalid(String),
    /// The credential cannot be verified, because the signing keys cannot be fetched.
    KeysUnavailable {
        /// The failure of the last fetch, for the log.
        cause: String,
        /// The time until the keys may be fetched again.
        retry_after: Duration,
    },
}

/// Authenticates credentials. Create one per process: it caches the keys of the identity provider.
#[derive(Debug)]
pub struct Authenticator {
    tokens: Option<TokenVerifier>,
    api_keys: ApiKeys,
}

impl Authenticator {
    /// Creates an authenticator for the configured credentials. Fetches nothing.
    pub fn new(config: &AuthConfig) -> Self {
        Self {
            tokens: TokenVerifier::new(config),
            api_keys: ApiKeys::new(&config.api_keys),
        }
    }

    /// Returns the caller that a token or an API key belongs to.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] if the credential is too long, unknown, malformed or expired;
    /// [`AuthError::KeysUnavailable`] if no signing keys are cached and the identity provider is unreachable.
    pub async fn authenticate(&self, credential: &str) -> Result<Caller, AuthError> {
        if credential.len() > MAX_CREDENTIAL_BYTES {
            let limit = MAX_CREDENTIAL_BYTES / 1024;
            return Err(AuthError::Invalid(format!("it is longer than {limit} KB")));
        }
        if let Some(key) = self.api_keys.find(credential) {
            return Ok(key.caller());
        }
        match (&self.tokens, credential.split('.').count()) {
            (Some(tokens), TOKEN_PARTS) => tokens.verify(credential).await,
            (tokens, parts) => Err(AuthError::Invalid(unusable(
                credential,
                parts,
                tokens.is_some(),
            ))),
        }
    }

    /// Returns the number of usable keys at `AUTH_JWKS_URL`, which are fetched if they are due; `None` if it is not set.
    ///
    /// # Errors
    /// The reason why the last fetch returned no usable key.
    pub async fn probe_keys(&self) -> Option<Result<usize, Diagnosis>> {
        let key_set = self.tokens.as_ref()?.key_set()?;
        let probed = key_set.probe().await;
        Some(probed.map_err(|failure| failure.diagnose()))
    }
}

/// Returns why a credential is neither an API key nor a token in `parts` parts. The text repeats no part of it.
fn unusable(credential: &str, parts: usize, accepts_tokens: bool) -> String {
    let is_key = credential.starts_with(api_key::PREFIX);
    match (parts, accepts_tokens) {
        _ if is_key => "unknown API key".to_owned(),
        (TOKEN_PARTS, false) => {
            "it is a JSON Web Token, and only API keys are accepted: set AUTH_JWKS_URL or AUTH_JWT_SECRET to accept tokens"
                .to_owned()
        }
        (_, false) => "unknown API key".to_owned(),
        (ENCRYPTED_PARTS, true) => format!("it is an encrypted token (JWE): {ASK_FOR_JWT}"),
        (1, true) => format!("it is an opaque token, or an unknown API key: {ASK_FOR_JWT}"),
        (_, true) => format!("it has {parts} parts with dots between them, and a signed JSON Web Token has {TOKEN_PARTS}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_credential_is_described() {
        let ask = "ask the identity provider for a signed JSON Web Token (JWT) for the audience of this service";
        for (credential, accepts_tokens, expected) in [
            ("llmos_x", true, "unknown API key".to_owned()),
            ("llmos_x", false, "unknown API key".to_owned()),
            ("opaque", false, "unknown API key".to_owned()),
            ("opaque", true, format!("it is an opaque token, or an unknown API key: {ask}")),
            ("a.b.c.d.e", true, format!("it is an encrypted token (JWE): {ask}")),
            ("a..c.d.e", true, format!("it is an encrypted token (JWE): {ask}")),
            ("a.b.c.d.e", false, "unknown API key".to_owned()),
            (
                "a.b",
                true,
                "it has 2 parts with dots between them, and a signed JSON Web Token has 3".to_owned(),
            ),
            (
                "a.b.c",
                false,
                "it is a JSON Web Token, and only API keys are accepted: set AUTH_JWKS_URL or AUTH_JWT_SECRET to accept \
                 tokens"
                    .to_owned(),
            ),
        ] {
            let parts = credential.split('.').count();
            assert_eq!(unusable(credential, parts, accepts_tokens), expected, "{credential}");
        }
    }
}
