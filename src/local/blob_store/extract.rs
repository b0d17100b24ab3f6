//! Extractors for the query of a request, and for the addresses of blobs in its response.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::header::{HOST, USER_AGENT};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use serde::de::DeserializeOwned;

use super::blob::Blob;
use super::error::BlobApiError;
use super::headers::text;
use super::store::BlobStore;
use crate::blob::store_id;

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

/// The start of the `User-Agent` of Vercel's Python SDK.
const PYTHON_SDK: &str = "python-httpx";

/// Extractor for the addresses of blobs in the response.
#[derive(Clone, Debug)]
pub(super) enum Base {
    /// Below the base URL that the caller used, such as `http://127.0.0.1:3000`.
    Local(String),
    /// On Vercel's content host of the store with this id. The Python SDK rejects every other address before it sends a
    /// request.
    Official(String),
}

impl Base {
    /// Returns the address of a blob.
    pub(super) fn url(&self, blob: &Blob) -> String {
        match self {
            Self::Local(base) => blob.pathname.url(base),
            Self::Official(store) => blob.pathname.official_url(store, blob.access),
        }
    }
}

impl FromRequestParts<BlobStore> for Base {
    type Rejection = BlobApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        store: &BlobStore,
    ) -> Result<Self, BlobApiError> {
        let headers = &parts.headers;
        let agent = text(headers, USER_AGENT.as_str())?;
        if agent.is_some_and(|agent| agent.starts_with(PYTHON_SDK))
            && headers.contains_key("x-api-version")
            && let Some(store) = store_id(store.token())
        {
            return Ok(Self::Official(store.to_ascii_lowercase()));
        }
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
        Ok(Self::Local(format!("{scheme}://{authority}")))
    }
}
