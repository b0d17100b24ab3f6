//! JSON Web Tokens (RFC 7519): signature, times, issuer and audience.

use std::fmt;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};

use serde_json::Value;

use super::AuthConfig;
use super::claims::{self, ClaimNames, Claims};
use super::jwks::KeySet;
use super::{Refusal, signature};
use crate::domain::caller::Caller;

/// How far the clocks of whoever issues tokens and of this machine may be apart, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// The claim that names teams unless `AUTH_TEAMS_CLAIM` says otherwise.
const TEAMS: &str = "teams";

/// Checks tokens.
pub(super) struct TokenVerifier {
    secret: Option<DecodingKey>,
    key_set: Option<KeySet>,
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
    /// `None` where no token can be accepted.
    pub(super) fn new(config: &AuthConfig) -> Option<Self> {
        if !config.accepts_tokens() {
            return None;
        }
        signature::install();
        let secret = config.jwt_secret.as_ref();
        Some(Self {
            secret: secret.map(|it| DecodingKey::from_secret(it.reveal().as_bytes())),
            key_set: config.jwks_url.clone().map(KeySet::new),
            issuer: config.issuer.clone(),
            audiences: config.audiences.clone(),
            names: ClaimNames {
                teams: config
                    .teams_claim
                    .clone()
                    .unwrap_or_else(|| TEAMS.to_owned()),
                role: config.role_claim.clone(),
            },
        })
    }

    /// Who holds this token.
    pub(super) async fn verify(&self, token: &str) -> Result<Caller, Refusal> {
        let header = decode_header(token).map_err(|error| refusal(&error))?;
        if header.crit.is_some() {
            return Err(invalid("it asks for extensions that are not known here"));
        }
        let validation = self.validation(header.alg);
        let mut failure = invalid("it is signed with a key that is not known");
        for key in self.keys(&header).await? {
            match decode::<Claims>(token, &key, &validation) {
                Ok(token) => return self.holder(&token.claims).map_err(invalid),
                Err(error) => failure = refusal(&error),
            }
        }
        Err(failure)
    }

    /// The keys that it may be signed with. A secret only goes with the algorithm for secrets, a published key
    /// with those for published ones: nothing that is public is ever taken for a secret.
    async fn keys(&self, header: &Header) -> Result<Vec<DecodingKey>, Refusal> {
        match (header.alg, &self.secret, &self.key_set) {
            (Algorithm::HS256, Some(secret), _) => Ok(vec![secret.clone()]),
            (Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA, _, Some(key_set)) => key_set
                .find(header.alg, header.kid.as_deref())
                .await
                .map_err(Refusal::KeysUnavailable),
            _ => Err(invalid("its algorithm is not accepted here")),
        }
    }

    /// Who holds a token whose signature and times hold.
    fn holder(&self, claims: &Claims) -> Result<Caller, &'static str> {
        let is_given = |name| claims.get(name).is_some_and(|claim| !claim.is_null());
        if self.audiences.is_empty() && is_given("aud") {
            return Err("it names an audience, and AUTH_AUDIENCE is not set");
        }
        if self.issuer.is_some() && !claims.get("iss").is_some_and(Value::is_string) {
            return Err("it is from another issuer");
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
        // Without one, whether a token names any is looked at later: any form of it is one too many.
        validation.validate_aud = !self.audiences.is_empty();
        if !self.audiences.is_empty() {
            validation.set_audience(&self.audiences);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

fn invalid(text: &str) -> Refusal {
    Refusal::Invalid(text.to_owned())
}

/// What the holder is told.
fn refusal(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::ExpiredSignature => invalid("it has expired"),
        ErrorKind::ImmatureSignature => invalid("it is not valid yet"),
        ErrorKind::InvalidIssuer => invalid("it is from another issuer"),
        ErrorKind::InvalidAudience => {
            invalid("it is for another audience than AUTH_AUDIENCE names")
        }
        ErrorKind::InvalidSignature => invalid("its signature does not hold"),
        ErrorKind::MissingRequiredClaim(claim) => Refusal::Invalid(format!("it has no {claim}")),
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => {
            invalid("its algorithm is not accepted here")
        }
        _ => invalid("it is no JSON Web Token that can be read"),
    }
}
