//! What many handlers have to say of themselves, for the description of the API: their extractors as parameters,
//! and groups of errors.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Ref, RefOr, Required, Response, ResponseBuilder, Schema};
use utoipa::{IntoParams, IntoResponses, PartialSchema, ToSchema};

use super::parameters::pathname;
use super::problem::problems;
use super::schemas::schema;
use crate::domain::file_path::MAX_PATH_BYTES;
use crate::domain::message::{Message, NewMessage};
use crate::domain::session::{Session, SessionId};
use crate::http::extract::etag::{IfMatch, IfNoneMatch};
use crate::http::extract::idempotency::{IdempotencyKey, MAX_KEY_BYTES};
use crate::http::extract::path::{FilePathParam, SessionPath, SkillPath};
use crate::http::sessions::messages::Batch;
use crate::http::sessions::response::SessionAnswer;
use crate::http::skills::response::SkillAnswer;
use crate::service::skills::SkillSummary;
use crate::skill::SkillId;

fn parameter(place: ParameterIn, name: &str, of: RefOr<Schema>, text: &str) -> Vec<Parameter> {
    let is_path = place == ParameterIn::Path;
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(if is_path {
            Required::True
        } else {
            Required::False
        })
        .description(Some(text))
        .schema(Some(of));
    vec![parameter.build()]
}

/// That there is no file yet.
pub(crate) enum IfMissing {}
/// Part of a file.
pub(crate) enum Range {}
/// Part of a file in a state.
pub(crate) enum IfRange {}
/// What the store signs.
pub(crate) enum Signature {}

/// Makes parameters of extractors.
macro_rules! parameters {
    ($($type:ty: $place:ident $name:literal, $schema:expr, $text:literal;)*) => {$(
        impl IntoParams for $type {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                parameter(ParameterIn::$place, $name, $schema, $text)
            }
        }
    )*};
}

parameters! {
    SessionPath: Path "id", SessionId::schema(),
        "The session's id, percent-encoded: ids of old sessions hold whatever their name held.";
    SkillPath: Path "id", SkillId::schema(), "The skill's id, percent-encoded.";
    FilePathParam: Path "path", schema(file_path()),
        "The file's path, which may hold `/`: parts of up to 255 bytes, 900 in all, and 950 characters with the \
        volume. No part is empty, `.` or `..`; no `\\`, no control characters and none that turn the direction of \
        text, also where they are percent-encoded.";
    IfMatch: Header "If-Match", tags(), "Do this only to the state with one of these entity tags, else 412; `*` is any.";
    IfNoneMatch: Header "If-None-Match", tags(), "The entity tags that the caller has already; `*` is any.";
    IfMissing: Header "If-None-Match", schema(json!({"type": "string", "enum": ["*"]})),
        "Store this only where there is no file. Not together with `If-Match`.";
    Range: Header "Range", schema(json!({"type": "string"})), "The part that is wanted, as `bytes=4-7`.";
    IfRange: Header "If-Range", schema(json!({"type": "string"})),
        "The state that the part must be of, else it is all.";
    Signature: Header "x-vercel-signature", schema(json!({"type": "string"})),
        "With `blob.upload-completed`: the store's signature of the body.";
    IdempotencyKey: Header "Idempotency-Key",
        schema(json!({"type": "string", "pattern": format!("^[!-~]{{1,{MAX_KEY_BYTES}}}$")})),
        "1 to 255 visible ASCII characters, made up for each thing that is to happen. The same request under the \
        same key takes effect once, for 24 hours.";
}

fn file_path() -> Value {
    let part = r"[^/\\\u0000-\u001f\u007f-\u009f]{1,255}";
    json!({
        "type": "string", "minLength": 1, "maxLength": MAX_PATH_BYTES,
        "pattern": format!("^{part}(/{part})*$"),
        "not": {"pattern": r"(^|/)\.\.?(/|$)"},
    })
}

fn tags() -> RefOr<Schema> {
    schema(json!({"type": "string", "examples": ["\"ead5697468ff48e7-5\""]}))
}

