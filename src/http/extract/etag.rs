//! Conditional requests: entity tags, `If-Match` and `If-None-Match` (RFC 9110, section 13).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use serde_json::json;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{RefOr, Schema};

use crate::http::error::{Error, Result};
use crate::http::schema::parameters::in_header;
use crate::util::schema::schema;

/// The states that a request is meant for, by `If-Match`.
pub(crate) struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Returns the expected versions; `None` for any, or if the header is missing.
    pub(crate) fn versions(&self) -> Option<&[String]> {
        let versions = self.0.as_deref();
        versions.filter(|versions| !versions.iter().any(|version| version == "*"))
    }

    /// Whether the caller says anything.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }
}

/// The states that the caller has already, by `If-None-Match`.
pub(crate) struct IfNoneMatch(Option<Vec<String>>);

impl IfNoneMatch {
    /// Whether the caller has this state already.
    pub(crate) fn has(&self, version: &str) -> bool {
        self.0.as_ref().is_some_and(|versions| {
            versions
                .iter()
                .any(|known| known == version || known == "*")
        })
    }

    /// Whether the caller says anything.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Whether any state counts as one that the caller has.
    pub(crate) fn is_any(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|it| it.iter().any(|version| version == "*"))
    }

    /// The header that asks storage the same; `None` where the caller has nothing.
    pub(crate) fn header(&self) -> Option<String> {
        let tag = |version: &String| match version.as_str() {
            "*" => version.clone(),
            version => entity_tag(version),
        };
        let tags: Vec<String> = self.0.as_ref()?.iter().map(tag).collect();
        Some(tags.join(", "))
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(versions(&parts.headers, &header::IF_MATCH)))
    }
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(versions(&parts.headers, &header::IF_NONE_MATCH)))
    }
}

/// The entity tag of a version.
pub(crate) fn entity_tag(version: &str) -> String {
    format!("\"{version}\"")
}

/// The versions that a header lists. A `W/` is dropped: caches add it when they compress.
fn versions(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    if !headers.contains_key(name) {
        return None;
    }
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let tags = values.flat_map(|value| value.split(',')).map(str::trim);
    Some(
        tags.map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned())
            .collect(),
    )
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The expected entity tags. If none matches the current one, the response is 412. `*` matches any.";
        in_header("If-Match", entity_tags(), text)
    }
}

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "The entity tags that the client has. If one matches, the response is 304. `*` matches any.";
        in_header("If-None-Match", entity_tags(), text)
    }
}

/// `If-None-Match: *`, which lets a write only create.
pub(crate) enum IfNoneMatchStar {}

impl IntoParams for IfNoneMatchStar {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let star = schema(json!({"type": "string", "enum": ["*"]}));
        let text =
            "Stores the file only if none exists at this path. Not together with `If-Match`.";
        in_header("If-None-Match", star, text)
    }
}

fn entity_tags() -> RefOr<Schema> {
    schema(json!({"type": "string", "examples": ["\"ead5697468ff48e7-5\""]}))
}
