//! The file of a blob: content and metadata together, so that neither exists without the other.
//!
//! The file contains the content, the metadata as JSON, the length of the metadata in four bytes (big-endian), and
//! eight magic bytes. It is complete before it gets its name, and is immutable after that.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::pathname::Pathname;
use crate::blob::BlobAccess;
use crate::util::time::http_date;

const MAGIC: &[u8; 8] = b"llmosbl1";
const FOOTER_BYTES: usize = 4 + MAGIC.len();
/// Maximum size of the metadata, far above its real size.
const MAX_METADATA_BYTES: u32 = 64 * 1024;

/// Metadata of a stored blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Blob {
    pub(super) pathname: Pathname,
    pub(super) access: BlobAccess,
    pub(super) content_type: String,
    /// Maximum age in caches, in seconds.
    pub(super) cache_max_age: u64,
    pub(super) uploaded_at: DateTime<Utc>,
    /// Entity tag, with quotes.
    pub(super) etag: String,
    pub(super) size: u64,
}

impl Blob {
    /// Appends the metadata to a file that contains the content.
    pub(super) fn write_to(&self, file: &mut File) -> io::Result<()> {
        let mut footer = serde_json::to_vec(self)?;
        let length = u32::try_from(footer.len()).map_err(io::Error::other)?;
        footer.extend_from_slice(&length.to_be_bytes());
        footer.extend_from_slice(MAGIC);
        file.write_all(&footer)
    }

    /// Reads the metadata of a blob file and rewinds the file to the start of the content.
    pub(super) fn read_from(file: &mut File) -> io::Result<Self> {
        let broken = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
        let length = file.metadata()?.len();
        let mut footer = [0; FOOTER_BYTES];
        let footer_start = length
            .checked_sub(FOOTER_BYTES as u64)
            .ok_or_else(|| broken("the file is too short"))?;
        file.seek(SeekFrom::Start(footer_start))?;
        file.read_exact(&mut footer)?;
        let [a, b, c, d, magic @ ..] = footer;
        let metadata_length = u32::from_be_bytes([a, b, c, d]);
        if magic != *MAGIC || metadata_length > MAX_METADATA_BYTES {
            return Err(broken("the file is not a blob file"));
        }
        let start = footer_start
            .checked_sub(metadata_length.into())
            .ok_or_else(|| broken("the file is not a blob file"))?;
        let mut text = vec![0; metadata_length as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut text)?;
        let blob: Self = serde_json::from_slice(&text)?;
        if blob.size != start {
            return Err(broken("the content length differs from the metadata"));
        }
        file.rewind()?;
        Ok(blob)
    }

    /// Returns the value of `Cache-Control`.
    pub(super) fn cache_control(&self) -> String {
        format!("{}, max-age={}", self.access.as_str(), self.cache_max_age)
    }

    /// Returns the value of `Content-Disposition`: `inline` for types that browsers display without executing them.
    pub(super) fn content_disposition(&self, is_download: bool) -> String {
        let essence = self.content_type.split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        let is_shown = [
            "text/plain",
            "text/xml",
            "application/json",
            "application/pdf",
        ]
        .contains(&essence.as_str())
            || ["image/", "audio/", "video/"]
                .iter()
                .any(|kind| essence.starts_with(kind));
        let kind = if is_shown && !is_download {
            "inline"
        } else {
            "attachment"
        };
        format!("{kind}; {}", file_name_parameters(self.pathname.name()))
    }

    /// Returns the time of the upload in the format of the API.
    pub(super) fn uploaded_at(&self) -> String {
        self.uploaded_at
            .to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Returns the value of `Last-Modified`.
    pub(super) fn last_modified(&self) -> String {
        http_date(self.uploaded_at)
    }
}

/// Returns the file name parameters of RFC 6266: an ASCII `filename`, and `filename*` if the name is not ASCII.
fn file_name_parameters(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            }
        })
        .collect();
    let quoted = plain.replace('\\', "\\\\").replace('"', "\\\"");
    if plain == name {
        return format!("filename=\"{quoted}\"");
    }
    let exact = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("filename=\"{quoted}\"; filename*=UTF-8''{exact}")
}
