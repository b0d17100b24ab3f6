//! Headers and JSON bodies of the Blob API (`@vercel/blob` 2.8.0, API version 12).

use reqwest::header::HeaderName;
use serde::Deserialize;

use crate::util::etag::unquote;

/// The version of the API.
pub(super) const API_VERSION: &str = "12";

pub(super) const X_API_VERSION: HeaderName = HeaderName::from_static("x-api-version");
pub(super) const X_STORE_ID: HeaderName = HeaderName::from_static("x-vercel-blob-store-id");
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-api-blob-request-id");
pub(super) const X_ATTEMPT: HeaderName = HeaderName::from_static("x-api-blob-request-attempt");
pub(super) const X_ACCESS: HeaderName = HeaderName::from_static("x-vercel-blob-access");
pub(super) const X_CONTENT_TYPE: HeaderName = HeaderName::from_static("x-content-type");
pub(super) const X_ADD_RANDOM_SUFFIX: HeaderName = HeaderName::from_static("x-add-random-suffix");
pub(super) const X_ALLOW_OVERWRITE: HeaderName = HeaderName::from_static("x-allow-overwrite");
pub(super) const X_CACHE_CONTROL_MAX_AGE: HeaderName =
    HeaderName::from_static("x-cache-control-max-age");
pub(super) const X_IF_MATCH: HeaderName = HeaderName::from_static("x-if-match");

/// The metadata of a blob. The response to a put has neither the size nor the time.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blob {
    /// The pathname.
    pub pathname: String,
    /// The entity tag, without quotes; empty if the response has none.
    #[serde(default, deserialize_with = "etag")]
    pub etag: String,
    /// The content type; `None` in lists.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The size, in bytes.
    #[serde(default)]
    pub size: u64,
    /// The time of the last write, RFC 3339.
    #[serde(default)]
    pub uploaded_at: Option<String>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The blobs.
    pub blobs: Vec<Blob>,
    /// The folders of a folded list, each with a trailing `/`.
    #[serde(default)]
    pub folders: Vec<String>,
    /// The cursor of the next page; `None` on the last page.
    #[serde(default)]
    pub cursor: Option<String>,
    has_more: bool,
}

impl Page {
    /// Returns whether the page has neither blobs nor folders.
    pub fn is_empty(&self) -> bool {
        self.blobs.is_empty() && self.folders.is_empty()
    }

    /// Removes a cursor that leads to no further page, so that every listing ends.
    pub(super) fn without_stale_cursor(mut self) -> Self {
        self.cursor = self
            .cursor
            .filter(|cursor| self.has_more && !cursor.is_empty());
        self
    }
}

/// The body of an error response.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: ErrorDetail,
}

/// The code and the message of an error.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorDetail {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

fn etag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let etag = Option::<String>::deserialize(deserializer)?;
    Ok(unquote(&etag.unwrap_or_default()).to_owned())
}
