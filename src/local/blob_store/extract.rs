//! Extractors for the query and for the base URL of a request.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use serde::de::DeserializeOwned;

use super::error::BlobApiError;
use super::headers::text;
use super::store::BlobStore;

/// Extractor for the query of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueryParams<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<BlobStore> for QueryParams<T> {
    type Rejection = BlobApiError;

    async fn from_request_parts(parts: &mut Parts, _: &BlobStore) -> Result<Self, BlobApiError> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(BlobApiError::BadRequest(rejection.body_text())),
        }
    }
}

/// Extractor for the base URL that the caller used, such as `http://127.0.0.1:3000`. Blob URLs in responses start with
/// it.
#[derive(Clone, Debug)]
pub(super) struct Base(pub(super) String);

impl FromRequestParts<BlobStore> for Base {
    type Rejection = BlobApiError;

    async fn from_request_parts(parts: &mut Parts, _: &BlobStore) -> Result<Self, BlobApiError> {
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
            authority.ok_or_else(|| BlobApiError::bad_request("Host is missing or invalid"))?;
        Ok(Self(format!("{scheme}://{authority}")))
    }
}
