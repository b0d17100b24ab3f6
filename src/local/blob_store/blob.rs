//! One blob in one file: its content, then what is known of it, so that neither is ever without the other.
//!
//! The file ends with the properties as JSON, their length in four bytes (big-endian), and eight bytes that
//! tell such a file from others. It is complete before it gets its name, and is never changed after that.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::pathname::Pathname;
use crate::blob::BlobAccess;

const MAGIC: &[u8; 8] = b"llmosbl1";
const FOOTER_BYTES: usize = 4 + MAGIC.len();
/// Far more than the properties can need.
const MAX_PROPERTIES_BYTES: u32 = 64 * 1024;

/// What is known of a blob besides its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Blob {
    pub(super) pathname: Pathname,
    pub(super) access: BlobAccess,
    pub(super) content_type: String,
    /// How long caches may keep it, in seconds.
    pub(super) cache_max_age: u64,
    pub(super) uploaded_at: DateTime<Utc>,
    /// With its quotes.
    pub(super) etag: String,
    pub(super) size: u64,
}

impl Blob {
    /// Ends the blob's file, whose content is written.
    pub(super) fn write_to(&self, file: &mut File) -> io::Result<()> {
        let mut footer = serde_json::to_vec(self)?;
        let length = u32::try_from(footer.len()).map_err(io::Error::other)?;
        footer.extend_from_slice(&length.to_be_bytes());
        footer.extend_from_slice(MAGIC);
        file.write_all(&footer)
    }

    /// Reads what is known of the blob in a file, and leaves the file at the beginning of its content.
    pub(super) fn read_from(file: &mut File) -> io::Result<Self> {
        let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let length = file.metadata()?.len();
        let mut footer = [0; FOOTER_BYTES];
        let footer_start = length
            .checked_sub(FOOTER_BYTES as u64)
            .ok_or_else(|| broken("the file is too short for a blob's"))?;
        file.seek(SeekFrom::Start(footer_start))?;
        file.read_exact(&mut footer)?;
        let [a, b, c, d, magic @ ..] = footer;
        let properties = u32::from_be_bytes([a, b, c, d]);
        if magic != *MAGIC || properties > MAX_PROPERTIES_BYTES {
            return Err(broken("the file is not a blob's"));
        }
        let start = footer_start
            .checked_sub(properties.into())
            .ok_or_else(|| broken("the file is not a blob's"))?;
        let mut text = vec![0; properties as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut text)?;
        let blob: Self = serde_json::from_slice(&text)?;
        if blob.size != start {
            return Err(broken("the content has another length than it should"));
        }
        file.rewind()?;
        Ok(blob)
    }

    /// `Cache-Control`.
    pub(super) fn cache_control(&self) -> String {
        format!("{}, max-age={}", self.access.as_str(), self.cache_max_age)
    }

    /// `Content-Disposition`: what browsers show without running it, they may show.
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

    /// When it was written, as the protocol writes it.
    pub(super) fn uploaded_at(&self) -> String {
        self.uploaded_at
            .to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// `Last-Modified`.
    pub(super) fn last_modified(&self) -> String {
        self.uploaded_at
            .format("%a, %d %b %Y %H:%M:%S GMT")
            .to_string()
    }
}

/// The parameters of RFC 6266: one that all understand, and one that is exact where they differ.
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
