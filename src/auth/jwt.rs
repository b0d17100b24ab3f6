//! JSON Web Tokens (RFC 7519): the form of a token, its signature and its claims.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::algorithm::{Algorithm, PUBLISHED};
use super::claims::{self, ClaimNames, Claims};
use super::config::AuthConfig;
use super::jwks::{self, KeySet};
use super::signature::VerificationKey;
use super::{AuthError, validation};
use crate::domain::caller::Caller;

/// The default of `AUTH_TEAMS_CLAIM`.
const DEFAULT_TEAMS_CLAIM: &str = "teams";
/// The longest name of an algorithm that an error repeats, in bytes.
const MAX_SHOWN_NAME_BYTES: usize = 16;

/// Verifier of tokens.
pub(super) struct TokenVerifier {
    secret: Option<VerificationKey>,
    key_set: Option<Arc<KeySet>>,
    issuer: Option<String>,
    audiences: Vec<String>,
    names: ClaimNames,
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenVerifier")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}

/// The members of a token's header that matter. Keys in the header (`jwk`, `jku`, `x5c`) are ignored: anyone can write
/// them.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

/// A token in its three parts.
struct Token<'a> {
    header: Header,
    claims: &'a str,
    /// The part that is signed: the header and the claims as they were sent.
    message: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn parse(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        Some(Self {
            header: decode(header)?,
            claims,
            message,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }
}

/// Decodes a part of a token: base64url without padding, of JSON.
fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

impl TokenVerifier {
    /// Creates a verifier; `None` if tokens are not configured.
    pub(super) fn new(config: &AuthConfig) -> Option<Self> {
        if !config.accepts_tokens() {
            return None;
        }
        let secret = config.jwt_secret.as_ref();
        let key_set = config.jwks_url.clone().map(KeySet::new);
        Some(Self {
            secret: secret.map(|it| VerificationKey::from_secret(it.reveal().as_bytes())),
            key_set: key_set.map(Arc::new),
            issuer: config.issuer.clone(),
            audiences: config.audiences.clone(),
            names: ClaimNames {
                teams: config
                    .teams_claim
                    .clone()
                    .unwrap_or_else(|| DEFAULT_TEAMS_CLAIM.to_owned()),
                requires_teams: config.teams_claim.is_some(),
                role: config.role_claim.clone(),
            },
        })
    }

    /// Returns the published keys; `None` if `AUTH_JWKS_URL` is not set.
    pub(super) fn key_set(&self) -> Option<&Arc<KeySet>> {
        self.key_set.as_ref()
    }

    /// Verifies a token and returns its user.
    pub(super) async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        let malformed = || invalid("malformed JSON Web Token");
        let token = Token::parse(token).ok_or_else(malformed)?;
        if token.header.crit.is_some() {
            return Err(invalid("its `crit` header names unsupported extensions"));
        }
        let keys = self.keys(&token.header).await?;
        let is_signed =
            |key: &VerificationKey| key.verifies(token.message.as_bytes(), &token.signature);
        if !keys.iter().any(is_signed) {
            return Err(invalid("invalid signature"));
        }
        let claims: Claims = decode(token.claims).ok_or_else(malformed)?;
        self.caller(&claims).map_err(AuthError::Invalid)
    }

    /// Returns the keys that may have signed the token, at least one. The shared secret is used with HS256 only, and
    /// published keys with asymmetric algorithms only, so that a public key never serves as a secret.
    async fn keys(&self, header: &Header) -> Result<Vec<VerificationKey>, AuthError> {
        let algorithm = Algorithm::from_name(&header.alg);
        match (algorithm, &self.secret, &self.key_set) {
            (Some(Algorithm::Hs256), Some(secret), _) => Ok(vec![secret.clone()]),
            (Some(algorithm), _, Some(key_set)) if algorithm != Algorithm::Hs256 => {
                let found = key_set.find(algorithm, header.kid.as_deref()).await;
                let found = found.map_err(|failure| AuthError::KeysUnavailable {
                    cause: failure.to_string(),
                    retry_after: jwks::FIRST_FETCH_PAUSE,
                })?;
                found.map_err(AuthError::Invalid)
            }
            _ => Err(AuthError::Invalid(self.unaccepted(&header.alg))),
        }
    }

    /// Returns the text about an algorithm that is not accepted. Only a name that can be one is repeated.
    fn unaccepted(&self, name: &str) -> String {
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_name =
            (1..=MAX_SHOWN_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_name_byte);
        let name = if is_name {
            format!(" {name}")
        } else {
            String::new()
        };
        let published = self.key_set.as_ref().map(|_| PUBLISHED);
        let shared = self.secret.as_ref().map(|_| "HS256");
        let accepted: Vec<&str> = published.into_iter().chain(shared).collect();
        format!(
            "the signature algorithm{name} is not accepted: tokens must be signed with {}",
            accepted.join(", or ")
        )
    }

    /// Returns the user of a token whose signature is valid.
    fn caller(&self, claims: &Claims) -> Result<Caller, String> {
        let now = Utc::now().timestamp();
        validation::check(claims, self.issuer.as_deref(), &self.audiences, now)?;
        claims::caller(claims, &self.names)
    }
}

fn invalid(text: &str) -> AuthError {
    AuthError::Invalid(text.to_owned())
}
