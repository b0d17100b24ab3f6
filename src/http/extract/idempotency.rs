//! `Idempotency-Key`: a request that a caller repeats under one key takes effect once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Uri};

use crate::domain::caller::Caller;
use crate::http::error::{Error, Result};
use crate::store::Idempotency;
use crate::util::hash::hex_hash;

/// The longest key, in bytes.
pub(crate) const MAX_KEY_BYTES: usize = 255;

const NAME: &str = "Idempotency-Key";

/// Marks an answer that an earlier request was given already.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a request, if it has one: 1–255 visible ASCII characters.
pub(crate) struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The key, which is this caller's alone, together with all that the answer depends on.
    pub(crate) fn of(self, by: &Caller, uri: &Uri, body: &[u8]) -> Option<Idempotency> {
        let key = by.owned(&self.0?);
        let query = uri.query().unwrap_or_default();
        let fingerprint = hex_hash::<16>(&[uri.path().as_bytes(), query.as_bytes(), body]);
        Some(Idempotency { key, fingerprint })
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let mut values = parts.headers.get_all(NAME).iter();
        let Some(value) = values.next() else {
            return Ok(Self(None));
        };
        let key = value.as_bytes();
        let is_valid = (1..=MAX_KEY_BYTES).contains(&key.len())
            && key.iter().all(u8::is_ascii_graphic)
            && values.next().is_none();
        if !is_valid {
            return Err(Error::InvalidRequest(format!(
                "{NAME} must be there once, with 1 to 255 visible ASCII characters."
            )));
        }
        Ok(Self(Some(key.iter().copied().map(char::from).collect())))
    }
}

/// The header that tells a replayed answer.
pub(crate) fn replayed(is_replayed: bool) -> Option<[(HeaderName, HeaderValue); 1]> {
    is_replayed.then(|| [(REPLAYED, HeaderValue::from_static("true"))])
}

/// What a request answers whose key was used for another one.
pub(crate) fn key_reused() -> Error {
    Error::field(NAME, "was used before, for another request")
}
