//! Extractors: from the parts of a request to checked values, every rejection an [`Error`] of ours.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::de::value::StringDeserializer;

use crate::error::{Error, Result};
use crate::json::{self, Object};
use crate::session::SessionId;

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
        let is_encoded = request.headers().contains_key(header::CONTENT_ENCODING);
        let body = tokio::time::timeout(BODY_TIME_LIMIT, Bytes::from_request(request, state))
            .await
            .map_err(|_| Error::BodyTimeout)?
            .map_err(|rejection| match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Error::PayloadTooLarge,
                _ => Error::InvalidRequest("The body broke off.".to_owned()),
            })?;
        if body.is_empty() {
            return Ok(Self(Bytes::from_static(b"{}")));
        }
        if !is_json || is_encoded {
            return Err(Error::UnsupportedMediaType("application/json"));
        }
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
}

impl JsonBody {
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

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("application/merge-patch+json")
}
