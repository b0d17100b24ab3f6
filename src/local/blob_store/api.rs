//! The API of single blobs: put, copy, head, list, delete and rename.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::blob::Blob;
use super::callback;
use super::caller::{Caller, Owner};
use super::error::BlobApiError;
use super::extract::{Base, QueryParams};
use super::headers::number;
use super::index::PageQuery;
use super::metadata::Condition;
use super::options::requested_metadata;
use super::pathname::Pathname;
use super::store::{AfterCommit, BlobStore};
use super::upload_body::UploadBody;
use super::written::Written;

/// Maximum and default number of blobs and folders in a page.
const MAX_PAGE: usize = 1000;
/// Maximum number of blobs in a delete request.
const MAX_DELETED: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutQuery {
    pathname: String,
    from_url: Option<String>,
}

/// `PUT ?pathname=`; a copy if `fromUrl` is present.
pub(super) async fn put_or_copy(
    State(store): State<BlobStore>,
    caller: Caller,
    base: Base,
    QueryParams(query): QueryParams<PutQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Written>, BlobApiError> {
    match (&query.from_url, &caller) {
        (Some(_), Caller::Client(_)) => Err(BlobApiError::ClientTokenNotAllowed),
        (Some(_), Caller::Owner) => transfer(&store, &query, &headers, &base, false).await,
        (None, _) => put(&store, &caller, &query, &headers, &base, body).await,
    }
}

async fn put(
    store: &BlobStore,
    caller: &Caller,
    query: &PutQuery,
    headers: &HeaderMap,
    base: &Base,
    body: Body,
) -> Result<Json<Written>, BlobApiError> {
    let pathname = Pathname::parse(&query.pathname)?;
    let metadata = requested_metadata(&pathname, headers, caller, None)?;
    store.check(&metadata.pathname, &metadata.condition)?;
    // The official client sends 0 for a stream of unknown length.
    let length = number(headers, "x-content-length")?.filter(|length| *length > 0);
    let limit = metadata.body_limit();
    let body = UploadBody::from_body(store.temporary(), body, limit, length).await?;
    let blob = store.commit(body, metadata, AfterCommit::Nothing).await?;
    let written = Written::new(&blob, base);
    callback::upload_completed(store, caller, &written);
    Ok(Json(written))
}

/// `POST /rename?pathname=&fromUrl=`.
pub(super) async fn rename(
    State(store): State<BlobStore>,
    _: Owner,
    base: Base,
    QueryParams(query): QueryParams<PutQuery>,
    headers: HeaderMap,
) -> Result<Json<Written>, BlobApiError> {
    transfer(&store, &query, &headers, &base, true).await
}

/// Copies a blob; removes the source if `is_rename`.
async fn transfer(
    store: &BlobStore,
    query: &PutQuery,
    headers: &HeaderMap,
    base: &Base,
    is_rename: bool,
) -> Result<Json<Written>, BlobApiError> {
    let target = Pathname::parse(&query.pathname)?;
    let source = query.from_url.as_deref().unwrap_or_default();
    let source = Pathname::from_reference(source).ok_or(BlobApiError::NotFound)?;
    let (source, file) = store.open_blob(&source).await?;
    let metadata = requested_metadata(&target, headers, &Caller::Owner, Some(&source))?;
    store.check(&metadata.pathname, &metadata.condition)?;
    let size = source.size;
    let after = match is_rename {
        true => AfterCommit::RemoveSource(source),
        false => AfterCommit::Nothing,
    };
    let blob = store.copy(file, size, metadata, after).await?;
    Ok(Json(Written::new(&blob, base)))
}

#[derive(Debug, Deserialize)]
pub(super) struct ReadQuery {
    url: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    prefix: String,
    cursor: Option<String>,
    #[serde(default)]
    mode: Mode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Expanded,
    Folded,
}

/// `GET ?url=` for the metadata of a blob, `GET` for a page of the list.
pub(super) async fn head_or_list(
    State(store): State<BlobStore>,
    _: Owner,
    base: Base,
    QueryParams(query): QueryParams<ReadQuery>,
) -> Result<Json<Value>, BlobApiError> {
    match &query.url {
        Some(reference) => head(&store, reference, &base).map(Json),
        None => list(&store, query, &base).map(Json),
    }
}

fn head(store: &BlobStore, reference: &str, base: &Base) -> Result<Value, BlobApiError> {
    let pathname = Pathname::from_reference(reference).ok_or(BlobApiError::NotFound)?;
    let blob = store.find(&pathname).ok_or(BlobApiError::NotFound)?;
    let mut response = json!(Written::new(&blob, base));
    response["size"] = json!(blob.size);
    response["cacheControl"] = json!(blob.cache_control());
    response["uploadedAt"] = json!(blob.uploaded_at());
    Ok(response)
}

fn list(store: &BlobStore, query: ReadQuery, base: &Base) -> Result<Value, BlobApiError> {
    let limit = query.limit.unwrap_or(MAX_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(BlobApiError::bad_request("limit must be from 1 to 1000"));
    }
    let start = match query.cursor {
        Some(cursor) => {
            let start = URL_SAFE_NO_PAD.decode(cursor).ok();
            let start = start.and_then(|start| String::from_utf8(start).ok());
            start.ok_or_else(|| BlobApiError::bad_request("cursor is invalid"))?
        }
        None => String::new(),
    };
    let page = store.page(&PageQuery {
        prefix: query.prefix,
        start,
        limit,
        is_folded: query.mode == Mode::Folded,
    });
    let blobs = page.blobs.iter().map(|blob| listed(blob, base));
    let mut response = json!({"blobs": blobs.collect::<Vec<_>>(), "hasMore": page.next.is_some()});
    if let Some(next) = page.next {
        response["cursor"] = json!(URL_SAFE_NO_PAD.encode(next));
    }
    if query.mode == Mode::Folded {
        response["folders"] = json!(page.folders);
    }
    Ok(response)
}

fn listed(blob: &Blob, base: &Base) -> Value {
    let url = base.url(blob);
    json!({
        "downloadUrl": format!("{url}?download=1"),
        "url": url,
        "pathname": blob.pathname,
        "size": blob.size,
        "uploadedAt": blob.uploaded_at(),
        "etag": blob.etag,
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct Deleted {
    urls: Vec<String>,
}

/// `POST /delete`.
pub(super) async fn delete(
    State(store): State<BlobStore>,
    _: Owner,
    headers: HeaderMap,
    body: Result<Json<Deleted>, axum::extract::rejection::JsonRejection>,
) -> Result<Json<Value>, BlobApiError> {
    let Json(deleted) =
        body.map_err(|rejection| BlobApiError::BadRequest(rejection.body_text()))?;
    let condition = Condition::if_match(&headers)?;
    if deleted.urls.len() > MAX_DELETED {
        return Err(BlobApiError::bad_request(
            "urls must have at most 1000 entries",
        ));
    }
    if condition.if_match.is_some() && deleted.urls.len() != 1 {
        return Err(BlobApiError::bad_request(
            "ifMatch can only be used when deleting a single URL.",
        ));
    }
    // An invalid pathname cannot exist, and deleting a missing blob is not an error.
    let pathnames = deleted.urls.iter();
    let pathnames = pathnames.filter_map(|reference| Pathname::from_reference(reference));
    store.delete(pathnames.collect(), condition).await?;
    Ok(Json(json!({})))
}
