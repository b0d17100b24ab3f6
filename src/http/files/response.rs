//! Responses with one file: its properties and contents, with headers that prevent it from executing in our origin.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::blob::Content;
use crate::domain::file_path::FilePath;
use crate::http::extract::etag::entity_tag;
use crate::service::files::File;
use crate::util::media_type::is_media_type;

/// The policy of every file: whatever its type, it cannot execute or load anything.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; sandbox";
/// The media type of files without one.
const UNKNOWN: &str = "application/octet-stream";
/// Types that browsers may show: none of them can contain a script. All others are downloads, also PDF, which browsers do
/// not show under this policy.
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
/// The characters that are percent-encoded in a `filename*` (RFC 8187, section 3.2.1).
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

/// Returns the response to `HEAD`.
pub(super) fn head_response(file: &File, path: &FilePath, download: bool) -> Response {
    let content_type = file.content_type.as_deref().unwrap_or(UNKNOWN);
    let mut headers = headers(path, content_type, &file.etag, download);
    headers.insert(header::CONTENT_LENGTH, file.size_bytes.into());
    headers.into_response()
}

/// Returns the response to a caller that has the current version.
pub(super) fn not_modified(version: &str) -> Response {
    let tag = [(header::ETAG, entity_tag(version))];
    (StatusCode::NOT_MODIFIED, tag).into_response()
}

/// Returns the response with the contents of a file, as a stream.
pub(super) fn content_response(path: &FilePath, content: Content, download: bool) -> Response {
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
    (status, headers, Body::new(content.into_body())).into_response()
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
    // Blob stores only values that were headers.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Returns whether browsers show or save the file, and under which name: its own (RFC 8187), and an ASCII form for older
/// clients. No name can terminate its parameter.
fn disposition(path: &FilePath, content_type: &str, download: bool) -> String {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let is_media = essence.starts_with("audio/") || essence.starts_with("video/");
    // Browsers use the last one of several types.
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
    fn executable_type_is_a_download_and_no_name_terminates_its_parameter() {
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
