//! The signature algorithms of tokens (RFC 7518, RFC 9864).

/// An accepted algorithm. `none` is not one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// HMAC with SHA-256 and the shared secret.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519. RFC 9864 replaces its first name, `EdDSA`, by the name of the curve.
    Ed25519,
}

/// The names of the algorithms of published keys, for error texts.
pub(super) const PUBLISHED: &str = "RS256, ES256 or EdDSA (Ed25519)";

impl Algorithm {
    /// Returns the algorithm with this name in the `alg` of a token or of a published key.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// Returns the name of the algorithm.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::Ed25519 => "EdDSA",
        }
    }
}
