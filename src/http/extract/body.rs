//! Extractors of bodies: JSON objects and documents, every rejection an [`Error`] of ours.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::http::error::{Error, Result};
use crate::util::json::{self, Object};

/// How many objects and arrays a body may hold within each other.
const MAX_BODY_DEPTH: usize = 64;
/// How long a body may take to arrive: less than a request as a whole may take, so that a slow caller is told
/// that it was the caller.
const BODY_TIME_LIMIT: Duration = Duration::from_secs(20);

/// A body that is a JSON object, or nothing at all, which counts as the empty one.
pub(crate) struct JsonBody(Bytes);

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
pub(crate) enum JsonOrMarkdown {
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
    pub(crate) fn bytes(&self) -> &[u8] {
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
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the object has this member.
    pub(crate) fn has(&self, member: &str) -> bool {
        let object = std::str::from_utf8(&self.0).ok().and_then(Object::parse);
        object.is_some_and(|object| object.get(member).is_some())
    }

    /// Reads the body as a `T`; what does not fit is a 422 that names the field.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T> {
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
