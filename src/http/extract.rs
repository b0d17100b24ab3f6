//! Extractors of path, query and headers: checked values, every rejection an [`Error`] of ours.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde::de::value::StringDeserializer;

use crate::app::App;
use crate::blob::Blobs;
use crate::error::{Error, Result};
use crate::file_path::FilePath;
use crate::session::SessionId;
use crate::skill::SkillId;

/// The token by which Vercel names the deployment to other services, sent along with each request.
const X_VERCEL_OIDC_TOKEN: HeaderName = HeaderName::from_static("x-vercel-oidc-token");

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

impl<S: Sync> FromRequestParts<S> for SkillPath {
    type Rejection = Error;

    // Not by the route's parameter: `validate` is a route, and may be a skill.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let path = parts.uri.path().strip_prefix("/api/skills/");
        let encoded = path.and_then(|path| path.split('/').next());
        let id = percent_decode_str(encoded.unwrap_or_default()).decode_utf8();
        id.ok()
            .and_then(|id| SkillId::parse(&id))
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

/// A query parameter that is `true` or `false`; one that is not given is `false`.
pub(super) fn flag(name: &str, text: Option<&str>) -> Result<bool> {
    match text.unwrap_or_default() {
        "true" => Ok(true),
        "" | "false" => Ok(false),
        _ => Err(Error::field(name, "must be true or false")),
    }
}
