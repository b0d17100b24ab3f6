//! Authentication: checks a bearer credential and returns its [`Caller`].
//!
//! | credential | issued to | checked by |
//! |---|---|---|
//! | JSON Web Token | users, by an identity provider | its signature, with published keys (JWKS) or a shared secret |
//! | API key | servers and scripts | its SHA-256 hash; only the hash is configured |
//!
//! Both are sent as `Authorization: Bearer …`. An error about a token reveals only what its holder can read in it.

mod api_key;
mod claims;
mod config;
mod jwks;
mod jwt;
mod signature;

use std::time::Duration;

use self::api_key::ApiKeys;
use self::jwt::TokenVerifier;
use crate::domain::caller::Caller;

pub use self::api_key::{ApiKey, new_key};
pub use self::config::AuthConfig;

/// The longest accepted credential, in bytes. Vercel accepts request heads of 32 KB.
const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

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
        match &self.tokens {
            Some(tokens) if credential.split('.').count() == 3 => tokens.verify(credential).await,
            _ => Err(AuthError::Invalid("unknown API key".to_owned())),
        }
    }
}
