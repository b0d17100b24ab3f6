//! The response to a write, which the upload callback also contains.

use serde::Serialize;

use super::blob::Blob;
use super::extract::Base;
use super::pathname::Pathname;

/// The response to the write of a blob.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    url: String,
    download_url: String,
    pathname: Pathname,
    content_type: String,
    content_disposition: String,
    etag: String,
}

impl Written {
    /// Describes `blob` with its addresses for the caller.
    pub(super) fn new(blob: &Blob, base: &Base) -> Self {
        let url = base.url(blob);
        Self {
            download_url: format!("{url}?download=1"),
            url,
            pathname: blob.pathname.clone(),
            content_type: blob.content_type.clone(),
            content_disposition: blob.content_disposition(false),
            etag: blob.etag.clone(),
        }
    }
}
