//! Query parameters.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::de::value::StringDeserializer;

use crate::http::error::{Error, Result};

/// The query string, parsed as a `T`. Unknown parameters are ignored: the rewrites of Vercel add some.
pub(crate) struct QueryParams<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query = Query::try_from_uri(&parts.uri).map_err(|error| {
            Error::InvalidRequest(format!("The query is malformed: {}.", source_text(&error)))
        })?;
        Ok(Self(query.0))
    }
}

fn source_text(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// Parses a query parameter as a `T`, as the same value in JSON. An empty value counts as missing.
///
/// # Errors
/// Names the parameter if the value is invalid.
pub(crate) fn parameter<T: DeserializeOwned>(
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

/// Parses a query parameter that is `true` or `false`; a missing one is `false`.
///
/// # Errors
/// Names the parameter if the value is invalid.
pub(crate) fn flag(name: &str, text: Option<&str>) -> Result<bool> {
    match text.unwrap_or_default() {
        "true" => Ok(true),
        "" | "false" => Ok(false),
        _ => Err(Error::field(name, "must be true or false")),
    }
}
