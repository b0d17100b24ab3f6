//! `GET /api/files`: the files of a volume, all or by folder.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::app::App;
use crate::blob::MAX_PAGE;
use crate::domain::file_path::MAX_PATH_BYTES;
use crate::http::error::Result;
use crate::http::extract::auth::RateLimited;
use crate::http::extract::page::{limit, page_limit};
use crate::http::extract::query::{And, QueryParams, flag};
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::parameters;
use crate::http::schema::responses::BadQuery;
use crate::service::files::{File, ListFiles};
use crate::service::volume::{VolumeSelection, readable};
use crate::util::schema::schema;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only files whose path begins with this text of at most 900 bytes.
    #[param(schema_with = prefix, required = false)]
    prefix: Option<String>,
    /// Whether to list folders up to the next `/` instead of their contents.
    #[param(schema_with = parameters::flag, required = false)]
    folded: Option<String>,
    /// The largest number of files and folders.
    #[param(schema_with = page_limit::<MAX_PAGE>, required = false)]
    limit: Option<String>,
    /// The `next_cursor` of the previous page.
    #[param(schema_with = parameters::cursor, required = false)]
    cursor: Option<String>,
}

fn prefix() -> RefOr<Schema> {
    schema(json!({"type": "string", "maxLength": MAX_PATH_BYTES}))
}

impl ListQuery {
    fn parse(self, volume: Option<VolumeSelection>) -> Result<ListFiles> {
        Ok(ListFiles {
            volume,
            limit: limit("limit", self.limit.as_deref(), 1..=MAX_PAGE)?,
            folded: flag("folded", self.folded.as_deref())?,
            prefix: self.prefix.unwrap_or_default(),
            cursor: self.cursor,
        })
    }
}

/// A page of files.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FileList)]
pub(super) struct FileListResponse {
    files: Vec<File>,
    /// With `folded`: the folders, each with its final `/`.
    folders: Vec<String>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists the files of a volume, all or by folder.
///
/// One page per request, ordered by path.
#[utoipa::path(
    get, path = "/api/files", tag = "files", params(VolumeQuery, ListQuery),
    responses((status = 200, description = "A page of files.", body = FileListResponse), BadQuery)
)]
pub(super) async fn list_files(
    RateLimited(context): RateLimited,
    State(app): State<App>,
    QueryParams(And(volume, query)): QueryParams<And<VolumeQuery, ListQuery>>,
) -> Result<Json<FileListResponse>> {
    let volume = volume.selection()?;
    // A volume that the caller may not read is reported before other invalid parameters.
    readable(
        &context.caller,
        volume.clone(),
        context.caller.default_volume(),
    )?;
    let list = app.files(&context).list(query.parse(volume)?).await?;
    Ok(Json(FileListResponse {
        files: list.files,
        folders: list.folders,
        next_cursor: list.next_cursor,
    }))
}
