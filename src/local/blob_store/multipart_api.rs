//! The API of multipart uploads: create, upload and complete, on one route.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use super::callback;
use super::caller::Caller;
use super::error::BlobApiError;
use super::extract::{Base, QueryParams};
use super::headers::{number, text};
use super::limits::MAX_JSON_BYTES;
use super::multipart::Upload;
use super::options::requested_metadata;
use super::parts::Part;
use super::pathname::Pathname;
use super::store::BlobStore;
use super::written::Written;

#[derive(Debug, Deserialize)]
pub(super) struct MultipartQuery {
    pathname: String,
}

/// `POST /mpu?pathname=`. The header `x-mpu-action` selects the call.
pub(super) async fn multipart(
    State(store): State<BlobStore>,
    caller: Caller,
    base: Base,
    QueryParams(query): QueryParams<MultipartQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, BlobApiError> {
    let pathname = Pathname::parse(&query.pathname)?;
    let action = text(&headers, "x-mpu-action")?.unwrap_or_default();
    if action == "create" {
        return create(&store, &caller, pathname, &headers).await;
    }
    if let Caller::Client(payload) = &caller
        && payload.pathname != pathname.as_str()
    {
        return Err(BlobApiError::PathnameMismatch);
    }
    let upload = find(&store, &pathname, &headers).await?;
    match action {
        "upload" => upload_part(&store, &upload, &headers, body).await,
        "complete" => complete(&store, &caller, upload, body, &base).await,
        _ => Err(BlobApiError::bad_request(
            "x-mpu-action must be create, upload or complete",
        )),
    }
}

async fn create(
    store: &BlobStore,
    caller: &Caller,
    pathname: Pathname,
    headers: &HeaderMap,
) -> Result<Json<Value>, BlobApiError> {
    let metadata = requested_metadata(&pathname, headers, caller, None)?;
    store.check(&metadata.pathname, &metadata.condition)?;
    let upload = Upload::create(store, pathname, metadata).await?;
    Ok(Json(
        json!({"uploadId": upload.id.simple().to_string(), "key": upload.key()}),
    ))
}

async fn find(
    store: &BlobStore,
    pathname: &Pathname,
    headers: &HeaderMap,
) -> Result<Upload, BlobApiError> {
    let id = text(headers, "x-mpu-upload-id")?.ok_or(BlobApiError::NoSuchUpload)?;
    let key = text(headers, "x-mpu-key")?.ok_or(BlobApiError::NoSuchUpload)?;
    let key = percent_decode_str(key).decode_utf8_lossy();
    Upload::find(store, id, pathname, &key).await
}

async fn upload_part(
    store: &BlobStore,
    upload: &Upload,
    headers: &HeaderMap,
    body: Body,
) -> Result<Json<Value>, BlobApiError> {
    let part_number = number(headers, "x-mpu-part-number")?.unwrap_or_default();
    let etag = upload.receive(store, part_number, body).await?;
    Ok(Json(json!({"etag": etag})))
}

async fn complete(
    store: &BlobStore,
    caller: &Caller,
    upload: Upload,
    body: Body,
    base: &Base,
) -> Result<Json<Value>, BlobApiError> {
    let text = axum::body::to_bytes(body, MAX_JSON_BYTES).await;
    let text = text.map_err(|error| BlobApiError::BadRequest(error.to_string()))?;
    let parts: Vec<Part> = serde_json::from_slice(&text).map_err(|error| {
        BlobApiError::BadRequest(format!("the list of parts is invalid: {error}"))
    })?;
    let blob = upload.complete(store, parts).await?;
    let written = Written::new(&blob, base);
    callback::upload_completed(store, caller, &written);
    Ok(Json(json!(written)))
}
