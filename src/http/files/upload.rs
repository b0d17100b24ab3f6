//! `POST /api/files/upload`: tokens for uploads from a browser directly to Blob (the `handleUpload` protocol of
//! `@vercel/blob/client`).

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::domain::schema::file_pathname;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::RateLimited;
use crate::http::extract::body::{JsonBody, reject_unknown_within};
use crate::http::extract::query::{NoParameters, QueryParams};
use crate::http::schema::parameters;
use crate::http::schema::responses::BadBody;
use crate::service::files::UploadRequest;
use crate::util::schema::{described, schema};

/// The path of the properties of the file in the body.
const CLIENT_PAYLOAD: &str = "payload.clientPayload";

const X_VERCEL_SIGNATURE: HeaderName = HeaderName::from_static("x-vercel-signature");

/// An event of the protocol.
#[derive(Deserialize)]
#[serde(tag = "type", content = "payload")]
enum UploadEvent {
    #[serde(rename = "blob.generate-client-token")]
    GenerateClientToken(WantedToken),
    #[serde(rename = "blob.upload-completed")]
    UploadCompleted(serde::de::IgnoredAny),
}

/// The upload to authorize. Unknown members are ignored: the protocol is Vercel's, and its clients send `multipart` and
/// `callbackUrl`, which do not change the token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WantedToken {
    pathname: String,
    client_payload: Option<String>,
}

/// The properties of the file, as JSON in `clientPayload`. All members are optional.
#[derive(Default, Deserialize)]
struct UploadedFile {
    size: Option<u64>,
    content_type: Option<String>,
}

/// The response: a token, or the confirmation of a completed upload.
#[derive(Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub(super) enum UploadResponse {
    #[serde(rename = "blob.generate-client-token")]
    ClientToken {
        client_token: String,
        /// The pathname to upload to, with the caller's own volume id in place of `default`.
        pathname: String,
        /// The base URL of the Blob API.
        url: String,
        /// The media type to declare.
        content_type: String,
        access: &'static str,
    },
    #[serde(rename = "blob.upload-completed")]
    Completed { response: &'static str },
}

/// The signature of an event from Blob.
enum UploadSignature {}

impl IntoParams for UploadSignature {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "With `blob.upload-completed`: Blob's signature of the body.";
        parameters::in_header(X_VERCEL_SIGNATURE.as_str(), parameters::text(), text)
    }
}

impl PartialSchema for UploadEvent {
    fn schema() -> RefOr<Schema> {
        let event = |kind: &str, payload: &Value| {
            json!({
                "type": "object",
                "required": ["type", "payload"],
                "additionalProperties": false,
                "properties": {"type": {"type": "string", "enum": [kind]}, "payload": payload},
            })
        };
        let wanted = json!({
            "type": "object",
            "required": ["pathname"],
            "properties": {
                "pathname": file_pathname(),
                "clientPayload": {
                    "type": ["string", "null"],
                    "contentMediaType": "application/json",
                    "description": "JSON with two optional members: `size` in bytes, up to 524,288,000, and \
                        `content_type`, a media type of at most 255 characters.",
                },
            },
        });
        let completed = json!({"description": "Blob's description of the file."});
        let events = [
            event("blob.generate-client-token", &wanted),
            event("blob.upload-completed", &completed),
        ];
        described(
            json!({"oneOf": events}),
            "A request of the browser, or a notification from Blob.",
        )
    }
}

impl ToSchema for UploadEvent {
    fn name() -> Cow<'static, str> {
        "UploadEvent".into()
    }
}

impl PartialSchema for UploadResponse {
    fn schema() -> RefOr<Schema> {
        schema(json!({
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": {"type": "string", "enum": ["blob.generate-client-token", "blob.upload-completed"]},
                "clientToken": {"type": "string", "description": "The token that authorizes the upload."},
                "pathname": {"type": "string", "description": "The pathname that the token is valid for."},
                "url": {"type": "string", "description": "The base URL of the Blob API."},
                "contentType": {"type": "string", "description": "The media type that the upload must declare."},
                "access": {"type": "string", "enum": ["private", "public"], "description": "The access mode of the store."},
                "response": {"type": "string", "enum": ["ok"]},
            },
        }))
    }
}

