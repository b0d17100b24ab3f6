//! Extractors of bodies: JSON objects and markdown documents.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::headers::check_expectation;
use crate::domain::message::NewMessage;
use crate::http::error::{Error, Result, Unknown};
use crate::util::field_names::field_names;
use crate::util::json::{self, Object};
use crate::util::media_type;
use crate::util::surrogate::{path_of_invalid_value, without_lone_surrogates};

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
        let body = read_body(request).await?;
        if body.is_empty() {
            return Ok(Self {
                text: Bytes::from_static(b"{}"),
                members: Vec::new(),
            });
        }
        if !is_json {
            return Err(Error::UnsupportedMediaType("application/json"));
        }
        Self::checked(body)
    }
}

/// Reads the whole body. Rejects an unmet `Expect` again, because an upload reads bodies of unauthenticated callers.
pub(crate) async fn read_body(request: Request) -> Result<Bytes> {
    check_expectation(request.headers())?;
    let is_utf8 = has_utf8_charset(request.headers());
    let body = tokio::time::timeout(BODY_TIME_LIMIT, Bytes::from_request(request, &()))
        .await
        .map_err(|_| Error::BodyTimeout)?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::PayloadTooLarge,
            _ => Error::incomplete_body(),
        })?;
    // Many clients name another charset by default; ASCII is the same in all common ones.
    if !is_utf8 && !body.is_ascii() {
        return Err(Error::UnsupportedMediaType("UTF-8"));
    }
    Ok(body)
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
        if !is_markdown && !is_json(request.headers()) {
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
        let members = json::check(&body, MAX_BODY_DEPTH);
        let members = members.map_err(|error| invalid_json(&body, &error))?;
        if !is_object(&body) {
            return Err(Error::InvalidRequest(
                "The body must be a JSON object.".to_owned(),
            ));
        }
        Ok(Self {
            text: body,
            members,
        })
    }

    /// Rejects members that `T` does not have, with all their names.
    fn reject_unknown<T: DeserializeOwned>(&self) -> Result<()> {
        let mut members: Vec<&String> = self.members.iter().collect();
        members.sort_unstable();
        unknown_members(members, field_names::<T>())
    }

    /// Rejects members that a `T` does not have in the objects of the array `array`, with all their paths. It reads the
    /// body again, so it is called only after an error.
    ///
    /// # Errors
    /// If there are such members. A body with another form passes.
    pub(crate) fn reject_unknown_in<T: DeserializeOwned>(&self, array: &str) -> Result<()> {
        let text = std::str::from_utf8(&self.text).unwrap_or_default();
        let object = Object::parse(text);
        let items = object.as_ref().and_then(|object| object.get(array));
        let items =
            items.and_then(|items| serde_json::from_str::<Vec<&RawValue>>(items.get()).ok());
        let items = items.iter().flatten().enumerate();
        let paths = items
            .flat_map(|(index, item)| unknown_paths::<T>(&format!("{array}[{index}]"), item.get()));
        unknown_members(paths, field_names::<T>())
    }

    /// Parses the member `messages`, which must be the only one and have a length in `range`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(crate) fn messages(&self, range: RangeInclusive<usize>) -> Result<Vec<NewMessage>> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Messages {
            messages: Vec<NewMessage>,
        }
        let parsed = self.parse();
        if parsed.is_err() {
            self.reject_unknown_in::<NewMessage>("messages")?;
        }
        let Messages { messages } = parsed?;
        if range.contains(&messages.len()) {
            return Ok(messages);
        }
        let rule = format!("must be {} to {} messages", range.start(), range.end());
        Err(Error::field("messages", rule))
    }

    /// Returns the text of the body.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Returns whether the object has this member.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.members.iter().any(|name| name == member)
    }

    /// Parses the body as a `T`. Members that `T` does not have are the application's.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(crate) fn parse_known<T: DeserializeOwned>(&self) -> Result<T> {
        self.deserialize()
    }

    /// Parses the body as a `T`.
    ///
    /// # Errors
    /// Names the members that `T` does not have, or the field that is missing or invalid.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        self.reject_unknown::<T>()?;
        self.deserialize()
    }

    fn deserialize<T: DeserializeOwned>(&self) -> Result<T> {
        parse_at("", &self.text)
    }
}

/// Parses an object whose place in the body is `path`, which is empty for the body itself.
///
/// # Errors
/// Names the field that is missing or invalid.
pub(crate) fn parse_at<T: DeserializeOwned>(path: &str, object: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(object);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.path().to_string();
        let field = match &*inner {
            "." | "?" if !path.is_empty() => path.to_owned(),
            inner => member_at(path, inner),
        };
        let message = without_position(&error.into_inner().to_string());
        match message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.strip_suffix('`'))
        {
            Some(missing) => Error::field(member_at(&field, missing), "is required"),
            None => Error::field(field, message),
        }
    })
}

/// Returns the path of a member of the object at `path`, which is empty or `.` for the body itself.
pub(crate) fn member_at(path: &str, member: &str) -> String {
    match path {
        "" | "." => member.to_owned(),
        path => format!("{path}.{member}"),
    }
}

/// Rejects members that `T` does not have in an object within a body, with all their paths, which begin with `path`.
///
/// # Errors
/// If there are such members. Text that is not an object passes.
pub(crate) fn reject_unknown_within<T: DeserializeOwned>(path: &str, object: &str) -> Result<()> {
    unknown_members(unknown_paths::<T>(path, object), field_names::<T>())
}

fn unknown_paths<T: DeserializeOwned>(path: &str, object: &str) -> Vec<String> {
    let object = Object::parse(object).unwrap_or_default();
    let known = field_names::<T>();
    let unknown = object.names().filter(|name| !known.contains(name));
    unknown.map(|name| format!("{path}.{name}")).collect()
}

/// Rejects names that are not in `known`.
fn unknown_members(
    names: impl IntoIterator<Item = impl AsRef<str>>,
    known: &[&'static str],
) -> Result<()> {
    match Unknown::new(names, known.to_vec()) {
        Some(unknown) => Err(Error::UnknownMembers(unknown)),
        None => Ok(()),
    }
}

fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Returns the error of a body that the strict check rejects. An object that only contains halves of surrogate pairs is
/// JSON with an invalid field.
fn invalid_json(body: &[u8], error: &serde_json::Error) -> Error {
    let not_json = |error: &serde_json::Error| {
        Error::InvalidRequest(format!("The body is not valid JSON: {error}."))
    };
    match without_lone_surrogates(body).filter(|_| is_object(body)) {
        None => not_json(error),
        Some(replaced) => match json::check(&replaced, MAX_BODY_DEPTH) {
            Err(error) => not_json(&error),
            Ok(_) => Error::field(
                path_of_invalid_value(body).unwrap_or_default(),
                "must not contain half of a surrogate pair",
            ),
        },
    }
}

/// Removes the position in the text from a message of serde_json: the path of the field is more useful.
fn without_position(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
        .to_owned()
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = essence(headers);
    essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("application/merge-patch+json")
}

/// Returns whether the media type has no `charset`, or one that UTF-8 contains.
fn has_utf8_charset(headers: &HeaderMap) -> bool {
    let parameters = content_type(headers).split(';').skip(1);
    let mut charsets = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"'))
    });
    charsets.all(|charset| {
        let is = |name: &&str| charset.eq_ignore_ascii_case(name);
        ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(is)
    })
}

/// Returns the media type without its parameters.
fn essence(headers: &HeaderMap) -> &str {
    media_type::essence(content_type(headers))
}

fn content_type(headers: &HeaderMap) -> &str {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    content_type.unwrap_or_default()
}
