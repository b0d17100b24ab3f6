//! `GET` and `HEAD /api/files/{path}`: a file, a part of it, or what is known of it.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::link::{Link, ReadableFile};
use super::response::{File, content_answer};
use crate::blob::{ContentRequest, Fetched, paths};
use crate::http::error::{Error, Result};
use crate::http::extract::etag::{IfNoneMatch, entity_tag};
use crate::http::extract::path::FileAt;
use crate::http::extract::query::Parameters;
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::parameters::Text;
use crate::http::schema::responses::{
    BadQuery, FileContent, IfRange, Missing, OutOfRange, Range, Unchanged,
};

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(get_file, head_file))]
pub(in crate::http) struct Described;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GetQuery {
    /// `1` or `true`: a browser is to save the file.
    #[param(value_type = Text, inline, required = false)]
    download: Option<String>,
}

impl GetQuery {
    fn is_download(&self) -> bool {
        matches!(self.download.as_deref(), Some("1" | "true"))
    }
}

/// Gets a file, or a part of it.
///
/// A link that `POST /api/files/link` made needs no credentials. What can run in a browser is always for saving, and no
/// file runs or loads anything in this origin.
#[utoipa::path(
    get, path = "/api/files/{path}", tag = "files",
    security(("bearer" = []), ()),
    params(FileAt, VolumeQuery, GetQuery, Link, IfNoneMatch, Range, IfRange),
    responses(
        (
            status = 200, description = "The file.", body = inline(FileContent), content_type = "*/*",
            headers(
                ("ETag"), ("Accept-Ranges"), ("Content-Disposition"), ("Content-Security-Policy"),
                ("X-Content-Type-Options")
            )
        ),
        (
            status = 206, description = "The part of the file.", body = inline(FileContent), content_type = "*/*",
            headers(
                ("ETag"), ("Accept-Ranges"), ("Content-Range"), ("Content-Disposition"),
                ("Content-Security-Policy"), ("X-Content-Type-Options")
            )
        ),
        Unchanged, BadQuery, Missing, OutOfRange
    )
)]
pub(super) async fn get_file(
    file: ReadableFile,
    Parameters(query): Parameters<GetQuery>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response> {
    let wanted = ContentRequest {
        range: text(&headers, &header::RANGE),
        if_range: text(&headers, &header::IF_RANGE),
        if_none_match: known.header(),
    };
    let pathname = paths::file(&file.volume, &file.path);
    match file.blobs.get(&pathname, &wanted).await? {
        Fetched::Missing => Err(Error::NO_SUCH_FILE),
        Fetched::NotModified(version) => {
            let tag = [(header::ETAG, entity_tag(&version))];
            Ok((StatusCode::NOT_MODIFIED, tag).into_response())
        }
        Fetched::OutOfRange(range) => Err(Error::RangeNotSatisfiable(range)),
        Fetched::Found(content) => Ok(content_answer(&file.path, *content, query.is_download())),
    }
}

/// Tells what is known of a file.
///
/// The headers are those of a `GET` of the whole file.
#[utoipa::path(
    head, path = "/api/files/{path}", tag = "files", security(("bearer" = []), ()),
    params(FileAt, VolumeQuery, GetQuery, Link, IfNoneMatch),
    responses(
        (
            status = 200, description = "The file is there.",
            headers(
                ("ETag"), ("Accept-Ranges"), ("Content-Length"), ("Content-Disposition"),
                ("Content-Security-Policy"), ("X-Content-Type-Options")
            )
        ),
        Unchanged, BadQuery, Missing
    )
)]
pub(super) async fn head_file(
    file: ReadableFile,
    Parameters(query): Parameters<GetQuery>,
    known: IfNoneMatch,
) -> Result<Response> {
    let ReadableFile {
        volume,
        path,
        blobs,
    } = file;
    let found = blobs.head(&paths::file(&volume, &path)).await?;
    let blob = found.ok_or(Error::NO_SUCH_FILE)?;
    if known.has(&blob.etag) {
        let tag = [(header::ETAG, entity_tag(&blob.etag))];
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok(File::new(&volume, path.as_str(), blob).head(&path, query.is_download()))
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
