//! Verification of token signatures with `ring`, which TLS depends on already.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{self, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

static PROVIDER: CryptoProvider = CryptoProvider {
    // This service verifies tokens and signs none.
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(Signature::new(*algorithm, key)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs this provider in `jsonwebtoken`.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    // The only error is that a provider is already installed, and this crate installs only this one.
    INSTALLED.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

struct Signature {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Signature {
    /// Each kind of key is valid for one algorithm only, which prevents algorithm confusion (RFC 8725, 3.1).
    fn new(algorithm: Algorithm, key: &DecodingKey) -> errors::Result<Self> {
        let is_supported = matches!(
            (algorithm, key.family()),
            (Algorithm::HS256, AlgorithmFamily::Hmac)
                | (Algorithm::RS256, AlgorithmFamily::Rsa)
                | (Algorithm::ES256, AlgorithmFamily::Ec)
                | (Algorithm::EdDSA, AlgorithmFamily::Ed)
        );
        if !is_supported {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Ok(Self {
            algorithm,
            key: key.clone(),
        })
    }

    fn check(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let checked = match (self.algorithm, self.key.kind()) {
            (Algorithm::HS256, DecodingKeyKind::SecretOrDer(secret)) => hmac::verify(
                &hmac::Key::new(hmac::HMAC_SHA256, secret),
                message,
                signature,
            ),
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    message,
                    signature,
                )
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(point)) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature)
            }
            _ => return None,
        };
        checked.ok()
    }
}

impl Verifier<Vec<u8>> for Signature {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        self.check(message, signature)
            .ok_or_else(SignatureError::new)
    }
}

impl JwtVerifier for Signature {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
