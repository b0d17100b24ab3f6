//! Files as every route returns them, without their contents.

use serde::Serialize;

use crate::blob::Blob;
use crate::domain::file_path::path_warning;
use crate::domain::volume::{Volume, VolumeKind};

/// The properties of a file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct File {
    pub(crate) path: String,
    volume: VolumeKind,
    volume_id: String,
    pub(crate) size_bytes: u64,
    /// The media type. Missing in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub(crate) content_type: Option<String>,
    pub(crate) etag: String,
    #[schema(required, format = DateTime)]
    pub(crate) updated_at: Option<String>,
    /// Why this service would not store the file under this path. Missing if it would.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    warning: Option<String>,
}

impl File {
    pub(super) fn new(volume: &Volume, path: &str, blob: Blob) -> Self {
        Self {
            path: path.to_owned(),
            volume: volume.kind,
            volume_id: volume.id.as_str().to_owned(),
            size_bytes: blob.size,
            content_type: blob.content_type,
            etag: blob.etag,
            updated_at: blob.uploaded_at,
            warning: path_warning(path),
        }
    }
}
