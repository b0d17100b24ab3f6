//! `GET` and `HEAD /api/files/{path}`: a file, a part of it, or its properties.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;
use chrono::DateTime;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{RefOr, Schema};

use super::link::{LinkQuery, ReadableFile};
use super::response::{content_response, head_response, not_modified};
use crate::app::App;
use crate::blob::{ContentRequest, Fetched};
use crate::http::error::{Error, Result};
use crate::http::extract::etag::IfNoneMatch;
use crate::http::extract::path::StoredPathParam;
use crate::http::extract::query::{And, QueryParams, flag};
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::parameters;
use crate::http::schema::responses::{
    BadQuery, FileContent, NotFound, NotModified, RangeNotSatisfiable,
};
use crate::service::error::Resource;

/// The `Range` header.
enum Range {}

impl IntoParams for Range {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        parameters::in_header(
            "Range",
            parameters::text(),
            "The requested part, such as `bytes=4-7`.",
        )
    }
}

/// The `If-Range` header.
enum IfRange {}

impl IntoParams for IfRange {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The entity tag that `Range` applies to. If the file has another one, the whole file is returned.";
        parameters::in_header("If-Range", parameters::text(), text)
    }
}

/// The `If-Modified-Since` header.
enum IfModifiedSince {}

impl IntoParams for IfModifiedSince {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The time of the version that the client has. If the file was not stored since, the response is 304. \
            Ignored together with `If-None-Match`.";
        parameters::in_header("If-Modified-Since", parameters::text(), text)
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GetQuery {
    /// `1` or `true`: browsers save the file instead of showing it.
    #[param(schema_with = download, required = false)]
    download: Option<String>,
}

fn download() -> RefOr<Schema> {
    parameters::one_of(&["1", "true", "0", "false"])
}

impl GetQuery {
    fn is_download(&self) -> Result<bool> {
        match self.download.as_deref().unwrap_or_default() {
            "1" => Ok(true),
            "0" => Ok(false),
            text => flag("download", Some(text)),
        }
    }
}

/// All parameters of a request for a file. [`ReadableFile`] applies those of the volume and of the link.
type FileQuery = And<GetQuery, And<VolumeQuery, LinkQuery>>;

/// Returns a file, or a part of it.
///
/// A link of `POST /api/files/link` needs no credentials. Types that a browser could execute are always downloads, and no
/// file can execute or load anything in this origin. Browsers may store a file, and validate it before each use; that of a
/// link is valid until the link expires.
#[utoipa::path(
    get, path = "/api/files/{*path}", tag = "files",
    security(("bearer" = []), ()),
    params(StoredPathParam, VolumeQuery, GetQuery, LinkQuery, IfNoneMatch, IfModifiedSince, Range, IfRange),
    responses(
        (
            status = 200, description = "The file.", body = inline(FileContent), content_type = "*/*",
            headers(
                ("ETag"), ("Last-Modified"), ("Accept-Ranges"), ("Content-Disposition"),
                ("Content-Security-Policy"), ("X-Content-Type-Options")
            )
        ),
        (
            status = 206, description = "The part of the file.", body = inline(FileContent), content_type = "*/*",
            headers(
                ("ETag"), ("Last-Modified"), ("Accept-Ranges"), ("Content-Range"), ("Content-Disposition"),
                ("Content-Security-Policy"), ("X-Content-Type-Options")
            )
        ),
        NotModified, BadQuery, NotFound, RangeNotSatisfiable
    )
)]
pub(super) async fn get_file(
    file: ReadableFile,
    State(app): State<App>,
    QueryParams(And(query, _)): QueryParams<FileQuery>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response> {
    let is_download = query.is_download()?;
    let request = ContentRequest {
        range: text(&headers, &header::RANGE),
        if_range: text(&headers, &header::IF_RANGE),
        if_none_match: known.header(),
    };
    let files = app.files(&file.context);
    let response = match files.get(file.volume, &file.path, &request).await? {
        Fetched::Missing => return Err(Error::not_found(Resource::File)),
        Fetched::NotModified(version) => not_modified(&version, file.cache),
        Fetched::OutOfRange(range) => return Err(Error::RangeNotSatisfiable(range)),
        Fetched::Found(content) if is_unmodified(&headers, content.uploaded_at.as_deref()) => {
            not_modified(&content.etag, file.cache)
        }
        Fetched::Found(content) => content_response(&file.path, *content, is_download, file.cache),
    };
    Ok(file.embedding.apply(response))
}

/// Returns the properties of a file.
///
/// The headers are those of a `GET` of the whole file.
#[utoipa::path(
    head, path = "/api/files/{*path}", tag = "files", security(("bearer" = []), ()),
    params(StoredPathParam, VolumeQuery, GetQuery, LinkQuery, IfNoneMatch, IfModifiedSince),
    responses(
        (
            status = 200, description = "The file exists.",
            headers(
                ("ETag"), ("Last-Modified"), ("Accept-Ranges"), ("Content-Length"), ("Content-Disposition"),
                ("Content-Security-Policy"), ("X-Content-Type-Options")
            )
        ),
        NotModified, BadQuery, NotFound
    )
)]
pub(super) async fn head_file(
    file: ReadableFile,
    State(app): State<App>,
    QueryParams(And(query, _)): QueryParams<FileQuery>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response> {
    let is_download = query.is_download()?;
    let files = app.files(&file.context);
    let properties = files.head(file.volume, &file.path).await?;
    let is_known =
        known.has(&properties.etag) || is_unmodified(&headers, properties.updated_at.as_deref());
    let response = if is_known {
        not_modified(&properties.etag, file.cache)
    } else {
        head_response(&properties, &file.path, is_download, file.cache)
    };
    Ok(file.embedding.apply(response))
}

/// Returns whether a file was not stored after `If-Modified-Since`. An invalid date is ignored, and the header next to
/// `If-None-Match` (RFC 9110, section 13.1.3).
fn is_unmodified(headers: &HeaderMap, updated_at: Option<&str>) -> bool {
    let since = text(headers, &header::IF_MODIFIED_SINCE)
        .filter(|_| !headers.contains_key(header::IF_NONE_MATCH))
        .and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
    let updated = updated_at.and_then(|time| DateTime::parse_from_rfc3339(time).ok());
    // The header has no fractions of a second.
    since
        .zip(updated)
        .is_some_and(|(since, updated)| updated.timestamp() <= since.timestamp())
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
