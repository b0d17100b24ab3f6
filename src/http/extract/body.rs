//! Extractors of bodies: JSON objects and markdown documents.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::http::error::{Error, Result};
use crate::util::{json, media_type};

/// The deepest nesting of objects and arrays in a body.
const MAX_BODY_DEPTH: usize = 64;
/// The time limit for a body to arrive: shorter than that of the request, so that the error names the slow body.
const BODY_TIME_LIMIT: Duration = Duration::from_secs(20);

/// A body that is a JSON object. A missing body counts as an empty object.
pub(crate) struct JsonBody {
    text: Bytes,
    members: Vec<String>,
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let is_json = is_json(request.headers());
        let is_encoded = is_encoded(request.headers());
        let body = read_body(request).await?;
        if body.is_empty() {
            return Ok(Self {
                text: Bytes::from_static(b"{}"),
                members: Vec::new(),
            });
        }
        if !is_json || is_encoded {
            return Err(Error::UnsupportedMediaType("application/json"));
        }
        Self::checked(body)
    }
}

/// Reads the whole body.
pub(crate) async fn read_body(request: Request) -> Result<Bytes> {
    tokio::time::timeout(BODY_TIME_LIMIT, Bytes::from_request(request, &()))
        .await
        .map_err(|_| Error::BodyTimeout)?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::PayloadTooLarge,
            _ => Error::incomplete_body(),
        })
}

/// A body that is a JSON object or a markdown document.
pub(crate) enum JsonOrMarkdown {
    Json(JsonBody),
    Markdown(Bytes),
}

impl<S: Send + Sync> FromRequest<S> for JsonOrMarkdown {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let is_markdown = ["text/markdown", "text/x-markdown", "text/plain"]
            .contains(&essence(request.headers()).to_ascii_lowercase().as_str());
        if !is_markdown && !is_json(request.headers()) || is_encoded(request.headers()) {
            return Err(Error::UnsupportedMediaType(
                "application/json or text/markdown",
            ));
        }
        let body = read_body(request).await?;
        if is_markdown {
            return Ok(Self::Markdown(body));
        }
        JsonBody::checked(body).map(Self::Json)
    }
}

impl JsonBody {
    /// Checks that a body is a JSON object, and keeps the names of its members.
    fn checked(body: Bytes) -> Result<Self> {
        let members = json::check(&body, MAX_BODY_DEPTH).map_err(|error| {
            Error::InvalidRequest(format!("The body is not valid JSON: {error}."))
        })?;
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Error::InvalidRequest(
                "The body must be a JSON object.".to_owned(),
            ));
        }
        Ok(Self {
            text: body,
            members,
        })
    }

    /// Returns the text of the body.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Returns whether the object has this member.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.members.iter().any(|name| name == member)
    }

    /// Parses the body as a `T`.
    ///
    /// # Errors
    /// Names the field that is missing or invalid.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        let mut deserializer = serde_json::Deserializer::from_slice(&self.text);
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

/// Removes the position in the text from a message of serde_json: the path of the field is more useful.
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

/// Returns the media type without its parameters.
fn essence(headers: &HeaderMap) -> &str {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    media_type::essence(content_type.unwrap_or_default())
}
