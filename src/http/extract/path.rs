//! Path parameters: session ids, skill ids and file paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::Method;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, PartialSchema};

use crate::domain::file_path::FilePath;
use crate::domain::schema::file_path;
use crate::domain::session::SessionId;
use crate::http::error::{Error, Result};
use crate::http::schema::parameters::in_path;
use crate::service::error::Resource;
use crate::skill::SkillId;
use crate::util::schema::schema;

/// The `{id}` of a session. An id that no session can have is a 404.
pub(crate) struct SessionPath(pub(crate) SessionId);

impl<S: Send + Sync> FromRequestParts<S> for SessionPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        id.and_then(|Path(id)| SessionId::parse(&id))
            .map(Self)
            .ok_or_else(|| Error::not_found(Resource::Session))
    }
}

impl IntoParams for SessionPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The id of the session, percent-encoded. Ids of the Python version contain the session's name.";
        in_path("id", SessionId::schema(), text)
    }
}

/// The `{id}` of a skill. An id that no skill can have is a 404.
pub(crate) struct SkillPath(pub(crate) SkillId);

impl<S: Sync> FromRequestParts<S> for SkillPath {
    type Rejection = Error;

    // Not from the parameter of the route: `/api/skills/validate` has none, and `validate` may be a skill.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let path = parts.uri.path().strip_prefix("/api/skills/");
        let encoded = path.and_then(|path| path.split('/').next());
        let id = percent_decode_str(encoded.unwrap_or_default()).decode_utf8();
        id.ok()
            .and_then(|id| SkillId::parse(&id))
            .map(Self)
            .ok_or_else(|| Error::not_found(Resource::Skill))
    }
}

impl IntoParams for SkillPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        in_path(
            "id",
            SkillId::schema(),
            "The id of the skill, percent-encoded.",
        )
    }
}

/// Marks a request whose path ended with a slash, before the slash was removed for routing.
#[derive(Clone, Copy)]
pub(crate) struct TrailingSlash;

/// The path of a file, after `/api/files/`. A path that no file can have is a 404, or for `PUT` an invalid field. A slash
/// at the end is part of the path, so for `DELETE` it is an invalid field as well: the client means a folder.
pub(crate) struct FilePathParam(pub(crate) FilePath);

impl<S: Sync> FromRequestParts<S> for FilePathParam {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let encoded = parts.uri.path().strip_prefix("/api/files/");
        let path = percent_decode_str(encoded.unwrap_or_default())
            .decode_utf8()
            .map_err(|_| "must be UTF-8");
        let names_folder = parts.extensions.get::<TrailingSlash>().is_some()
            || path.as_ref().is_ok_and(|path| path.ends_with('/'));
        let path = match path {
            _ if names_folder => Err("must not end with /"),
            path => path.and_then(|path| FilePath::parse(&path)),
        };
        path.map(Self).map_err(|message| {
            if parts.method == Method::PUT || parts.method == Method::DELETE && names_folder {
                Error::field("path", message)
            } else {
                Error::not_found(Resource::File)
            }
        })
    }
}

impl IntoParams for FilePathParam {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The path of the file, which may contain `/`. Each segment has 1–255 bytes and is not `.` or `..`. The \
            path has at most 900 bytes, and 950 characters with the volume. `\\`, control characters and bidirectional \
            controls are invalid, also percent-encoded.";
        in_path("path", schema(file_path()), text)
    }
}
