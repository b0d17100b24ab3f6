//! `/api/files/{path}`: put and delete the files of a volume.

pub(super) mod get;
pub(super) mod link;
pub(super) mod list;
pub(super) mod response;
pub(super) mod upload;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Json, RequestExt, Router};
use serde::Serialize;

use self::get::{get_file, head_file};
use self::response::{File, is_media_type};
use super::error::{Error, Result};
use super::extract::auth::RateLimited;
use super::extract::blobs::RequestBlobs;
use super::extract::etag::{IfMatch, IfNoneMatch};
use super::extract::path::FilePathParam;
use super::extract::query::QueryParams;
use super::extract::volume::VolumeQuery;
use super::schema::responses::{BadBody, BadQuery, FileContent, IfMissing, Missing, Stale};
use crate::app::App;
use crate::blob::{Blob, Blobs, Put, PutBody, PutOptions, WriteCondition, paths};
use crate::domain::file_path::FilePath;
use crate::domain::volume::Volume;
use crate::service::warnings::warn_of_head_after_put;
use crate::util::json;

/// How long caches may keep a file, in seconds: the least that Vercel takes. We read past them.
const CACHE_SECONDS: u32 = 60;

/// The routes of files.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/files", get(list::list_files))
        // There may be files of these names, too.
        .route("/api/files/upload", one_file().merge(upload::router()))
        .route("/api/files/link", one_file().merge(link::router()))
        .route("/api/files/{*path}", one_file())
}

fn one_file() -> MethodRouter<App> {
    get(get_file)
        .head(head_file)
        .put(put_file)
        .delete(delete_file)
}

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(put_file, delete_file))]
pub(in crate::http) struct Described;

/// Stores a file of up to 4 MB, as it comes.
///
/// The body may be of any type; its `Content-Type` is kept, and made of the path where there is none. `If-Match` stores
/// only over that state, `If-None-Match: *` only what is new.
#[utoipa::path(
    put, path = "/api/files/{path}", tag = "files", params(FilePathParam, VolumeQuery, IfMatch, IfMissing),
    request_body(content = inline(FileContent), content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "It is stored.", body = File, headers(("ETag"))),
        (status = 201, description = "It is stored, and new: with `If-None-Match: *`.", body = File, headers(("ETag"))),
        BadBody, Stale
    )
)]
async fn put_file(
    RateLimited(context): RateLimited,
    RequestBlobs(blobs): RequestBlobs,
    FilePathParam(path): FilePathParam,
    QueryParams(volume): QueryParams<VolumeQuery>,
    if_match: IfMatch,
    if_none_match: IfNoneMatch,
    request: Request,
) -> Result<Response> {
    let volume = volume.writable(&context.caller)?;
    let pathname = paths::file(&volume, &path);
    if !paths::fits(&pathname) {
        return Err(Error::field("path", "is too long for this volume_id"));
    }
    let condition = write_condition(&blobs, &volume, &path, &if_match, &if_none_match).await?;
    let status = match condition {
        WriteCondition::IfMissing => StatusCode::CREATED,
        WriteCondition::Always | WriteCondition::IfMatch(_) => StatusCode::OK,
    };
    let options = PutOptions {
        content_type: content_type(request.headers())?,
        cache_control_max_age: CACHE_SECONDS,
        condition,
    };
    match blobs.put(&pathname, body_of(request)?, &options).await? {
        Put::Done(stored) => {
            // A put tells neither size nor time. It is done, whether that can be asked or not.
            let head = blobs.head(&pathname).await;
            let head = head.inspect_err(warn_of_head_after_put).ok().flatten();
            let blob = head
                .filter(|head| head.etag == stored.etag)
                .unwrap_or(stored);
            let file = File::new(&volume, path.as_str(), blob);
            Ok((status, [(header::ETAG, file.entity_tag())], Json(file)).into_response())
        }
        Put::Refused => Err(stale(&volume, &path, blobs.head(&pathname).await?)),
    }
}

/// The one condition that the store is to look at, out of what the caller's headers say.
async fn write_condition(
    blobs: &Blobs,
    volume: &Volume,
    path: &FilePath,
    if_match: &IfMatch,
    if_none_match: &IfNoneMatch,
) -> Result<WriteCondition> {
    let is_understood = if_none_match.is_any() && !if_match.is_given();
    if if_none_match.is_given() && !is_understood {
        let message = "If-None-Match with PUT takes * only, and no If-Match.".to_owned();
        return Err(Error::InvalidRequest(message));
    }
    if if_none_match.is_any() {
        return Ok(WriteCondition::IfMissing);
    }
    if !if_match.is_given() {
        return Ok(WriteCondition::Always);
    }
    let found = blobs.head(&paths::file(volume, path)).await?;
    match found {
        Some(blob) if if_match.allows(&blob.etag) => Ok(WriteCondition::IfMatch(blob.etag)),
        found => Err(stale(volume, path, found)),
    }
}

/// The body as it comes, which may have 4 MB.
fn body_of(request: Request) -> Result<PutBody> {
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(Error::UnsupportedMediaType("the file itself"));
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > crate::http::service::MAX_BODY_BYTES as u64) {
        return Err(Error::PayloadTooLarge);
    }
    Ok(PutBody::Stream(request.into_limited_body(), length))
}

/// That a file is deleted.
#[derive(Serialize, utoipa::ToSchema)]
struct DeletedFile {
    message: String,
}

/// Deletes a file.
///
/// With `If-Match` only if nobody changed it since.
#[utoipa::path(
    delete, path = "/api/files/{path}", tag = "files", params(FilePathParam, VolumeQuery, IfMatch),
    responses((status = 200, description = "It is deleted.", body = DeletedFile), BadQuery, Missing, Stale)
)]
async fn delete_file(
    RateLimited(context): RateLimited,
    RequestBlobs(blobs): RequestBlobs,
    FilePathParam(path): FilePathParam,
    QueryParams(volume): QueryParams<VolumeQuery>,
    if_match: IfMatch,
) -> Result<Json<DeletedFile>> {
    let volume = volume.writable(&context.caller)?;
    let pathname = paths::file(&volume, &path);
    let blob = blobs.head(&pathname).await?.ok_or(Error::NO_SUCH_FILE)?;
    if !if_match.allows(&blob.etag) {
        return Err(stale(&volume, &path, Some(blob)));
    }
    let expected = if_match.is_given().then_some(blob.etag.as_str());
    if !blobs.delete(&[&pathname], expected).await? {
        // Where it is gone, it is by our own call, whose first answer was lost.
        if let Some(current) = blobs.head(&pathname).await? {
            return Err(stale(&volume, &path, Some(current)));
        }
    }
    Ok(Json(DeletedFile {
        message: format!("File {path} deleted"),
    }))
}

fn stale(volume: &Volume, path: &FilePath, current: Option<Blob>) -> Error {
    let current = current.map(|blob| File::new(volume, path.as_str(), blob));
    Error::PreconditionFailed {
        entity_tag: current.as_ref().map(File::entity_tag),
        current: json::raw(&current),
    }
}

/// What the caller says that the file is.
fn content_type(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let content_type = content_type
        .to_str()
        .ok()
        .filter(|text| is_media_type(text));
    content_type
        .map(|text| Some(text.to_owned()))
        .ok_or_else(|| {
            Error::field(
                "Content-Type",
                "must be a media type of at most 255 characters",
            )
        })
}
