//! Schemas of query parameters, and builders of path and header parameters.
//!
//! An empty query parameter counts as missing, so each schema of one also allows the empty text.

use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{RefOr, Required, Schema};

use crate::domain::schema::volume_id_pattern;
use crate::domain::session::Status;
use crate::domain::volume::VolumeKind;
use crate::util::schema::schema;

/// Returns the schema of any text.
pub(crate) fn text() -> RefOr<Schema> {
    schema(json!({"type": "string"}))
}

/// Returns the schema of a value that may be empty.
pub(crate) fn or_empty(value: &Value) -> RefOr<Schema> {
    schema(json!({"anyOf": [value, {"type": "string", "maxLength": 0}]}))
}

/// Returns the schema of one of these words, or an empty value.
pub(crate) fn one_of<T: serde::Serialize>(words: &[T]) -> RefOr<Schema> {
    let words = words.iter().map(|word| json!(word));
    let words: Vec<Value> = words.chain([json!("")]).collect();
    schema(json!({"type": "string", "enum": words}))
}

/// Returns the schema of `true` or `false`.
pub(crate) fn flag() -> RefOr<Schema> {
    one_of(&["true", "false"])
}

/// Returns the schema of a `volume`.
pub(crate) fn volume() -> RefOr<Schema> {
    one_of(&[VolumeKind::User, VolumeKind::Team, VolumeKind::System])
}

/// Returns the schema of a `volume_id`.
pub(crate) fn volume_id() -> RefOr<Schema> {
    schema(json!({"type": "string", "pattern": format!("^(?:{})?$", volume_id_pattern())}))
}

/// Returns the schema of the status of a session.
pub(crate) fn status() -> RefOr<Schema> {
    one_of(&[Status::Active, Status::Paused, Status::Completed])
}

/// Returns the schema of the cursor of a page.
pub(crate) fn cursor() -> RefOr<Schema> {
    schema(json!({"type": "string", "pattern": "^[A-Za-z0-9_-]*$"}))
}

/// Returns a parameter of the path.
pub(crate) fn in_path(name: &str, schema: RefOr<Schema>, description: &str) -> Vec<Parameter> {
    parameter(name, ParameterIn::Path, Required::True, schema, description)
}

/// Returns an optional header of the request.
pub(crate) fn in_header(name: &str, schema: RefOr<Schema>, description: &str) -> Vec<Parameter> {
    parameter(
        name,
        ParameterIn::Header,
        Required::False,
        schema,
        description,
    )
}

fn parameter(
    name: &str,
    place: ParameterIn,
    required: Required,
    schema: RefOr<Schema>,
    description: &str,
) -> Vec<Parameter> {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(description))
        .schema(Some(schema));
    vec![parameter.build()]
}
