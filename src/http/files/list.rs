//! `GET /api/files`: the files of a volume, all or by folder.

use axum::Json;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::response::File;
use crate::blob::{MAX_PAGE, paths};
use crate::domain::file_path::MAX_PATH_BYTES;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::Admitted;
use crate::http::extract::blobs::RequestBlobs;
use crate::http::extract::page::{decode_cursor, encode_cursor, limit};
use crate::http::extract::query::{Parameters, flag};
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::parameters::{AnyCursor, Flag, PageLimit, Prefix};
use crate::http::schema::responses::BadQuery;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list_files))]
pub(in crate::http) struct Described;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only files whose path begins with this, of at most 900 bytes.
    #[param(value_type = Prefix, inline, required = false)]
    prefix: Option<String>,
    /// Whether to stop at the next `/`, and list folders.
    #[param(value_type = Flag, inline, required = false)]
    folded: Option<String>,
    /// How many files and folders at most.
    #[param(value_type = PageLimit<{ MAX_PAGE }>, inline, required = false)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = AnyCursor, inline, required = false)]
    cursor: Option<String>,
}

/// A page of files.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct FileList {
    files: Vec<File>,
    /// With `folded`: what lies before the next `/`, with it.
    folders: Vec<String>,
    /// What leads to the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists the files of a volume, all or by folder.
///
/// A page at a time, ordered by path.
#[utoipa::path(
    get, path = "/api/files", tag = "files", params(VolumeQuery, ListQuery),
    responses((status = 200, description = "A page of files.", body = FileList), BadQuery)
)]
pub(super) async fn list_files(
    Admitted(by): Admitted,
    RequestBlobs(blobs): RequestBlobs,
    Parameters(volume): Parameters<VolumeQuery>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<FileList>> {
    let volume = volume.readable(&by, by.own())?;
    let limit = limit("limit", query.limit.as_deref(), 1..=MAX_PAGE)?;
    let folded = flag("folded", query.folded.as_deref())?;
    // Paths are in normal form, so what they begin with is, too.
    let wanted: String = query.prefix.unwrap_or_default().nfc().collect();
    if wanted.len() > MAX_PATH_BYTES {
        return Err(Error::field("prefix", "must be at most 900 bytes"));
    }
    let root = paths::files(&volume);
    let prefix = format!("{root}{wanted}");
    let list = by.owned(&format!("{folded} {prefix}"));
    let cursor: Option<String> = decode_cursor(&list, query.cursor.as_deref())?;
    let page = blobs
        .list(&prefix, limit, cursor.as_deref(), folded)
        .await
        .map_err(|error| Error::of_list(error, cursor.is_some()))?;
    // What does not lie in this volume is not shown, whatever the cursor leads to.
    let files = page.blobs.into_iter().filter_map(|blob| {
        let path = blob.pathname.strip_prefix(&root)?.to_owned();
        Some(File::new(&volume, &path, blob))
    });
    let folders = page
        .folders
        .iter()
        .filter_map(|folder| folder.strip_prefix(&root));
    Ok(Json(FileList {
        files: files.collect(),
        folders: folders.map(ToOwned::to_owned).collect(),
        next_cursor: page.cursor.map(|next| encode_cursor(&list, &next)),
    }))
}
