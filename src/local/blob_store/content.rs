//! The content host: `GET` and `HEAD` of blobs, with ranges and preconditions.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED,
    RANGE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::blob::Blob;
use super::caller::is_owner;
use super::disk::blocking;
use super::error::BlobApiError;
use super::extract::QueryParams;
use super::pathname::{CONTENT_PATH, Pathname};
use super::store::BlobStore;
use crate::blob::BlobAccess;
use crate::util::etag::{split_list, strong};

/// Buffer size of reads.
const CHUNK_BYTES: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct ContentQuery {
    download: Option<String>,
}

/// `GET` and `HEAD /content/{pathname}`.
pub(super) async fn read(
    State(store): State<BlobStore>,
    QueryParams(query): QueryParams<ContentQuery>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, BlobApiError> {
    let path = uri.path().strip_prefix(CONTENT_PATH).unwrap_or_default();
    let pathname = Pathname::from_url_path(path).ok_or(BlobApiError::NotFound)?;
    let (blob, file) = store.open_blob(&pathname).await?;
    if blob.access == BlobAccess::Private && !is_owner(&headers, &store) {
        return Err(BlobApiError::Forbidden);
    }
    let head = head(&blob, query.download.as_deref() == Some("1"));
    if contains_etag(&headers, &IF_MATCH, &blob.etag) == Some(false) {
        return Err(BlobApiError::PreconditionFailed);
    }
    if contains_etag(&headers, &IF_NONE_MATCH, &blob.etag) == Some(true) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let Some((first, last)) = range(&headers, &blob)? else {
        let length = [(CONTENT_LENGTH, blob.size.to_string())];
        return Ok((head, length, stream(file, 0, blob.size).await?).into_response());
    };
    let length = last - first + 1;
    let part = [
        (CONTENT_LENGTH, length.to_string()),
        (CONTENT_RANGE, format!("bytes {first}-{last}/{}", blob.size)),
    ];
    let body = stream(file, first, length).await?;
    Ok((StatusCode::PARTIAL_CONTENT, head, part, body).into_response())
}

/// Returns the headers of every response with or about a blob.
fn head(blob: &Blob, is_download: bool) -> [(HeaderName, String); 8] {
    [
        (ETAG, blob.etag.clone()),
        (CONTENT_TYPE, blob.content_type.clone()),
        (CONTENT_DISPOSITION, blob.content_disposition(is_download)),
        (CACHE_CONTROL, blob.cache_control()),
        (LAST_MODIFIED, blob.last_modified()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        // Vercel's host sends it with double quotes.
        (CONTENT_SECURITY_POLICY, "default-src \"none\"".to_owned()),
    ]
}

/// Returns whether the entity tags of a header contain `etag`; `None` if the header is missing.
fn contains_etag(headers: &HeaderMap, name: &HeaderName, etag: &str) -> Option<bool> {
    let mut lists = headers.get_all(name).iter().peekable();
    lists.peek()?;
    let mut tags = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(split_list);
    Some(tags.any(|tag| tag == "*" || strong(tag) == strong(etag)))
}

/// Returns the first and the last requested byte; `None` for the whole blob. Invalid and multiple ranges are ignored,
/// as RFC 9110, section 14.2 allows.
fn range(headers: &HeaderMap, blob: &Blob) -> Result<Option<(u64, u64)>, BlobApiError> {
    let Some(value) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else {
        return Ok(None);
    };
    let is_of_another_version = headers
        .get(IF_RANGE)
        .is_some_and(|tag| tag.as_bytes() != blob.etag.as_bytes());
    let Ok(ranges) = http_range_header::parse_range_header(value) else {
        return Ok(None);
    };
    if is_of_another_version || ranges.ranges.len() != 1 {
        return Ok(None);
    }
    // The library accepts a range of an empty blob.
    if blob.size == 0 {
        return Err(BlobApiError::RangeNotSatisfiable(0));
    }
    let ranges = ranges
        .validate(blob.size)
        .map_err(|_| BlobApiError::RangeNotSatisfiable(blob.size))?;
    Ok(ranges.first().map(|range| (*range.start(), *range.end())))
}

async fn stream(mut file: File, first: u64, length: u64) -> Result<Body, BlobApiError> {
    let file = blocking(move || {
        file.seek(SeekFrom::Start(first))?;
        Ok(file)
    });
    let content = tokio::fs::File::from_std(file.await?).take(length);
    Ok(Body::from_stream(ReaderStream::with_capacity(
        content,
        CHUNK_BYTES,
    )))
}
