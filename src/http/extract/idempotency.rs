//! The `Idempotency-Key` header: a repeated request with the same key takes effect once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Uri};
use serde_json::json;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::domain::caller::Caller;
use crate::http::error::{Error, Result};
use crate::http::schema::parameters::in_header;
use crate::store::Idempotency;
use crate::util::hash::sha256_hex;
use crate::util::schema::schema;

/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;

const NAME: &str = "Idempotency-Key";

/// Marks the response to a repeated request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a request, if it has one: 1–255 visible ASCII characters.
pub(crate) struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// Returns whether the request has a key.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the key, bound to the caller, and a fingerprint of everything that the response depends on.
    pub(crate) fn bind(self, caller: &Caller, uri: &Uri, body: &[u8]) -> Option<Idempotency> {
        let key = caller.scoped_key(&self.0?);
        let query = uri.query().unwrap_or_default();
        let fingerprint = sha256_hex::<16>(&[uri.path().as_bytes(), query.as_bytes(), body]);
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
                "{NAME} must appear once and have 1–{MAX_KEY_BYTES} visible ASCII characters."
            )));
        }
        Ok(Self(Some(key.iter().copied().map(char::from).collect())))
    }
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let key =
            schema(json!({"type": "string", "pattern": format!("^[!-~]{{1,{MAX_KEY_BYTES}}}$")}));
        let text = "1–255 visible ASCII characters, unique per operation. A repeated request with the same key takes \
            effect once, for 24 hours.";
        in_header(NAME, key, text)
    }
}

/// Returns the header that marks the response to a repeated request.
pub(crate) fn replayed(is_replayed: bool) -> Option<[(HeaderName, HeaderValue); 1]> {
    is_replayed.then(|| [(REPLAYED, HeaderValue::from_static("true"))])
}
