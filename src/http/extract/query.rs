//! Query parameters.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::StringDeserializer;

use crate::http::error::{Error, Result, Unknown};
use crate::util::field_names::field_names;

/// The beginnings of the names of parameters that the platform adds to a request, such as `_vercel_share` and
/// `x-vercel-protection-bypass`.
const PLATFORM_PREFIXES: [&str; 2] = ["_", "x-vercel-"];

/// The query string, parsed as a `T`. Parameters that `T` does not have are rejected, so a route has one `QueryParams`,
/// with [`And`] for several structs and [`NoParameters`] for none.
pub(crate) struct QueryParams<T>(pub(crate) T);

/// The parameters of a route.
pub(crate) trait Parameters: Sized {
    /// Appends the names of the parameters.
    fn add_names(names: &mut Vec<&'static str>);

    /// Returns whether this is the name of a parameter that contains a key of the client.
    fn has_key(_name: &str) -> bool {
        false
    }

    /// Parses the query and ignores other parameters.
    ///
    /// # Errors
    /// If the query is malformed or a parameter is repeated.
    fn parse(uri: &Uri) -> Result<Self>;
}

/// The parameters of two structs.
pub(crate) struct And<A, B>(pub(crate) A, pub(crate) B);

/// No parameters.
#[derive(Deserialize)]
pub(crate) struct NoParameters {}

impl<T: DeserializeOwned> Parameters for T {
    fn add_names(names: &mut Vec<&'static str>) {
        names.extend(field_names::<T>());
    }

    fn parse(uri: &Uri) -> Result<Self> {
        // Not axum's extractor: it tracks the path of an error, which every function pays with its size.
        serde_urlencoded::from_str(uri.query().unwrap_or_default()).map_err(malformed)
    }
}

/// Returns the error of a query that is malformed, with the cause.
pub(crate) fn malformed(cause: impl std::fmt::Display) -> Error {
    Error::InvalidRequest(format!("The query is malformed: {cause}."))
}

impl<A: Parameters, B: Parameters> Parameters for And<A, B> {
    fn add_names(names: &mut Vec<&'static str>) {
        A::add_names(names);
        B::add_names(names);
    }

    fn has_key(name: &str) -> bool {
        A::has_key(name) || B::has_key(name)
    }

    fn parse(uri: &Uri) -> Result<Self> {
        Ok(Self(A::parse(uri)?, B::parse(uri)?))
    }
}

impl<S: Send + Sync, T: Parameters> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        reject_unknown::<T>(&parts.uri)?;
        T::parse(&parts.uri).map(Self)
    }
}

/// Rejects parameters that are neither of the route nor of the platform.
fn reject_unknown<T: Parameters>(uri: &Uri) -> Result<()> {
    let Some(query) = uri.query() else {
        return Ok(());
    };
    let mut known = Vec::new();
    T::add_names(&mut known);
    let names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let names = names.filter(|name| !is_of_platform(name) && !T::has_key(name));
    match Unknown::new(names, known) {
        Some(unknown) => Err(Error::UnknownParameters(unknown)),
        None => Ok(()),
    }
}

fn is_of_platform(name: &str) -> bool {
    let begins_with = |prefix: &&str| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    PLATFORM_PREFIXES.iter().any(begins_with)
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
