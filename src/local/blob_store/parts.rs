//! The parts of a multipart upload: one file each, named by part number and entity tag.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::BlobApiError;
use super::limits::MIN_PART_BYTES;

/// A part in the list of a `complete` request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    etag: String,
    pub(super) part_number: u64,
}

/// A part on disk.
#[derive(Debug)]
pub(super) struct StoredPart {
    pub(super) number: u64,
    etag: String,
    pub(super) size: u64,
    pub(super) path: PathBuf,
}

/// Returns the listed parts; an error if one is missing, or one before the last is too small.
pub(super) fn choose<'a>(
    stored: &'a [StoredPart],
    listed: &[Part],
) -> Result<Vec<&'a StoredPart>, BlobApiError> {
    let find = |part: &Part| {
        let etag = part.etag.trim().trim_matches('"');
        let is_same = |other: &&StoredPart| other.number == part.part_number && other.etag == etag;
        stored.iter().find(is_same).ok_or_else(|| {
            BlobApiError::BadRequest(format!(
                "part {} with this etag was not uploaded",
                part.part_number
            ))
        })
    };
    let chosen = listed.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    match chosen.split_last() {
        Some((_, others)) if others.iter().any(|part| part.size < MIN_PART_BYTES) => Err(
            BlobApiError::bad_request("every part except the last must have at least 5 MB"),
        ),
        _ => Ok(chosen),
    }
}

/// Returns the file name of a part.
pub(super) fn file_name(number: u64, etag: &str) -> String {
    format!("{number}-{}", etag.trim_matches('"'))
}

/// Lists the stored parts of an upload.
pub(super) fn parts(directory: &Path) -> Result<Vec<StoredPart>, BlobApiError> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(directory).map_err(missing_upload)? {
        let entry = entry?;
        let name = entry.file_name();
        let parsed = name.to_str().and_then(|name| name.split_once('-'));
        if let Some((number, etag)) = parsed
            && let Ok(number) = number.parse()
            && let Ok(metadata) = entry.metadata()
        {
            parts.push(StoredPart {
                number,
                etag: etag.to_owned(),
                size: metadata.len(),
                path: entry.path(),
            });
        }
    }
    Ok(parts)
}

/// Maps a missing file to a missing upload: completion removes the folder with all parts.
pub(super) fn missing_upload(error: io::Error) -> BlobApiError {
    match error.kind() {
        io::ErrorKind::NotFound => BlobApiError::NoSuchUpload,
        _ => error.into(),
    }
}
