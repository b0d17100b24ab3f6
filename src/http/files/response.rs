//! What the routes of files answer: what is known of a file, and its bytes under headers that keep them from
//! running in our origin.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mime_guess::Mime;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::blob::{Blob, Content};
use crate::domain::file_path::FilePath;
use crate::domain::volume::{Volume, VolumeRef};
use crate::http::extract::etag::entity_tag;

/// What every file is sent with: whatever it says it is, it is not looked into, and cannot run or load anything.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; sandbox";
/// The longest content type, in bytes.
const MAX_MEDIA_TYPE_BYTES: usize = 255;
/// What a file is that nobody knows more of.
const UNKNOWN: &str = "application/octet-stream";
/// Kinds that browsers may show in place: none of them can hold a script. All else is for saving, PDF too, which
/// browsers do not show under this policy.
const SHOWN: [&str; 9] = [
    "application/json",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/csv",
    "text/markdown",
    "text/plain",
];
/// What stays as it is in a `filename*` (RFC 8187, section 3.2.1).
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Whether a text may be the content type of a file.
pub(super) fn is_media_type(text: &str) -> bool {
    text.len() <= MAX_MEDIA_TYPE_BYTES && text.parse::<Mime>().is_ok()
}

/// What is known of a file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct File {
    path: String,
    volume: Volume,
    volume_id: String,
    size_bytes: u64,
    /// Lists do not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    content_type: Option<String>,
    etag: String,
    #[schema(required, format = DateTime)]
    updated_at: Option<String>,
}

impl File {
    /// The file at `path` as its blob tells.
    pub(super) fn new(volume: &VolumeRef, path: &str, blob: Blob) -> Self {
        Self {
            path: path.to_owned(),
            volume: volume.volume,
            volume_id: volume.id.as_str().to_owned(),
            size_bytes: blob.size,
            content_type: blob.content_type,
            etag: blob.etag,
            updated_at: blob.uploaded_at,
        }
    }

    /// Its entity tag, as a header has it.
    pub(super) fn entity_tag(&self) -> String {
        entity_tag(&self.etag)
    }

    /// What a `HEAD` answers.
    pub(super) fn head(&self, path: &FilePath, download: bool) -> Response {
        let content_type = self.content_type.as_deref().unwrap_or(UNKNOWN);
        let mut headers = headers(path, content_type, &self.etag, download);
        headers.insert(header::CONTENT_LENGTH, self.size_bytes.into());
        headers.into_response()
    }
}

/// The bytes of a file, as they come.
pub(super) fn content_answer(path: &FilePath, content: Content, download: bool) -> Response {
    let content_type = content.content_type.as_deref().unwrap_or(UNKNOWN);
    let mut headers = headers(path, content_type, &content.etag, download);
    if let Some(length) = content.length {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    let status = match &content.range {
        Some(range) => {
            insert(&mut headers, header::CONTENT_RANGE, range);
            StatusCode::PARTIAL_CONTENT
        }
        None => StatusCode::OK,
    };
    (status, headers, content.into_body()).into_response()
}

fn headers(path: &FilePath, content_type: &str, etag: &str, download: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::ETAG, &entity_tag(etag)),
        (
            header::CONTENT_DISPOSITION,
            &disposition(path, content_type, download),
        ),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::ACCEPT_RANGES, "bytes"),
    ] {
        insert(&mut headers, name, value);
    }
    headers
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    // What cannot be a header does not come from a store.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Whether the file is shown or saved, and under which name: its own for those that read RFC 8187, one in plain
/// ASCII for the others. No name can end its field.
fn disposition(path: &FilePath, content_type: &str, download: bool) -> String {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let is_media = essence.starts_with("audio/") || essence.starts_with("video/");
    // Browsers take the last one of several types, whatever the first one is.
    let is_one_type = is_media_type(content_type) && !content_type.contains(',');
    let kind = if !download && is_one_type && (is_media || SHOWN.contains(&essence.as_str())) {
        "inline"
    } else {
        "attachment"
    };
    let name = path.file_name();
    let plain = |character: char| match character {
        '"' | '\\' | '%' | '/' => '_',
        character if character.is_ascii_graphic() || character == ' ' => character,
        _ => '_',
    };
    let ascii: String = name.chars().map(plain).collect();
    let encoded = utf8_percent_encode(name, ATTRIBUTE);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, content_type: &str, expected: &str) {
        let path = FilePath::parse(path).unwrap();
        assert_eq!(disposition(&path, content_type, false), expected);
    }

    #[test]
    fn what_can_run_is_saved_and_no_name_ends_its_field() {
        check(
            "a/b.png",
            "image/png",
            "inline; filename=\"b.png\"; filename*=UTF-8''b.png",
        );
        check(
            "x.txt",
            "Text/Plain; charset=utf-8",
            "inline; filename=\"x.txt\"; filename*=UTF-8''x.txt",
        );
        for content_type in [
            "text/html",
            "image/svg+xml",
            "text/xml",
            "application/xhtml+xml",
            "",
            "x",
        ] {
            check(
                "x",
                content_type,
                "attachment; filename=\"x\"; filename*=UTF-8''x",
            );
        }
        check(
            "a\"; filename=\"evil.exe",
            "text/html",
            "attachment; filename=\"a_; filename=_evil.exe\"; \
             filename*=UTF-8''a%22%3B%20filename%3D%22evil.exe",
        );
        check(
            "é.txt",
            "",
            "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt",
        );
        let path = FilePath::parse("x.png").unwrap();
        assert!(disposition(&path, "image/png", true).starts_with("attachment; "));
    }
}
