//! Query parameters.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::de::value::StringDeserializer;

use crate::http::error::{Error, Result};

/// The query. Parameters that `T` does not know are ignored: rewrites add some.
pub(crate) struct Parameters<T>(pub(crate) T);

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

/// A query parameter that is `true` or `false`; one that is not given is `false`.
pub(crate) fn flag(name: &str, text: Option<&str>) -> Result<bool> {
    match text.unwrap_or_default() {
        "true" => Ok(true),
        "" | "false" => Ok(false),
        _ => Err(Error::field(name, "must be true or false")),
    }
}
