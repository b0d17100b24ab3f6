//! Who calls: the owner of the store, or somebody with a client token.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use chrono::Utc;

use super::error::Refusal;
use super::store::BlobStore;
use crate::blob::client_token::{self, ClientTokenPayload};
use crate::util::bearer;
use crate::util::hash::sha256;

/// Whoever may write.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    Owner,
    Client(Box<ClientTokenPayload>),
}

impl Caller {
    fn from_headers(headers: &HeaderMap, store: &BlobStore) -> Result<Self, Refusal> {
        let token = credential(headers).ok_or(Refusal::Forbidden)?;
        if !token.starts_with(client_token::PREFIX) {
            return match is_owner(headers, store) {
                true => Ok(Self::Owner),
                false => Err(Refusal::Forbidden),
            };
        }
        let payload = client_token::verify(token, store.token()).ok_or(Refusal::Forbidden)?;
        if payload.has_expired(Utc::now().timestamp_millis()) {
            return Err(Refusal::TokenExpired);
        }
        Ok(Self::Client(Box::new(payload)))
    }
}

impl FromRequestParts<BlobStore> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, store: &BlobStore) -> Result<Self, Refusal> {
        Self::from_headers(&parts.headers, store)
    }
}

/// Proof that the owner calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner;

impl FromRequestParts<BlobStore> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, store: &BlobStore) -> Result<Self, Refusal> {
        match Caller::from_headers(&parts.headers, store)? {
            Caller::Owner => Ok(Self),
            Caller::Client(_) => Err(Refusal::ClientTokenNotAllowed),
        }
    }
}

/// Whether the read-write token came along. Hashes are compared, so the time tells nothing of the token.
pub(super) fn is_owner(headers: &HeaderMap, store: &BlobStore) -> bool {
    let hash = |token: &str| sha256(token.as_bytes());
    credential(headers).is_some_and(|token| hash(token) == hash(store.token()))
}

fn credential(headers: &HeaderMap) -> Option<&str> {
    bearer::credential(headers.get(AUTHORIZATION)?.to_str().ok()?)
}
