//! Signatures of our own links: HMAC-SHA-256 with a key that is derived for one purpose.

use ring::{hkdf, hmac};

/// A key for one purpose. Signatures made for one purpose are invalid for every other, and reveal nothing about the
/// secret that the key is derived from.
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// Derives the key for `purpose` from `secret`, by HKDF-SHA-256 (RFC 5869) without a salt.
    pub fn derive(secret: &str, purpose: &str) -> Self {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]);
        let pseudorandom_key = salt.extract(secret.as_bytes());
        let info = [purpose.as_bytes()];
        let derived = pseudorandom_key
            .expand(&info, hmac::HMAC_SHA256)
            .expect("HKDF-SHA-256 can derive a key as long as its hash");
        Self(derived.into())
    }

    /// Returns the signature of a message, in hexadecimal.
    pub fn sign(&self, message: &[u8]) -> String {
        hex::encode(hmac::sign(&self.0, message))
    }

    /// Returns whether this key signed the message. Takes the same time for every signature.
    pub fn verify(&self, message: &[u8], signature: &str) -> bool {
        hex::decode(signature)
            .is_ok_and(|signature| hmac::verify(&self.0, message, &signature).is_ok())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SigningKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_valid_for_its_message_purpose_and_secret_only() {
        let key = SigningKey::derive("secret", "link");
        let signature = key.sign(b"message");
        assert!(key.verify(b"message", &signature));
        assert!(!key.verify(b"other", &signature));
        for (secret, purpose) in [("secret", "other"), ("other", "link")] {
            assert!(!SigningKey::derive(secret, purpose).verify(b"message", &signature));
        }
        for malformed in ["", "0", "zz", &signature[2..]] {
            assert!(!key.verify(b"message", malformed), "{malformed}");
        }
    }

    /// The expected value was computed with Python's `hmac` by the steps of RFC 5869.
    #[test]
    fn derived_key_is_that_of_rfc_5869_and_not_the_secret() {
        let signature = SigningKey::derive("secret", "link").sign(b"message");
        assert_eq!(
            signature,
            "a6f45cb9f047a818057a1bfcfa7ec49f35b42f415fda917959e38cc6e9866885"
        );
        let secret = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        assert_ne!(signature, hex::encode(hmac::sign(&secret, b"message")));
    }
}
