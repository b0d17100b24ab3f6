//! JSON Web Tokens (RFC 7519): signature, times, issuer and audience.

use std::fmt;
use std::sync::Arc;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::Value;

use super::AuthConfig;
use super::claims::{self, ClaimNames, Claims};
use super::jwks::{self, KeySet};
use super::{AuthError, signature};
use crate::domain::caller::Caller;

/// The tolerated difference between the clocks of the issuer and this machine, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// The default of `AUTH_TEAMS_CLAIM`.
const DEFAULT_TEAMS_CLAIM: &str = "teams";

/// The text for a token whose `iss` differs from `AUTH_ISSUER`.
const WRONG_ISSUER: &str = "`iss` does not match AUTH_ISSUER";

/// Verifier of tokens.
pub(super) struct TokenVerifier {
    secret: Option<DecodingKey>,
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

impl TokenVerifier {
    /// Creates a verifier; `None` if tokens are not configured.
    pub(super) fn new(config: &AuthConfig) -> Option<Self> {
        if !config.accepts_tokens() {
            return None;
        }
        signature::install();
        let secret = config.jwt_secret.as_ref();
        Some(Self {
            secret: secret.map(|secret| DecodingKey::from_secret(secret.reveal().as_bytes())),
            key_set: config
                .jwks_url
                .clone()
                .map(|url| Arc::new(KeySet::new(url))),
            issuer: config.issuer.clone(),
            audiences: config.audiences.clone(),
            names: ClaimNames {
                teams: config
                    .teams_claim
                    .clone()
                    .unwrap_or_else(|| DEFAULT_TEAMS_CLAIM.to_owned()),
                role: config.role_claim.clone(),
            },
        })
    }

    /// Verifies a token and returns its user.
    pub(super) async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        let header = decode_header(token).map_err(|error| auth_error(&error))?;
        if header.crit.is_some() {
            return Err(invalid("its `crit` header names unsupported extensions"));
        }
        let validation = self.validation(header.alg);
        let mut failure = invalid("unknown signing key");
        for key in self.keys(&header).await? {
            match decode::<Claims>(token, &key, &validation) {
                Ok(token) => return self.caller(&token.claims).map_err(AuthError::Invalid),
                Err(error) => failure = auth_error(&error),
            }
        }
        Err(failure)
    }

    /// Returns the keys that may have signed the token. The shared secret is used with HS256 only, and published
    /// keys with asymmetric algorithms only, so that a public key never serves as a secret.
    async fn keys(&self, header: &Header) -> Result<Vec<DecodingKey>, AuthError> {
        match (header.alg, &self.secret, &self.key_set) {
            (Algorithm::HS256, Some(secret), _) => Ok(vec![secret.clone()]),
            (Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA, _, Some(key_set)) => key_set
                .find(header.alg, header.kid.as_deref())
                .await
                .map_err(|cause| AuthError::KeysUnavailable {
                    cause,
                    retry_after: jwks::FIRST_FETCH_PAUSE,
                }),
            _ => Err(invalid("the signature algorithm is not accepted")),
        }
    }

    /// Returns the user of a token whose signature and times are valid.
    fn caller(&self, claims: &Claims) -> Result<Caller, String> {
        let has_audience = claims.get("aud").is_some_and(|claim| !claim.is_null());
        if self.audiences.is_empty() && has_audience {
            return Err("it has an `aud` claim, and AUTH_AUDIENCE is not set".to_owned());
        }
        if self.issuer.is_some() && !claims.get("iss").is_some_and(Value::is_string) {
            return Err(WRONG_ISSUER.to_owned());
        }
        claims::caller(claims, &self.names)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        // Without AUTH_AUDIENCE, `caller` rejects every token with an `aud` claim of any type.
        validation.validate_aud = !self.audiences.is_empty();
        if !self.audiences.is_empty() {
            validation.set_audience(&self.audiences);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

fn invalid(text: &str) -> AuthError {
    AuthError::Invalid(text.to_owned())
}

/// Translates an error of the library to a text for the caller. The text repeats no part of the token.
fn auth_error(error: &Error) -> AuthError {
    match error.kind() {
        ErrorKind::ExpiredSignature => invalid("it has expired"),
        ErrorKind::ImmatureSignature => invalid("it is not valid yet"),
        ErrorKind::InvalidIssuer => invalid(WRONG_ISSUER),
        ErrorKind::InvalidAudience => invalid("`aud` does not match AUTH_AUDIENCE"),
        ErrorKind::InvalidSignature => invalid("invalid signature"),
        ErrorKind::MissingRequiredClaim(claim) => {
            AuthError::Invalid(format!("`{claim}` is missing"))
        }
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => {
            invalid("the signature algorithm is not accepted")
        }
        _ => invalid("malformed JSON Web Token"),
    }
}
