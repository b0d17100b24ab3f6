//! Responses that several routes share: groups of errors, 304, and the contents of files.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use super::problem::problems;
use crate::util::schema::schema;

/// The responses to an invalid query.
pub(crate) enum BadQuery {}

impl IntoResponses for BadQuery {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY])
    }
}

/// The responses to an invalid body.
pub(crate) enum BadBody {}

impl IntoResponses for BadBody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            StatusCode::BAD_REQUEST,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ])
    }
}

/// 404 Not Found.
pub(crate) enum NotFound {}

impl IntoResponses for NotFound {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[StatusCode::NOT_FOUND])
    }
}

/// 409 Conflict.
pub(crate) enum Conflict {}

impl IntoResponses for Conflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[StatusCode::CONFLICT])
    }
}

/// 412 Precondition Failed.
pub(crate) enum PreconditionFailed {}

impl IntoResponses for PreconditionFailed {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[StatusCode::PRECONDITION_FAILED])
    }
}

/// The responses of a model that fails.
pub(crate) enum ModelFailed {}

impl IntoResponses for ModelFailed {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[StatusCode::BAD_GATEWAY])
    }
}

/// 416 Range Not Satisfiable.
pub(crate) enum RangeNotSatisfiable {}

impl IntoResponses for RangeNotSatisfiable {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[StatusCode::RANGE_NOT_SATISFIABLE])
    }
}

/// 304 Not Modified.
pub(crate) enum NotModified {}

impl IntoResponses for NotModified {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = ResponseBuilder::new()
            .description("The entity tag matches; the response has no body.")
            .header("ETag", HeaderBuilder::new().build());
        BTreeMap::from([("304".to_owned(), response.build().into())])
    }
}

/// The contents of a file.
pub(crate) enum FileContent {}

impl PartialSchema for FileContent {
    fn schema() -> RefOr<Schema> {
        schema(json!({"type": "string", "format": "binary"}))
    }
}

impl ToSchema for FileContent {}

/// Returns the schema `name` with additional members, and the mark of samples.
pub(crate) fn with_members(name: &str, mut members: Value) -> RefOr<Schema> {
    members["fallback"] = json!({
        "type": "boolean", "enum": [true],
        "description": "Marks a sample, which is returned because storage is missing or unavailable.",
    });
    schema(
        json!({"allOf": [Ref::from_schema_name(name), {"type": "object", "properties": members}]}),
    )
}
