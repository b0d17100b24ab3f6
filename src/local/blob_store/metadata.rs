//! The metadata of a blob that is being written, and the precondition of the write.

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::blob::Blob;
use super::error::BlobApiError;
use super::headers::text;
use super::limits::MAX_PUT_BYTES;
use super::pathname::Pathname;
use crate::blob::BlobAccess;
use crate::util::etag::strong;

/// Precondition of writing or deleting a blob.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Condition {
    pub(super) allow_overwrite: bool,
    pub(super) if_match: Option<String>,
}

impl Condition {
    /// Reads the precondition of a deletion.
    pub(super) fn if_match(headers: &HeaderMap) -> Result<Self, BlobApiError> {
        Ok(Self {
            allow_overwrite: true,
            if_match: text(headers, "x-if-match")?.map(ToOwned::to_owned),
        })
    }

    /// Checks the precondition against the current blob.
    pub(super) fn check(&self, present: Option<&Blob>) -> Result<(), BlobApiError> {
        if let Some(wanted) = &self.if_match {
            let matches = present.is_some_and(|blob| strong(&blob.etag) == strong(wanted));
            if !matches {
                return Err(BlobApiError::PreconditionFailed);
            }
        }
        match present {
            Some(_) if !self.allow_overwrite => Err(BlobApiError::Exists),
            _ => Ok(()),
        }
    }
}

/// Metadata of a blob that is being written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct BlobMetadata {
    pub(super) pathname: Pathname,
    pub(super) access: BlobAccess,
    pub(super) content_type: String,
    pub(super) cache_max_age: u64,
    pub(super) condition: Condition,
    /// Maximum size of the content, if the client token limits it.
    #[serde(rename = "maximum")]
    pub(super) max_bytes: Option<u64>,
}

impl BlobMetadata {
    /// Returns the maximum size of a request body.
    pub(super) fn body_limit(&self) -> u64 {
        self.max_bytes.unwrap_or(MAX_PUT_BYTES).min(MAX_PUT_BYTES)
    }
}