/// Makes groups of errors.
macro_rules! answers {
    ($($(#[$attribute:meta])* $type:ident: $($status:ident),*;)*) => {$(
        $(#[$attribute])*
        pub(crate) enum $type {}

        impl IntoResponses for $type {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problems(&[$(StatusCode::$status),*])
            }
        }
    )*};
}

answers! {
    /// What the query can be wrong about.
    BadQuery: BAD_REQUEST, UNPROCESSABLE_ENTITY;
    /// What a body can be wrong about.
    BadBody: BAD_REQUEST, REQUEST_TIMEOUT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, UNPROCESSABLE_ENTITY;
    /// That it is not there.
    Missing: NOT_FOUND;
    /// That it is there already, or that others are in the way.
    Contended: CONFLICT;
    /// That it was changed meanwhile.
    Stale: PRECONDITION_FAILED;
    /// That the file is shorter.
    OutOfRange: RANGE_NOT_SATISFIABLE;
}

/// That the caller has it already.
pub(crate) enum Unchanged {}

impl IntoResponses for Unchanged {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = ResponseBuilder::new()
            .description("The caller has this state already.")
            .header("ETag", HeaderBuilder::new().build());
        BTreeMap::from([("304".to_owned(), response.build().into())])
    }
}

/// A schema with some members more.
fn with_members(of: &str, members: &Value) -> RefOr<Schema> {
    let mut members = members.clone();
    members["fallback"] = json!({
        "type": "boolean", "enum": [true], "description": "This is a sample, because storage is missing or down.",
    });
    schema(json!({"allOf": [Ref::from_schema_name(of), {"type": "object", "properties": members}]}))
}

impl PartialSchema for SessionAnswer {
    fn schema() -> RefOr<Schema> {
        let messages = json!({
            "type": "array", "items": Ref::from_schema_name(Message::name()),
            "description": "The latest messages, in order; after a change there are none.",
        });
        with_members(&Session::name(), &json!({"messages": messages}))
    }
}

impl ToSchema for SessionAnswer {
    fn name() -> std::borrow::Cow<'static, str> {
        "FoundSession".into()
    }
}

impl PartialSchema for SkillAnswer {
    fn schema() -> RefOr<Schema> {
        let content = json!({"type": "string", "description": "The whole document; after a change it is not there."});
        with_members(&SkillSummary::name(), &json!({"content": content}))
    }
}

impl ToSchema for SkillAnswer {
    fn name() -> std::borrow::Cow<'static, str> {
        "FoundSkill".into()
    }
}

/// Makes schemas of what has no type of its own.
macro_rules! schemas {
    ($($(#[$attribute:meta])* $type:ident: $schema:expr;)*) => {$(
        $(#[$attribute])*
        pub(crate) enum $type {}

        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                schema($schema)
            }
        }

        impl ToSchema for $type {}
    )*};
}

schemas! {
    /// A message, or several.
    NewMessages: json!({
        "description": "A message, or several: with `messages` it is several.",
        "anyOf": [Ref::from_schema_name(Batch::name()), Ref::from_schema_name(NewMessage::name())],
    });
    /// A whole skill.
    SkillDocument: json!({
        "type": "string",
        "description": "A document of at most 1 MB, in UTF-8 and without NUL: front matter with a `name` between \
            lines `---`, of at most 64 KB, and markdown.",
    });
    /// The path of a file, as a text.
    WantedPath: file_path();
    /// The bytes of a file.
    FileContent: json!({"type": "string", "format": "binary"});
    /// What is asked by, or told to, the route of uploads.
    UploadEvent: json!({
        "description": "What the client asks, or Vercel tells.",
        "oneOf": [
            {
                "type": "object",
                "required": ["type", "payload"],
                "properties": {
                    "type": {"type": "string", "enum": ["blob.generate-client-token"]},
                    "payload": {
                        "type": "object",
                        "required": ["pathname"],
                        "properties": {
                            "pathname": pathname(),
                            "clientPayload": {
                                "type": ["string", "null"],
                                "contentMediaType": "application/json",
                                "description": "JSON: `size` in bytes, up to 524,288,000, and `content_type`, a \
                                    media type of at most 255 characters. Both may be missing.",
                            },
                        },
                    },
                },
            },
            {
                "type": "object",
                "required": ["type", "payload"],
                "properties": {
                    "type": {"type": "string", "enum": ["blob.upload-completed"]},
                    "payload": {"description": "What Vercel says of the file."},
                },
            },
        ],
    });
    /// What the route of uploads answers.
    UploadAnswer: json!({
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "enum": ["blob.generate-client-token", "blob.upload-completed"]},
            "clientToken": {"type": "string", "description": "What the browser sends its file with."},
            "pathname": {"type": "string", "description": "Where it sends it: what the token is for."},
            "url": {"type": "string", "description": "The base address of the store's API."},
            "access": {"type": "string", "enum": ["private", "public"], "description": "Of what kind the store is."},
            "response": {"type": "string", "enum": ["ok"]},
        },
    });
}
