//! The service's headers and bodies (`@vercel/blob` 2.8.0, API version 12).

use reqwest::header::HeaderName;
use serde::Deserialize;

/// The version of the API that is spoken.
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

/// What the service tells of a blob. A put and a copy tell neither its size nor when it was uploaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blob {
    /// Its pathname.
    pub pathname: String,
    /// Its entity tag, without quotes. Empty where the service does not tell.
    #[serde(default, deserialize_with = "version")]
    pub etag: String,
    /// Its content type. A list does not tell.
    #[serde(default)]
    pub content_type: Option<String>,
    /// How many bytes it has.
    #[serde(default)]
    pub size: u64,
    /// When it was last written, RFC 3339.
    #[serde(default)]
    pub uploaded_at: Option<String>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The blobs.
    pub blobs: Vec<Blob>,
    /// The prefixes of what a folded list leaves out, each with a `/` at its end.
    #[serde(default)]
    pub folders: Vec<String>,
    /// Where the next page begins; `None` after the last.
    #[serde(default)]
    pub cursor: Option<String>,
    has_more: bool,
}

impl Page {
    /// Without a cursor that leads nowhere, so that a list always comes to its end.
    pub(super) fn checked(mut self) -> Self {
        self.cursor = self
            .cursor
            .filter(|cursor| self.has_more && !cursor.is_empty());
        self
    }
}

/// An error as the service writes it.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: ErrorDetail,
}

/// What the service says of an error.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorDetail {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

/// An entity tag as a header has it.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// An entity tag without quotes, and without the `W/` that a cache adds when it compresses.
pub(super) fn unquoted(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}

fn version<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let etag = Option::<String>::deserialize(deserializer)?;
    Ok(unquoted(&etag.unwrap_or_default()).to_owned())
}
