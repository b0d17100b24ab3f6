//! Extractors: from the parts of a request to checked values, every rejection an [`Error`] of ours.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde::de::value::StringDeserializer;

use crate::app::App;
use crate::blob::Blobs;
use crate::error::{Error, Result};
use crate::file_path::FilePath;
use crate::json::{self, Object};
use crate::session::SessionId;
use crate::skill::SkillId;

/// The token by which Vercel names the deployment to other services, sent along with each request.
const X_VERCEL_OIDC_TOKEN: HeaderName = HeaderName::from_static("x-vercel-oidc-token");

/// How many objects and arrays a body may hold within each other.
const MAX_BODY_DEPTH: usize = 64;
/// How long a body may take to arrive: less than a request as a whole may take, so that a slow caller is told
/// that it was the caller.
const BODY_TIME_LIMIT: Duration = Duration::from_secs(20);

/// The `{id}` of the path. One that no session can have is one that no session has: 404.
pub(super) struct SessionPath(pub(super) SessionId);

impl<S: Send + Sync> FromRequestParts<S> for SessionPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        id.and_then(|Path(id)| SessionId::parse(&id))
            .map(Self)
            .ok_or(Error::NO_SUCH_SESSION)
    }
}

/// The `{id}` of a skill. One that no skill can have is one that no skill has: 404.
pub(super) struct SkillPath(pub(super) SkillId);

impl<S: Send + Sync> FromRequestParts<S> for SkillPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        id.and_then(|Path(id)| SkillId::parse(&id))
            .map(Self)
            .ok_or(Error::NO_SUCH_SKILL)
    }
}

/// The path of a file, behind `/api/files/`. One that no file can have is one that no file has, unless it is
/// to be stored there.
pub(super) struct FileAt(pub(super) FilePath);

impl<S: Sync> FromRequestParts<S> for FileAt {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let encoded = parts.uri.path().strip_prefix("/api/files/");
        let path = percent_decode_str(encoded.unwrap_or_default())
            .decode_utf8()
            .map_err(|_| "must be UTF-8")
            .and_then(|path| FilePath::parse(&path));
        path.map(Self).map_err(|message| {
            if parts.method == Method::PUT {
                Error::field("path", message)
            } else {
                Error::NO_SUCH_FILE
            }
        })
    }
}

/// The blobs as this request reaches them.
pub(super) struct RequestBlobs(pub(super) Blobs);

impl FromRequestParts<App> for RequestBlobs {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let token = parts.headers.get(X_VERCEL_OIDC_TOKEN);
        let token = token.and_then(|token| token.to_str().ok());
        Ok(Self(app.blobs.blobs(token)))
    }
}

/// The query. Parameters that `T` does not know are ignored: rewrites add some.
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query = Query::try_from_uri(&parts.uri).map_err(|error| {
            Error::InvalidRequest(format!(
                "The query cannot be read: {}.",
                source_text(&error)
            ))
        })?;
        Ok(Self(query.0))
    }
}

fn source_text(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// A query parameter as the type that the same value has in JSON; an empty one counts as not given.
pub(super) fn parameter<T: DeserializeOwned>(
    name: &str,
    text: Option<String>,
) -> Result<Option<T>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let deserializer: StringDeserializer<serde::de::value::Error> =
        serde::de::IntoDeserializer::into_deserializer(text);
    T::deserialize(deserializer)
        .map(Some)
        .map_err(|error| Error::field(name, error.to_string()))
}

/// A body that is a JSON object, or nothing at all, which counts as the empty one.
pub(super) struct JsonBody(Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let is_json = is_json(request.headers());
        let is_encoded = is_encoded(request.headers());
        let body = read_body(request, state).await?;
        if body.is_empty() {
            return Ok(Self(Bytes::from_static(b"{}")));
        }
        if !is_json || is_encoded {
            return Err(Error::UnsupportedMediaType("application/json"));
        }
        Self::checked(body)
    }
}

/// The whole body.
async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes> {
    tokio::time::timeout(BODY_TIME_LIMIT, Bytes::from_request(request, state))
        .await
        .map_err(|_| Error::BodyTimeout)?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::PayloadTooLarge,
            _ => Error::InvalidRequest("The body broke off.".to_owned()),
        })
}

/// A body that is a JSON object, or a document of markdown.
pub(super) enum JsonOrMarkdown {
    Json(JsonBody),
    Markdown(Bytes),
}

impl<S: Send + Sync> FromRequest<S> for JsonOrMarkdown {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let is_markdown = ["text/markdown", "text/x-markdown", "text/plain"]
            .contains(&essence(request.headers()).to_ascii_lowercase().as_str());
        if !is_markdown && !is_json(request.headers()) || is_encoded(request.headers()) {
            return Err(Error::UnsupportedMediaType(
                "application/json or text/markdown",
            ));
        }
        let body = read_body(request, state).await?;
        if is_markdown {
            return Ok(Self::Markdown(body));
        }
        JsonBody::checked(body).map(Self::Json)
    }
}

impl JsonOrMarkdown {
    /// The body's text.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Json(body) => body.bytes(),
            Self::Markdown(text) => text,
        }
    }
}

impl JsonBody {
    /// Takes a text that must be a JSON object.
    fn checked(body: Bytes) -> Result<Self> {
        json::check(&body, MAX_BODY_DEPTH).map_err(|refusal| {
            Error::InvalidRequest(format!("The body is not JSON: {refusal}."))
        })?;
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Error::InvalidRequest(
                "The body must be a JSON object.".to_owned(),
            ));
        }
        Ok(Self(body))
    }

    /// The body's text.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the object has this member.
    pub(super) fn has(&self, member: &str) -> bool {
        let object = std::str::from_utf8(&self.0).ok().and_then(Object::parse);
        object.is_some_and(|object| object.get(member).is_some())
    }

    /// Reads the body as a `T`; what does not fit is a 422 that names the field.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        let mut deserializer = serde_json::Deserializer::from_slice(&self.0);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            let message = without_position(&error.into_inner().to_string());
            match message
                .strip_prefix("missing field `")
                .and_then(|rest| rest.strip_suffix('`'))
            {
                Some(missing) if path == "." => Error::field(missing, "is required"),
                Some(missing) => Error::field(format!("{path}.{missing}"), "is required"),
                None => Error::field(path, message),
            }
        })
    }
}

/// serde_json ends its messages with a place in the text, which the field's path tells better.
fn without_position(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
        .to_owned()
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_ENCODING)
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = essence(headers);
    essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("application/merge-patch+json")
}

/// The content type without its parameters.
fn essence(headers: &HeaderMap) -> &str {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
}
