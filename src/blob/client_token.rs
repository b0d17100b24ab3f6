//! Client tokens of Vercel Blob: leave to upload one blob, signed with the read-write token, which stays secret.
//!
//! A token is `vercel_blob_client_{store id}_{base64 of "{signature}.{payload}"}`. The payload is base64 of
//! JSON; the signature is the hexadecimal HMAC-SHA-256 of that base64 text under the read-write token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde::{Deserialize, Serialize};

use super::credentials::store_id;
use crate::util::hash::hex;

/// What every client token begins with.
pub const PREFIX: &str = "vercel_blob_client_";

/// What a client token allows. What is not given is not limited, or not allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTokenPayload {
    /// The only pathname that may be written.
    pub pathname: String,
    /// Who is told when the upload is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_upload_completed: Option<OnUploadCompleted>,
    /// The most bytes that the blob may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_size_in_bytes: Option<u64>,
    /// The content types that the blob may have, such as `image/png` or `image/*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_content_types: Option<Vec<String>>,
    /// Until when the token holds, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<i64>,
    /// Whether the pathname gets a random suffix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_random_suffix: Option<bool>,
    /// Whether a blob that is there already may be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_overwrite: Option<bool>,
    /// How long caches may keep the blob, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control_max_age: Option<u64>,
    /// The entity tag that the blob must have for being replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<String>,
}

/// Who is told of a complete upload, and what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnUploadCompleted {
    /// Where the message is posted to.
    pub callback_url: String,
    /// What comes back with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_payload: Option<String>,
}

impl ClientTokenPayload {
    /// Whether the time is over, `now` being in milliseconds since 1970.
    pub fn has_expired(&self, now: i64) -> bool {
        self.valid_until
            .is_some_and(|valid_until| valid_until <= now)
    }

    /// Whether a blob may be of this content type.
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

/// Makes a client token; nothing where the read-write token names no store.
pub fn mint(payload: &ClientTokenPayload, read_write_token: &str) -> Option<String> {
    let store_id = store_id(read_write_token)?;
    let payload = STANDARD.encode(serde_json::to_vec(payload).ok()?);
    let signature = sign(payload.as_bytes(), read_write_token);
    let signed = STANDARD.encode(format!("{signature}.{payload}"));
    Some(format!("{PREFIX}{store_id}_{signed}"))
}

/// What a client token allows, if it was made with this read-write token. Whether it has expired is not
/// looked at.
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

/// Whether a signature in hexadecimal is that of this message. Takes the same time for every signature.
pub fn is_signed(message: &[u8], signature: &str, read_write_token: &str) -> bool {
    decode_hex(signature)
        .is_some_and(|signature| hmac::verify(&key(read_write_token), message, &signature).is_ok())
}

/// The signature that stands in tokens and in the `x-vercel-signature` of a message about an upload.
pub fn sign(message: &[u8], read_write_token: &str) -> String {
    hex(hmac::sign(&key(read_write_token), message).as_ref())
}

fn key(read_write_token: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, read_write_token.as_bytes())
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16)?.try_into().ok())
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
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
    fn a_token_says_what_it_was_made_for() {
        let token = mint(&payload(), TOKEN).unwrap();
        assert!(token.starts_with("vercel_blob_client_store_"));
        assert_eq!(verify(&token, TOKEN), Some(payload()));
    }

    #[test]
    fn a_token_that_was_touched_or_made_with_another_secret_is_none() {
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
    fn a_token_is_made_with_the_token_of_a_store() {
        assert!(mint(&payload(), "vercel_blob_rw_local_development").is_some());
        assert_eq!(mint(&payload(), "x"), None);
    }

    #[test]
    fn a_token_holds_until_its_time() {
        assert!(!payload().has_expired(999));
        assert!(payload().has_expired(1000));
        assert!(!ClientTokenPayload::default().has_expired(i64::MAX));
    }

    #[test]
    fn content_types_match_as_a_whole_or_by_kind() {
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
