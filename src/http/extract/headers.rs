//! Request headers that change the meaning of a request and that its route does not apply. They are rejected by name,
//! because a write that ignores one would do something else than the client asked for.
//!
//! `Prefer` (RFC 7240), `Range` on reads (RFC 9110, section 14.2) and all headers that are not listed here are optional
//! for a server, so they pass.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::http::error::{Error, Result};

/// The largest request body, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// A header, the requests that it is rejected on, and the remedy.
struct UnsupportedHeader {
    name: HeaderName,
    applies: fn(&Parts, &HeaderValue) -> bool,
    remedy: &'static str,
}

const METHOD_REMEDY: &str = "Send the request with this method itself.";

/// The headers, in the order in which they are reported.
const UNSUPPORTED: [UnsupportedHeader; 10] = [
    UnsupportedHeader {
        name: header::CONTENT_RANGE,
        applies: |parts, _| is_write(parts),
        remedy: "A part cannot be written: send the whole content without this header.",
    },
    UnsupportedHeader {
        name: header::RANGE,
        applies: |parts, _| is_write(parts),
        remedy: "A part cannot be changed: send the whole content without this header.",
    },
    UnsupportedHeader {
        name: HeaderName::from_static("upload-offset"),
        applies: |parts, _| is_write(parts),
        remedy: "Uploads cannot be resumed here: send the whole content without this header.",
    },
    UnsupportedHeader {
        name: header::IF_MATCH,
        applies: |parts, _| !applies_if_match(parts),
        remedy: "PUT, PATCH and DELETE of one resource support it, and appending messages.",
    },
    UnsupportedHeader {
        name: header::IF_NONE_MATCH,
        applies: |parts, _| is_write(parts) && !is_put_of_a_file(parts),
        remedy: "PUT of a file supports it as `*`; a POST that creates never replaces anything.",
    },
    UnsupportedHeader {
        name: header::IF_MODIFIED_SINCE,
        applies: |parts, _| is_write(parts),
        remedy: "Use If-Match with the ETag of the resource.",
    },
    UnsupportedHeader {
        name: header::IF_UNMODIFIED_SINCE,
        applies: |_, _| true,
        remedy: "Use If-Match with the ETag of the resource.",
    },
    UnsupportedHeader {
        name: HeaderName::from_static("x-http-method-override"),
        applies: overrides_method,
        remedy: METHOD_REMEDY,
    },
    UnsupportedHeader {
        name: HeaderName::from_static("x-http-method"),
        applies: overrides_method,
        remedy: METHOD_REMEDY,
    },
    UnsupportedHeader {
        name: HeaderName::from_static("x-method-override"),
        applies: overrides_method,
        remedy: METHOD_REMEDY,
    },
];

/// Rejects a request with a header that its route does not apply.
///
/// # Errors
/// Names the header and the remedy: 400, 415 for an encoded body, 417 and 413 for an `Expect` that cannot be met.
pub(crate) fn reject_unsupported_headers(parts: &Parts) -> Result<()> {
    check_expectation(&parts.headers)?;
    for header in &UNSUPPORTED {
        let mut values = parts.headers.get_all(&header.name).iter();
        if values.any(|value| (header.applies)(parts, value)) {
            let (name, remedy) = (title_case(&header.name), header.remedy);
            let detail = format!("{name} is not supported on this request. {remedy}");
            return Err(Error::InvalidRequest(detail));
        }
    }
    reject_unreadable_body(parts)
}

/// Rejects a request that waits for `100 Continue` before it sends a body that is too large, and one with another
/// expectation. The server sends `100 Continue` when it first reads the body, so this comes first.
///
/// # Errors
/// 413 and 417.
pub(super) fn check_expectation(headers: &HeaderMap) -> Result<()> {
    let values = headers.get_all(header::EXPECT).iter();
    let expectations = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut waits = false;
    for expectation in expectations.map(<[u8]>::trim_ascii) {
        if !expectation.eq_ignore_ascii_case(b"100-continue") {
            return Err(Error::ExpectationFailed);
        }
        waits = true;
    }
    match content_length(headers) {
        Some(length) if waits && length > MAX_BODY_BYTES as u64 => Err(Error::PayloadTooLarge),
        _ => Ok(()),
    }
}

/// Returns the length of the body, if the request states it.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Rejects a body that would be read as something else: an encoded one, and one with several media types.
fn reject_unreadable_body(parts: &Parts) -> Result<()> {
    if !has_body(&parts.method) {
        return Ok(());
    }
    let is_encoded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    let mut encodings = parts.headers.get_all(header::CONTENT_ENCODING).iter();
    if encodings.any(is_encoded) {
        return Err(Error::EncodedBody);
    }
    if parts.headers.get_all(header::CONTENT_TYPE).iter().count() > 1 {
        let detail = "Content-Type must appear once.";
        return Err(Error::InvalidRequest(detail.to_owned()));
    }
    Ok(())
}

fn is_write(parts: &Parts) -> bool {
    !parts.method.is_safe()
}

/// Returns whether handlers of this method read a body.
fn has_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

/// Returns whether the handler applies `If-Match`: every one of these methods does, and that of appending messages.
fn applies_if_match(parts: &Parts) -> bool {
    let path = parts.uri.path();
    let appends = parts.method == Method::POST
        && path.starts_with("/api/sessions/")
        && path.ends_with("/messages");
    appends || [Method::PUT, Method::PATCH, Method::DELETE].contains(&parts.method)
}

fn is_put_of_a_file(parts: &Parts) -> bool {
    parts.method == Method::PUT && parts.uri.path().starts_with("/api/files/")
}

fn overrides_method(parts: &Parts, value: &HeaderValue) -> bool {
    let method = parts.method.as_str().as_bytes();
    !value.as_bytes().trim_ascii().eq_ignore_ascii_case(method)
}

/// Returns a header's name as people write it: `If-Match`.
fn title_case(name: &HeaderName) -> String {
    let mut is_first = true;
    let letters = name.as_str().chars().map(|letter| {
        let letter = if is_first {
            letter.to_ascii_uppercase()
        } else {
            letter
        };
        is_first = letter == '-';
        letter
    });
    letters.collect()
}
