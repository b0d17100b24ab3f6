//! The parts of a multipart upload: a file each, named by number and entity tag.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::MIN_PART_BYTES;
use super::error::Refusal;

/// A part, as completing names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    etag: String,
    pub(super) part_number: u64,
}

/// A part that is on disk.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) number: u64,
    etag: String,
    pub(super) size: u64,
    pub(super) path: PathBuf,
}

/// The parts that are named, if they are there and none but the last is too small.
pub(super) fn choose<'a>(stored: &'a [Stored], named: &[Part]) -> Result<Vec<&'a Stored>, Refusal> {
    let find = |part: &Part| {
        let etag = part.etag.trim().trim_matches('"');
        let is_it = |other: &&Stored| other.number == part.part_number && other.etag == etag;
        stored.iter().find(is_it).ok_or_else(|| {
            Refusal::BadRequest(format!(
                "part {} was not uploaded with this etag",
                part.part_number
            ))
        })
    };
    let chosen = named.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    match chosen.split_last() {
        Some((_, others)) if others.iter().any(|part| part.size < MIN_PART_BYTES) => Err(
            Refusal::bad_request("each part but the last must have at least 5 MB"),
        ),
        _ => Ok(chosen),
    }
}

pub(super) fn file_name(number: u64, etag: &str) -> String {
    format!("{number}-{}", etag.trim_matches('"'))
}

pub(super) fn parts(directory: &Path) -> Result<Vec<Stored>, Refusal> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(directory).map_err(gone)? {
        let entry = entry?;
        let name = entry.file_name();
        let parsed = name.to_str().and_then(|name| name.split_once('-'));
        if let Some((number, etag)) = parsed
            && let Ok(number) = number.parse()
            && let Ok(metadata) = entry.metadata()
        {
            parts.push(Stored {
                number,
                etag: etag.to_owned(),
                size: metadata.len(),
                path: entry.path(),
            });
        }
    }
    Ok(parts)
}

/// What is missing below an upload's folder went with the upload.
pub(super) fn gone(error: io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound => Refusal::NoSuchUpload,
        _ => error.into(),
    }
}
