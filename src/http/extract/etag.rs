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
use crate::util::etag;
use crate::util::schema::schema;

pub(crate) use crate::util::etag::quote as entity_tag;

/// The `If-Match` header: the versions that the caller expects.
pub(crate) struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Returns the expected versions; `None` for any, or if the header is missing.
    pub(crate) fn versions(&self) -> Option<&[String]> {
        let versions = self.0.as_deref();
        versions.filter(|versions| !versions.iter().any(|version| version == "*"))
    }

    /// Returns whether the request has the header.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }
}

/// The `If-None-Match` header: the versions that the caller already has.
pub(crate) struct IfNoneMatch(Option<Vec<String>>);

impl IfNoneMatch {
    /// Returns whether the caller already has this version.
    pub(crate) fn has(&self, version: &str) -> bool {
        self.0.as_ref().is_some_and(|versions| {
            versions
                .iter()
                .any(|known| known == version || known == "*")
        })
    }

    /// Returns whether the request has the header.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the versions in the header, without quotes; may contain `*`.
    pub(crate) fn versions(&self) -> &[String] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Returns whether the header is or contains `*`.
    pub(crate) fn is_any(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|versions| versions.iter().any(|version| version == "*"))
    }

    /// Returns the header in canonical form, for storage; `None` if it is missing.
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

/// Returns the versions in a header. The prefix `W/` is dropped: caches add it when they compress.
fn versions(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    if !headers.contains_key(name) {
        return None;
    }
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let tags = values.flat_map(etag::split_list);
    Some(tags.map(|tag| etag::unquote(tag).to_owned()).collect())
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