impl ToSchema for UploadResponse {
    fn name() -> Cow<'static, str> {
        "UploadAnswer".into()
    }
}

/// Returns a token with which a browser uploads a file of up to 500 MB directly to Blob.
///
/// For `upload()` of `@vercel/blob/client`. The token is valid for one hour and for one pathname, size and media type.
/// The volume id `default` is the caller's own; `pathname` in the response contains the resolved id. Without `size`, up
/// to 500 MB are allowed; without `content_type`, the media type is derived from the pathname. Blob reports the completion
/// with a signature instead of credentials. A file may have the path `upload`: the other methods of this path apply to
/// it.
#[utoipa::path(
    post, path = "/api/files/upload", tag = "files", security(("bearer" = []), ()),
    params(UploadSignature),
    request_body = UploadEvent,
    responses((status = 200, description = "The token, or the confirmation.", body = UploadResponse), BadBody)
)]
pub(super) async fn handle_upload(
    caller: Result<RateLimited>,
    State(app): State<App>,
    _: QueryParams<NoParameters>,
    headers: HeaderMap,
    body: Result<JsonBody>,
) -> Result<Json<UploadResponse>> {
    match (body.and_then(|body| Ok((body.parse()?, body))), caller) {
        (_, Err(error)) if !is_about_access(&error) => Err(error),
        // Blob reports the completion of an upload with a signature instead of credentials.
        (Ok((UploadEvent::UploadCompleted(_), body)), _) => {
            confirm_completion(&app, &headers, &body)
        }
        // Invalid credentials are reported before an invalid body.
        (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
        (Ok((UploadEvent::GenerateClientToken(wanted), _)), Ok(RateLimited(context))) => {
            issue_token(&app, &context, wanted)
        }
    }
}

/// Returns whether an error concerns the credentials and not the request, its rate limit or its headers.
fn is_about_access(error: &Error) -> bool {
    [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::SERVICE_UNAVAILABLE,
    ]
    .contains(&error.status())
}

impl WantedToken {
    fn parse(self) -> Result<UploadRequest> {
        let payload = self.client_payload.filter(|text| !text.is_empty());
        let file: UploadedFile = match payload {
            None => UploadedFile::default(),
            Some(text) => {
                reject_unknown_within::<UploadedFile>(CLIENT_PAYLOAD, &text)?;
                serde_json::from_str(&text).map_err(|_| {
                    Error::field(CLIENT_PAYLOAD, "must be JSON: {size, content_type}")
                })?
            }
        };
        Ok(UploadRequest {
            pathname: self.pathname,
            size: file.size,
            content_type: file.content_type,
        })
    }
}

/// Returns a token for one upload.
fn issue_token(
    app: &App,
    context: &RequestContext,
    wanted: WantedToken,
) -> Result<Json<UploadResponse>> {
    let token = app
        .files(context)
        .upload_token(wanted.parse()?)
        .map_err(|error| within_payload(error.into()))?;
    Ok(Json(UploadResponse::ClientToken {
        client_token: token.token,
        pathname: token.pathname,
        url: token.url,
        content_type: token.content_type,
        access: token.access,
    }))
}

/// Names a field of the upload as the protocol does: within `payload`.
fn within_payload(error: Error) -> Error {
    match error.invalid_field() {
        Some(field) => Error::field(format!("payload.{}", field.field), field.message.clone()),
        None => error,
    }
}

/// Confirms that an upload is complete. Nothing has to be recorded: Blob itself lists the file.
fn confirm_completion(
    app: &App,
    headers: &HeaderMap,
    body: &JsonBody,
) -> Result<Json<UploadResponse>> {
    let signature = headers.get(X_VERCEL_SIGNATURE);
    let signature = signature.and_then(|value| value.to_str().ok());
    let context = RequestContext::internal();
    let files = app.files(&context);
    if !files.is_signed_by_blob(body.bytes(), signature.unwrap_or_default())? {
        return Err(Error::InvalidRequest(
            "x-vercel-signature does not match the body.".to_owned(),
        ));
    }
    Ok(Json(UploadResponse::Completed { response: "ok" }))
}
