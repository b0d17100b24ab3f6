//! Client tokens of Vercel Blob: permission to upload one blob, signed with the read-write token.
//!
//! A token is `vercel_blob_client_{store id}_{base64 of "{signature}.{payload}"}`. The payload is base64 of
//! JSON; the signature is the hexadecimal HMAC-SHA-256 of that base64 text under the read-write token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde::{Deserialize, Serialize};

use super::credentials::store_id;

/// The prefix of client tokens.
pub const PREFIX: &str = "vercel_blob_client_";

/// The permissions of a client token. A limit that is not set does not apply; a permission that is not set is not
/// granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTokenPayload {
    /// The only pathname that may be written.
    pub pathname: String,
    /// The callback after the upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_upload_completed: Option<OnUploadCompleted>,
    /// The maximum size of the blob, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_size_in_bytes: Option<u64>,
    /// The accepted content types, such as `image/png` or `image/*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_content_types: Option<Vec<String>>,
    /// The time at which the token expires, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<i64>,
    /// Whether the pathname gets a random suffix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_random_suffix: Option<bool>,
    /// Whether an existing blob may be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_overwrite: Option<bool>,
    /// The time that caches may store the blob, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control_max_age: Option<u64>,
    /// The entity tag that an existing blob must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<String>,
}

/// The callback after an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnUploadCompleted {
    /// The URL of the callback.
    pub callback_url: String,
    /// The data that the callback returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_payload: Option<String>,
}

impl ClientTokenPayload {
    /// Returns whether the token has expired. `now` is in milliseconds since 1970.
    pub fn has_expired(&self, now: i64) -> bool {
        self.valid_until
            .is_some_and(|valid_until| valid_until <= now)
    }

    /// Returns whether the token allows this content type.
    pub fn allows_content_type(&self, content_type: &str) -> bool {
        let Some(allowed) = &self.allowed_content_types else {
            return true;
        };
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let (kind, _) = essence.split_once('/').unwrap_or((essence, ""));
        allowed.iter().any(|allowed| {
            let is_of_kind = allowed
                .strip_suffix("/*")
                .is_some_and(|wanted| wanted == "*" || wanted.eq_ignore_ascii_case(kind));
            is_of_kind || allowed == content_type || allowed.eq_ignore_ascii_case(essence)
        })
    }
}

/// Creates a client token; `None` if the read-write token is malformed.
pub fn mint(payload: &ClientTokenPayload, read_write_token: &str) -> Option<String> {
    let store_id = store_id(read_write_token)?;
    let payload = STANDARD.encode(serde_json::to_vec(payload).ok()?);
    let signature = sign(payload.as_bytes(), read_write_token);
    let signed = STANDARD.encode(format!("{signature}.{payload}"));
    Some(format!("{PREFIX}{store_id}_{signed}"))
}

/// Returns the permissions of a client token; `None` if this read-write token did not sign it. Does not check the
/// expiry.
pub fn verify(client_token: &str, read_write_token: &str) -> Option<ClientTokenPayload> {
    let (store, signed) = client_token.strip_prefix(PREFIX)?.split_once('_')?;
    if store != store_id(read_write_token)? {
        return None;
    }
    let signed = STANDARD.decode(signed).ok()?;
    let (signature, payload) = std::str::from_utf8(&signed).ok()?.split_once('.')?;
    if !is_signed(payload.as_bytes(), signature, read_write_token) {
        return None;
    }
    serde_json::from_slice(&STANDARD.decode(payload).ok()?).ok()
}

/// Verifies the signature of a message, in hexadecimal. Takes the same time for every signature.
pub fn is_signed(message: &[u8], signature: &str, read_write_token: &str) -> bool {
    hex::decode(signature)
        .is_ok_and(|signature| hmac::verify(&key(read_write_token), message, &signature).is_ok())
}

/// Signs a client token, or the body of an upload callback, whose signature is in `x-vercel-signature`.
pub fn sign(message: &[u8], read_write_token: &str) -> String {
    hex::encode(hmac::sign(&key(read_write_token), message))
}

fn key(read_write_token: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, read_write_token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "vercel_blob_rw_store_secret";

    fn payload() -> ClientTokenPayload {
        ClientTokenPayload {
            pathname: "ä/b.txt".to_owned(),
            valid_until: Some(1000),
            ..ClientTokenPayload::default()
        }
    }

    #[test]
    fn verified_token_has_its_permissions() {
        let token = mint(&payload(), TOKEN).unwrap();
        assert!(token.starts_with("vercel_blob_client_store_"));
        assert_eq!(verify(&token, TOKEN), Some(payload()));
    }

    #[test]
    fn forged_token_or_token_of_another_secret_is_rejected() {
        let token = mint(&payload(), TOKEN).unwrap();
        assert_eq!(verify(&token, "vercel_blob_rw_store_other"), None);
        assert_eq!(verify(&token, "vercel_blob_rw_other_secret"), None);
        let (_, signed) = token.rsplit_once('_').unwrap();
        let signed = String::from_utf8(STANDARD.decode(signed).unwrap()).unwrap();
        let (signature, _) = signed.split_once('.').unwrap();
        let forged = STANDARD.encode(r#"{"pathname":"other"}"#);
        let forged = STANDARD.encode(format!("{signature}.{forged}"));
        assert_eq!(verify(&format!("{PREFIX}store_{forged}"), TOKEN), None);
        for text in [
            "",
            "x",
            PREFIX,
            "vercel_blob_client_store_",
            "vercel_blob_client_store_eA==",
        ] {
            assert_eq!(verify(text, TOKEN), None, "{text}");
        }
    }

    #[test]
    fn token_is_created_with_the_token_of_a_store_only() {
        assert!(mint(&payload(), "vercel_blob_rw_local_development").is_some());
        assert_eq!(mint(&payload(), "x"), None);
    }

    #[test]
    fn token_expires_at_its_time() {
        assert!(!payload().has_expired(999));
        assert!(payload().has_expired(1000));
        assert!(!ClientTokenPayload::default().has_expired(i64::MAX));
    }

    #[test]
    fn content_types_match_exactly_or_by_wildcard() {
        let allowed = |types: &[&str], content_type| {
            let types = types.iter().map(|text| (*text).to_owned()).collect();
            let payload = ClientTokenPayload {
                allowed_content_types: Some(types),
                ..payload()
            };
            payload.allows_content_type(content_type)
        };
        assert!(payload().allows_content_type("x/y"));
        assert!(allowed(&["image/*"], "image/png"));
        assert!(!allowed(&["image/*"], "imagery/png"));
        assert!(allowed(&["text/plain"], "text/plain; charset=utf-8"));
        assert!(allowed(&["*/*"], "text/plain"));
        assert!(!allowed(&["text/plain"], "text/html"));
        assert!(!allowed(&[], "text/plain"));
    }
}
