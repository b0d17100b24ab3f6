//! Path parameters: session ids, skill ids and file paths.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Path};
use axum::http::Method;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, PartialSchema};

use crate::domain::file_path::{FilePath, StoredPath};
use crate::domain::message::{MESSAGE_ID_RULE, MessageId};
use crate::domain::schema::file_path;
use crate::domain::session::SessionId;
use crate::http::error::{Error, Result};
use crate::http::schema::parameters::{in_path, text as text_parameter};
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

/// The `{id}` of a session and the `{message_id}` of a message. An id that no message can have is a 404; for `PUT`, which
/// would create the message, it is an invalid field.
pub(crate) struct MessagePath(pub(crate) SessionId, pub(crate) MessageId);

impl<S: Send + Sync> FromRequestParts<S> for MessagePath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Some((session, message)) = path.ok().map(|Path(ids)| ids) else {
            return Err(Error::not_found(Resource::Message));
        };
        let session = SessionId::parse(&session);
        let session = session.ok_or_else(|| Error::not_found(Resource::Session))?;
        match MessageId::parse(&message) {
            Some(message) => Ok(Self(session, message)),
            None if parts.method == Method::PUT => Err(Error::field("message_id", MESSAGE_ID_RULE)),
            None => Err(Error::not_found(Resource::Message)),
        }
    }
}

impl IntoParams for MessagePath {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The id of the message, percent-encoded.";
        let message = in_path("message_id", MessageId::schema(), text);
        [SessionPath::into_params(place), message].concat()
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

/// The rule that the path of a folder violates.
const FOLDER: &str = "must not end with /";

/// The path of a file to store, after `/api/files/`.
pub(crate) struct FilePathParam(pub(crate) FilePath);

impl<S: Sync> FromRequestParts<S> for FilePathParam {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let path = decoded_path(parts).and_then(|path| FilePath::parse(&path));
        path.map(Self)
            .map_err(|message| Error::field("path", message))
    }
}

/// The path of a stored file, after `/api/files/`. A path that no file can have is a 404. A slash at the end is part of
/// the path: for `DELETE` it is an invalid field, because the client means a folder.
pub(crate) struct StoredPathParam(pub(crate) StoredPath);

impl<S: Sync> FromRequestParts<S> for StoredPathParam {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let path = match decoded_path(parts) {
            Err(FOLDER) if parts.method == Method::DELETE => {
                return Err(Error::field("path", FOLDER));
            }
            path => path.ok().and_then(|path| StoredPath::parse(&path)),
        };
        path.map(Self)
            .ok_or_else(|| Error::not_found(Resource::File))
    }
}

impl IntoParams for StoredPathParam {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The path of the file, as a list returns it. A path in another Unicode normal form than C also finds the \
            file whose path is in form C.";
        in_path("path", text_parameter(), text)
    }
}

/// Returns the percent-decoded path after `/api/files/`.
///
/// # Errors
/// If it is not UTF-8, or names a folder. The message contains the violated rule.
fn decoded_path(parts: &Parts) -> std::result::Result<Cow<'_, str>, &'static str> {
    let encoded = parts.uri.path().strip_prefix("/api/files/");
    let path = percent_decode_str(encoded.unwrap_or_default())
        .decode_utf8()
        .map_err(|_| "must be UTF-8")?;
    let names_folder = parts.extensions.get::<TrailingSlash>().is_some() || path.ends_with('/');
    if names_folder { Err(FOLDER) } else { Ok(path) }
}

impl IntoParams for FilePathParam {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The path of the file, which may contain `/`. Each segment has 1–255 bytes and is not `.` or `..`. The \
            path has at most 900 bytes, and 950 characters with the volume. `\\`, control characters and bidirectional \
            controls are invalid, also percent-encoded.";
        in_path("path", schema(file_path()), text)
    }
}
