//! Responses with one file: its properties and contents, with headers that prevent it from executing in our origin.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::blob::Content;
use crate::domain::file_path::{StoredPath, is_forbidden};
use crate::http::extract::etag::entity_tag;
use crate::service::files::File;
use crate::util::media_type::{essence, is_media_type};
use crate::util::time::http_date;

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

/// How long a browser may use a file without a request. Shared caches never store one.
#[derive(Clone, Copy, Debug)]
pub(super) enum CachePolicy {
    /// Every use is validated: the caller may have lost access, and the file may have changed.
    Validate,
    /// The file is valid until its link expires, in seconds from now.
    Seconds(i64),
}

impl CachePolicy {
    fn header(self) -> String {
        match self {
            Self::Validate => "private, no-cache".to_owned(),
            Self::Seconds(seconds) => format!("private, max-age={seconds}"),
        }
    }
}

/// Returns the response to `HEAD`.
pub(super) fn head_response(
    file: &File,
    path: &StoredPath,
    download: bool,
    cache: CachePolicy,
) -> Response {
    let content_type = file.content_type.as_deref().unwrap_or(UNKNOWN);
    let mut headers = headers(path, content_type, &file.etag, download);
    add_validity(&mut headers, file.updated_at.as_deref(), cache);
    headers.insert(header::CONTENT_LENGTH, file.size_bytes.into());
    headers.into_response()
}

/// Returns the response to a caller that has the current version.
pub(super) fn not_modified(version: &str, cache: CachePolicy) -> Response {
    let headers = [
        (header::ETAG, entity_tag(version)),
        (header::CACHE_CONTROL, cache.header()),
    ];
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

/// Returns the response with the contents of a file, as a stream.
pub(super) fn content_response(
    path: &StoredPath,
    content: Content,
    download: bool,
    cache: CachePolicy,
) -> Response {
    let content_type = content.content_type.as_deref().unwrap_or(UNKNOWN);
    let mut headers = headers(path, content_type, &content.etag, download);
    add_validity(&mut headers, content.uploaded_at.as_deref(), cache);
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

fn add_validity(headers: &mut HeaderMap, updated_at: Option<&str>, cache: CachePolicy) {
    let modified = updated_at.and_then(|time| DateTime::parse_from_rfc3339(time).ok());
    if let Some(modified) = modified {
        insert(
            headers,
            header::LAST_MODIFIED,
            &http_date(modified.to_utc()),
        );
    }
    insert(headers, header::CACHE_CONTROL, &cache.header());
}

fn headers(path: &StoredPath, content_type: &str, etag: &str, download: bool) -> HeaderMap {
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
fn disposition(path: &StoredPath, content_type: &str, download: bool) -> String {
    let essence = essence(content_type).to_ascii_lowercase();
    let is_media = essence.starts_with("audio/") || essence.starts_with("video/");
    // Browsers use the last one of several types.
    let is_one_type = is_media_type(content_type) && !content_type.contains(',');
    let kind = if !download && is_one_type && (is_media || SHOWN.contains(&essence.as_str())) {
        "inline"
    } else {
        "attachment"
    };
    let visible = |character| {
        if is_forbidden(character) {
            '_'
        } else {
            character
        }
    };
    let name: String = path.file_name().chars().map(visible).collect();
    let plain = |character: char| match character {
        '"' | '\\' | '%' | '/' => '_',
        character if character.is_ascii_graphic() || character == ' ' => character,
        _ => '_',
    };
    let ascii: String = name.chars().map(plain).collect();
    let encoded = utf8_percent_encode(&name, ATTRIBUTE);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, content_type: &str, expected: &str) {
        let path = StoredPath::parse(path).unwrap();
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
        check(
            "a/x\u{202e}gpj.exe",
            "image/png",
            "inline; filename=\"x_gpj.exe\"; filename*=UTF-8''x_gpj.exe",
        );
        let path = StoredPath::parse("x.png").unwrap();
        assert!(disposition(&path, "image/png", true).starts_with("attachment; "));
    }
}
