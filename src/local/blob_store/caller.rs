//! Authentication: the owner with the read-write token, or a client with a client token.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chrono::Utc;

use super::error::BlobApiError;
use super::store::BlobStore;
use crate::blob::client_token::{self, ClientTokenPayload};
use crate::util::bearer;
use crate::util::hash::sha256;

/// An authenticated caller.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    Owner,
    Client(Box<ClientTokenPayload>),
}

impl Caller {
    fn from_headers(headers: &HeaderMap, store: &BlobStore) -> Result<Self, BlobApiError> {
        let token = credential(headers).ok_or(BlobApiError::Forbidden)?;
        if !token.starts_with(client_token::PREFIX) {
            return match is_owner(headers, store) {
                true => Ok(Self::Owner),
                false => Err(BlobApiError::Forbidden),
            };
        }
        let payload = client_token::verify(token, store.token()).ok_or(BlobApiError::Forbidden)?;
        if payload.has_expired(Utc::now().timestamp_millis()) {
            return Err(BlobApiError::TokenExpired);
        }
        Ok(Self::Client(Box::new(payload)))
    }
}

impl FromRequestParts<BlobStore> for Caller {
    type Rejection = BlobApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        store: &BlobStore,
    ) -> Result<Self, BlobApiError> {
        Self::from_headers(&parts.headers, store)
    }
}

/// Extractor of routes that only the owner may call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner;

impl FromRequestParts<BlobStore> for Owner {
    type Rejection = BlobApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        store: &BlobStore,
    ) -> Result<Self, BlobApiError> {
        match Caller::from_headers(&parts.headers, store)? {
            Caller::Owner => Ok(Self),
            Caller::Client(_) => Err(BlobApiError::ClientTokenNotAllowed),
        }
    }
}

/// Returns whether the request has the read-write token. Hashes are compared, so that timing does not reveal the
/// token.
pub(super) fn is_owner(headers: &HeaderMap, store: &BlobStore) -> bool {
    let hash = |token: &str| sha256(token.as_bytes());
    credential(headers).is_some_and(|token| hash(token) == hash(store.token()))
}

fn credential(headers: &HeaderMap) -> Option<&str> {
    bearer::credential(headers.get(AUTHORIZATION)?.to_str().ok()?)
}
