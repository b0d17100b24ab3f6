//! Building blocks of JSON Schemas for the OpenAPI description.

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::{RefOr, Schema};

/// The extension that carries a JSON Schema through utoipa; `openapi::document` moves its members into the schema itself.
pub(crate) const JSON_SCHEMA: &str = "x-json-schema";

/// The control characters, as part of a character class.
pub(crate) const CONTROLS: &str = r"\u0000-\u001f\u007f-\u009f";
/// The pattern of text without NUL.
pub(crate) const NO_NUL: &str = r"^[^\u0000]*$";

/// Returns a schema from its JSON. The types of utoipa lack keywords such as `not` and `const`, so an extension
/// carries the JSON.
pub(crate) fn schema(json: Value) -> RefOr<Schema> {
    let extensions = Extensions::from_iter([(JSON_SCHEMA.to_owned(), json)]);
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .extensions(Some(extensions))
        .into()
}

/// Returns a schema from its JSON, with a description.
pub(crate) fn described(mut json: Value, description: &str) -> RefOr<Schema> {
    json["description"] = json!(description);
    schema(json)
}
