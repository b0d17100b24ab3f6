//! Who calls: credentials, checked into a [`Caller`].
//!
//! | credential | what it is | checked by |
//! |---|---|---|
//! | a JSON Web Token | what an identity provider hands to its users | its signature, under keys that are fetched or a secret that is shared |
//! | an API key | what a server or a script is given | its hash, which is all that is configured |
//!
//! Both come as `Authorization: Bearer …`. What a refusal says of a token tells nothing that its holder
//! could not read in it.

mod api_key;
mod claims;
mod config;
mod jwks;
mod jwt;
mod signature;

use self::jwt::TokenVerifier;
use crate::domain::caller::Caller;

pub use self::api_key::{ApiKey, new_key};
pub use self::config::AuthConfig;
pub use self::jwks::FIRST_FETCH_PAUSE;

/// The longest credential that is looked at, in bytes. Vercel takes heads of 32 KB.
pub const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

/// Why a credential is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not hold; the text is for its holder.
    Invalid(String),
    /// It may hold: the keys that would tell cannot be fetched. The text is for the log.
    KeysUnavailable(String),
}

/// Checks credentials. One per process: it remembers the keys of the identity provider.
#[derive(Debug)]
pub struct Authenticator {
    tokens: Option<TokenVerifier>,
    api_keys: Vec<ApiKey>,
}

impl Authenticator {
    /// Prepares the check of what is configured; fetches nothing yet.
    pub fn new(config: &AuthConfig) -> Self {
        Self {
            tokens: TokenVerifier::new(config),
            api_keys: config.api_keys.clone(),
        }
    }

    /// Whose credential this is.
    ///
    /// # Errors
    /// Why it is nobody's.
    pub async fn authenticate(&self, credential: &str) -> Result<Caller, Refusal> {
        if credential.len() > MAX_CREDENTIAL_BYTES {
            return Err(Refusal::Invalid("it is longer than 16 KB".to_owned()));
        }
        if let Some(key) = ApiKey::find(&self.api_keys, credential) {
            return Ok(key.caller());
        }
        match &self.tokens {
            Some(tokens) if credential.split('.').count() == 3 => tokens.verify(credential).await,
            _ => Err(Refusal::Invalid("it is none of this deployment".to_owned())),
        }
    }
}
