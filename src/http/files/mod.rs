//! `/api/files/{path}`: put and delete the files of a volume.

pub(super) mod get;
pub(super) mod link;
pub(super) mod list;
pub(super) mod response;
pub(super) mod upload;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestExt};
use serde::Serialize;

use super::error::{Error, Result};
use super::extract::auth::RateLimited;
use super::extract::body::read_body;
use super::extract::etag::{IfMatch, IfNoneMatch, IfNoneMatchStar, entity_tag};
use super::extract::headers::{MAX_BODY_BYTES, content_length};
use super::extract::idempotency::{IdempotencyKey, replayed};
use super::extract::path::{FilePathParam, StoredPathParam};
use super::extract::query::QueryParams;
use super::extract::volume::VolumeQuery;
use super::routes::routes;
use super::schema::responses::{BadBody, BadQuery, FileContent, NotFound, PreconditionFailed};
use crate::app::App;
use crate::blob::PutBody;
use crate::service::files::{ExpectedFile, File, NewFile, PutPrecondition};
use crate::service::volume::writable;
use crate::util::media_type::{is_client_default, is_media_type};

routes! {
    [list::list_files],
    // Files may have the paths `upload` and `link`.
    [get::get_file, get::head_file, put_file, delete_file] at "/api/files/upload" at "/api/files/link",
    [upload::handle_upload],
    [link::link_file],
}

/// Stores a file of up to 4 MB.
///
/// The body may have any type. Its `Content-Type` is kept. If it is missing, or is
/// `application/x-www-form-urlencoded`, the default of clients, it is derived from the path. `If-Match` replaces
/// only that version; `If-None-Match: *` only creates. With an `Idempotency-Key`, a request whose precondition fails
/// succeeds if the file already has the contents and type of the request.
#[utoipa::path(
    put, path = "/api/files/{*path}", tag = "files", params(FilePathParam, VolumeQuery, IfMatch, IfNoneMatchStar, IdempotencyKey),
    request_body(content = inline(FileContent), content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "The file is stored.", body = File, headers(("ETag"), ("Idempotency-Replayed"))),
        (status = 201, description = "The file is created: with `If-None-Match: *`.", body = File, headers(("ETag"), ("Idempotency-Replayed"))),
        BadBody, PreconditionFailed
    )
)]
async fn put_file(
    RateLimited(context): RateLimited,
    State(app): State<App>,
    FilePathParam(path): FilePathParam,
    QueryParams(volume): QueryParams<VolumeQuery>,
    if_match: IfMatch,
    if_none_match: IfNoneMatch,
    key: IdempotencyKey,
    request: Request,
) -> Result<Response> {
    let volume = volume.selection()?;
    // A volume that the caller may not write to is reported before invalid headers.
    writable(&context.caller, volume.clone())?;
    let precondition = put_precondition(&if_match, &if_none_match)?;
    let status = status_of_put(&precondition);
    let is_repeatable = key.is_given() && !matches!(precondition, PutPrecondition::None);
    let new = NewFile {
        content_type: content_type(request.headers())?,
        body: body_of(request, is_repeatable).await?,
        precondition,
        is_repeatable,
    };
    let put = app.files(&context).put(volume, &path, new).await?;
    let etag = [(header::ETAG, entity_tag(&put.value.etag))];
    Ok((status, etag, replayed(put.is_replayed), Json(put.value)).into_response())
}

fn status_of_put(precondition: &PutPrecondition) -> StatusCode {
    match precondition {
        PutPrecondition::Missing => StatusCode::CREATED,
        PutPrecondition::None | PutPrecondition::Expected(_) => StatusCode::OK,
    }
}

fn put_precondition(if_match: &IfMatch, if_none_match: &IfNoneMatch) -> Result<PutPrecondition> {
    if if_none_match.is_given() && (!if_none_match.is_any() || if_match.is_given()) {
        let detail = "PUT supports If-None-Match only as `*`, and not together with If-Match.";
        return Err(Error::InvalidRequest(detail.to_owned()));
    }
    if if_none_match.is_any() {
        return Ok(PutPrecondition::Missing);
    }
    Ok(expected_file(if_match).map_or(PutPrecondition::None, PutPrecondition::Expected))
}

/// Returns the state that `If-Match` requires; `None` if the header is missing.
fn expected_file(if_match: &IfMatch) -> Option<ExpectedFile> {
    let versions = if_match.versions().map(<[String]>::to_vec);
    let expected = versions.map_or(ExpectedFile::Any, ExpectedFile::OneOf);
    if_match.is_given().then_some(expected)
}

/// Returns the body, of at most [`MAX_BODY_BYTES`]: as a stream, or as a whole, so that it can be compared with the stored
/// file.
async fn body_of(request: Request, is_whole: bool) -> Result<PutBody> {
    let length = content_length(request.headers());
    if length.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(Error::PayloadTooLarge);
    }
    if is_whole {
        return Ok(PutBody::Bytes(read_body(request).await?));
    }
    Ok(PutBody::stream(request.into_limited_body(), length))
}

/// Returns the media type of the file, if the caller chose one.
fn content_type(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let media_type = content_type.to_str().ok();
    let media_type = media_type.filter(|text| is_media_type(text));
    let media_type = media_type.ok_or_else(|| {
        Error::field(
            "Content-Type",
            "must be a media type of at most 255 characters",
        )
    })?;
    Ok((!is_client_default(media_type)).then(|| media_type.to_owned()))
}

/// The confirmation of a deletion.
#[derive(Serialize, utoipa::ToSchema)]
struct DeletedFile {
    message: String,
}

/// Deletes a file.
///
/// With `If-Match`, only if it was not changed since.
#[utoipa::path(
    delete, path = "/api/files/{*path}", tag = "files", params(StoredPathParam, VolumeQuery, IfMatch),
    responses((status = 200, description = "The file is deleted.", body = DeletedFile), BadQuery, NotFound, PreconditionFailed)
)]
async fn delete_file(
    RateLimited(context): RateLimited,
    State(app): State<App>,
    StoredPathParam(path): StoredPathParam,
    QueryParams(volume): QueryParams<VolumeQuery>,
    if_match: IfMatch,
) -> Result<Json<DeletedFile>> {
    let expected = expected_file(&if_match);
    let files = app.files(&context);
    files
        .delete(volume.selection()?, &path, expected.as_ref())
        .await?;
    Ok(Json(DeletedFile {
        message: format!("File {path} deleted"),
    }))
}
