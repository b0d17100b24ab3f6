//! `POST /api/files/upload`: leave for a browser to send a file straight to Blob, as `upload()` of
//! `@vercel/blob/client` asks for it (its `handleUpload` protocol).

use axum::Json;
use axum::http::{HeaderMap, HeaderName};
use axum::routing::{MethodRouter, post};
use chrono::{TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::response::is_media_type;
use crate::app::App;
use crate::blob::client_token::{self, ClientTokenPayload};
use crate::blob::{self, Blobs, paths};
use crate::domain::caller::Caller;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::Admitted;
use crate::http::extract::blobs::RequestBlobs;
use crate::http::extract::body::JsonBody;
use crate::http::schema::responses::{BadBody, Signature, UploadAnswer, UploadEvent};
use crate::store;

/// How long a browser has for its upload. A large file on a slow line takes its time.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// The largest file that a browser may send where it does not say how large its file is, in bytes.
const MAX_UPLOAD_BYTES: u64 = 500 * 1024 * 1024;
/// How long caches may keep the file, in seconds: the least that Vercel takes.
const CACHE_SECONDS: u64 = 60;

const X_VERCEL_SIGNATURE: HeaderName = HeaderName::from_static("x-vercel-signature");

/// The route's one method.
pub(super) fn router() -> MethodRouter<App> {
    post(handle_upload)
}

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(handle_upload))]
pub(in crate::http) struct Described;

/// What the client, or Vercel, says. Their names are the protocol's.
#[derive(Deserialize)]
#[serde(tag = "type", content = "payload")]
enum Event {
    #[serde(rename = "blob.generate-client-token")]
    GenerateClientToken(WantedToken),
    #[serde(rename = "blob.upload-completed")]
    UploadCompleted(serde::de::IgnoredAny),
}

/// Where a browser wants to send a file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WantedToken {
    pathname: String,
    client_payload: Option<String>,
}

/// What the page that uploads says of its file, as JSON in `clientPayload`. All of it may be missing.
#[derive(Default, Deserialize)]
struct UploadedFile {
    size: Option<u64>,
    content_type: Option<String>,
}

/// A token for the upload, or that its completion is noted.
#[derive(Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
enum Answer {
    #[serde(rename = "blob.generate-client-token")]
    ClientToken {
        client_token: String,
        /// With the volume's own id where `default` was asked for.
        pathname: String,
        /// The base address of the store's API.
        url: String,
        access: &'static str,
    },
    #[serde(rename = "blob.upload-completed")]
    Completed { response: &'static str },
}

/// Gives leave for a browser to send a file of up to 500 MB straight to Blob.
///
/// As `upload()` of `@vercel/blob/client` asks for it: the token holds for an hour, for that pathname, size and type.
/// The volume id `default` is the caller's own: `pathname` says where the file is to be put.
/// Without `size` that is at most 500 MB, and the type is what the name says. The store tells the completion under a
/// signature instead of a token. A file may be called `upload`, too: the other methods of `/api/files/{path}` are for
/// that one.
#[utoipa::path(
    post, path = "/api/files/upload", tag = "files", security(("bearer" = []), ()),
    params(Signature),
    request_body = UploadEvent,
    responses((status = 200, description = "The token, or that it is noted.", body = UploadAnswer), BadBody)
)]
async fn handle_upload(
    caller: Result<Admitted>,
    RequestBlobs(blobs): RequestBlobs,
    headers: HeaderMap,
    body: Result<JsonBody>,
) -> Result<Json<Answer>> {
    match (body.and_then(|body| Ok((body.parse()?, body))), caller) {
        (_, Err(limited @ Error::Store(store::Error::RateLimited(_)))) => Err(limited),
        // What the store tells has a signature in place of credentials.
        (Ok((Event::UploadCompleted(_), body)), _) => note_completion(&blobs, &headers, &body),
        // Who is nobody is told that first, whatever the body is.
        (_, Err(refused)) | (Err(refused), Ok(_)) => Err(refused),
        (Ok((Event::GenerateClientToken(wanted), _)), Ok(Admitted(by))) => {
            let file = uploaded_file(wanted.client_payload.as_deref())?;
            let (pathname, client_token) = client_token(&by, &blobs, &wanted.pathname, file)?;
            let (url, access) = blobs.for_browsers();
            Ok(Json(Answer::ClientToken {
                client_token,
                pathname,
                url: url.to_owned(),
                access,
            }))
        }
    }
}

/// Nothing is to be done when an upload is complete: the store itself knows the file.
fn note_completion(blobs: &Blobs, headers: &HeaderMap, body: &JsonBody) -> Result<Json<Answer>> {
    let signature = headers.get(X_VERCEL_SIGNATURE);
    let signature = signature
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    if !client_token::is_signed(body.bytes(), signature, read_write_token(blobs)?) {
        return Err(Error::InvalidRequest(
            "x-vercel-signature is not that of this body.".to_owned(),
        ));
    }
    Ok(Json(Answer::Completed { response: "ok" }))
}

fn uploaded_file(client_payload: Option<&str>) -> Result<UploadedFile> {
    let Some(text) = client_payload.filter(|text| !text.is_empty()) else {
        return Ok(UploadedFile::default());
    };
    serde_json::from_str(text).map_err(|_| {
        Error::field(
            "payload.clientPayload",
            "must be JSON: {size, content_type}",
        )
    })
}

/// The pathname as it is stored, and a token for just that, this size and type.
fn client_token(
    by: &Caller,
    blobs: &Blobs,
    pathname: &str,
    file: UploadedFile,
) -> Result<(String, String)> {
    let Some((volume, path)) = paths::file_at(pathname) else {
        return Err(Error::field(
            "payload.pathname",
            "must be volumes/{volume}/{volume_id}/files/{path}, as the file is to be stored",
        ));
    };
    let volume = by.resolve(volume.volume, volume.id);
    by.may_write(&volume)?;
    let pathname = paths::file(&volume, &path);
    if !paths::fits(&pathname) {
        return Err(Error::field("payload.pathname", "is too long"));
    }
    let size = file.size.unwrap_or(MAX_UPLOAD_BYTES);
    if size > MAX_UPLOAD_BYTES {
        return Err(Error::field(
            "payload.clientPayload.size",
            "must be at most 500 MB",
        ));
    }
    if file
        .content_type
        .as_deref()
        .is_some_and(|it| !is_media_type(it) || it.contains(['*', ',']))
    {
        return Err(Error::field(
            "payload.clientPayload.content_type",
            "must be a media type of at most 255 characters",
        ));
    }
    let content_type = file.content_type.unwrap_or_else(|| {
        mime_guess::from_path(&pathname)
            .first_or_octet_stream()
            .to_string()
    });
    let payload = ClientTokenPayload {
        pathname: pathname.clone(),
        maximum_size_in_bytes: Some(size),
        allowed_content_types: Some(vec![content_type]),
        valid_until: Some((Utc::now() + TOKEN_LIFETIME).timestamp_millis()),
        add_random_suffix: Some(false),
        allow_overwrite: Some(true),
        cache_control_max_age: Some(CACHE_SECONDS),
        ..ClientTokenPayload::default()
    };
    let token = client_token::mint(&payload, read_write_token(blobs)?);
    let token = token.ok_or(blob::Error::NotConfigured)?;
    Ok((pathname, token))
}

/// Only the read-write token can sign: an OIDC token cannot.
fn read_write_token(blobs: &Blobs) -> Result<&str> {
    Ok(blobs.read_write_token().ok_or(blob::Error::NotConfigured)?)
}
