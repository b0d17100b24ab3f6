//! Path parameters: session ids, skill ids and file paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::Method;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::domain::file_path::FilePath;
use crate::domain::session::SessionId;
use crate::http::error::{Error, Result};
use crate::skill::SkillId;

/// The `{id}` of the path. One that no session can have is one that no session has: 404.
pub(crate) struct SessionPath(pub(crate) SessionId);

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
pub(crate) struct SkillPath(pub(crate) SkillId);

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
pub(crate) struct FileAt(pub(crate) FilePath);

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
