//! What else a request says: its query, and the address it was sent to.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use serde::de::DeserializeOwned;

use super::error::Refusal;
use super::options::text;
use super::store::BlobStore;

/// The query of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueryParams<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<BlobStore> for QueryParams<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &BlobStore) -> Result<Self, Refusal> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(Refusal::BadRequest(rejection.body_text())),
        }
    }
}

/// The address that the caller reached us by, such as `http://127.0.0.1:3000`: answers name blobs below it.
#[derive(Clone, Debug)]
pub(super) struct Base(pub(super) String);

impl FromRequestParts<BlobStore> for Base {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &BlobStore) -> Result<Self, Refusal> {
        let headers = &parts.headers;
        let scheme = match text(headers, "x-forwarded-proto")? {
            Some("https") => "https",
            _ => "http",
        };
        let host = match text(headers, "x-forwarded-host")? {
            Some(host) => Some(host),
            None => text(headers, HOST.as_str())?,
        };
        let authority = match host {
            Some(host) => host.parse().ok(),
            None => Uri::authority(&parts.uri).cloned(),
        };
        let authority: Authority =
            authority.ok_or_else(|| Refusal::bad_request("Host names no host"))?;
        Ok(Self(format!("{scheme}://{authority}")))
    }
}
