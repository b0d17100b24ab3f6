//! What values look like, for those types that are checked by hand: their limits come from the same constants.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::message::{
    Attachment, Content, MAX_BATCH, MAX_CONTENT_BYTES, Message, NewMessage, Role, Timestamp,
};
use crate::domain::metadata::Metadata;
use crate::domain::name::{MAX_NAME_CHARS, Name};
use crate::domain::session::{MAX_SESSION_ID_BYTES, SessionId, Status};
use crate::domain::volume::{MAX_VOLUME_ID_CHARS, VolumeId, VolumeKind};
use crate::skill::fields::{
    MAX_CODE_BYTES, MAX_DESCRIPTION_BYTES, MAX_LABEL_CHARS, MAX_LANGUAGE_CHARS, MAX_TAGS,
};
use crate::skill::id::MAX_SKILL_ID_BYTES;
use crate::skill::{Code, Description, Label, Language, Parameters, SkillId, Tags};

/// What is trimmed off a name, and what may not be within it, as parts of a character class.
const BLANKS: &str =
    r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
pub(crate) const CONTROLS: &str = r"\u0000-\u001f\u007f-\u009f";
/// A text without NUL.
const NO_NUL: &str = r"^[^\u0000]*$";

/// What a schema that is JSON already stands under, until the description is complete.
pub(crate) const AS_IT_IS: &str = "x-as-it-is";

/// A schema from its JSON. The types of utoipa do not know all that a schema can say, so it is only put in its
/// place at the end.
pub(crate) fn schema(json: Value) -> RefOr<Schema> {
    let extensions = Extensions::from_iter([(AS_IT_IS.to_owned(), json)]);
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .extensions(Some(extensions))
        .into()
}

/// All but `.` and `..`, without a look-ahead, which not all readers of patterns know.
pub(crate) fn volume_id_pattern() -> String {
    let (first, all) = ("[A-Za-z0-9_@|~+=-]", "[A-Za-z0-9._@|~+=-]");
    let (one, two) = (MAX_VOLUME_ID_CHARS - 1, MAX_VOLUME_ID_CHARS - 2);
    format!(r"{first}{all}{{0,{one}}}|\.{first}{all}{{0,{two}}}|\.\.{all}{{1,{two}}}")
}

fn name_pattern() -> String {
    let inner = MAX_NAME_CHARS - 2;
    let (outside, inside) = (
        format!("[{BLANKS}]*"),
        format!("[^{CONTROLS}]{{0,{inner}}}"),
    );
    let end = format!("[^{CONTROLS}{BLANKS}]");
    format!("^{outside}{end}(?:{inside}{end})?{outside}$")
}

fn label(maximum: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": maximum, "pattern": format!("^[^{CONTROLS}]*$")})
}

/// Gives each type its schema, under the type's name.
macro_rules! describe {
    ($($type:ty: $schema:expr, $description:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let mut json: Value = $schema;
                json["description"] = json!($description);
                schema(json)
            }
        }
        impl ToSchema for $type {}
    )*};
}

impl PartialSchema for VolumeKind {
    fn schema() -> RefOr<Schema> {
        schema(json!({
            "type": "string", "enum": [Self::User, Self::Team, Self::System],
            "description": "Whose something is: one user's, one team's, or everyone's.",
        }))
    }
}

impl ToSchema for VolumeKind {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Volume")
    }
}

describe! {
    Name: json!({"type": "string", "pattern": name_pattern()}),
        "1 to 200 characters after trimming, no control characters.";
    VolumeId: json!({"type": "string", "pattern": format!("^(?:{})$", volume_id_pattern())}),
        "Which user or team: 1 to 128 of `A-Z a-z 0-9 . _ - @ | ~ + =`, not `.` or `..`.";
    SessionId: json!({"type": "string", "minLength": 1, "maxLength": MAX_SESSION_ID_BYTES, "pattern": NO_NUL}),
        "Names a session. At most 1,024 bytes.";
    Status: json!({"type": "string", "enum": [Self::Active, Self::Paused, Self::Completed]}),
        "Where a session stands.";
    Metadata: json!({"type": "object", "additionalProperties": true}),
        "An object of the caller's own: at most 16 KB and 8 levels, also after merging, and without NUL.";
    Role: json!({"type": "string", "enum": [Self::User, Self::Assistant, Self::System, Self::Tool]}),
        "Who wrote a message.";
    Content: json!({"type": "string", "minLength": 1, "maxLength": MAX_CONTENT_BYTES, "pattern": NO_NUL}),
        "What a message says: 1 byte to 256 KB of UTF-8, without NUL.";
    Message: json!({
        "type": "object",
        "required": ["id", "seq", "role", "content", "timestamp", "traces", "artifacts"],
        "properties": {
            "id": {"type": "string"},
            "seq": {"type": "integer", "minimum": 1, "description": "Its place in the session: 1, 2, …"},
            "role": {"oneOf": [Ref::from_schema_name(Role::name()), {"type": "null"}]},
            "content": {"type": ["string", "null"]},
            "timestamp": {"type": ["string", "null"]},
            "traces": Ref::from_schema_name(Attachment::name()),
            "artifacts": Ref::from_schema_name(Attachment::name()),
            "unreadable": {
                "type": "boolean", "enum": [true],
                "description": "What is stored here is no message: what it says is `null`.",
            },
        },
    }), "A message, as it is stored and answered.";
    Timestamp: json!({"type": "string", "format": "date-time"}),
        "A moment as in RFC 3339, with any offset; kept and answered in UTC.";
    SkillId: json!({"type": "string", "minLength": 1, "maxLength": MAX_SKILL_ID_BYTES}),
        "Names a skill within its volume. Those of new ones have up to 64 of `a-z 0-9 -`.";
    Description: json!({
        "type": "string", "maxLength": MAX_DESCRIPTION_BYTES,
        "pattern": r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
    }), "What a skill is for: at most 8 KB, no control characters but tabs and line ends.";
    Code: json!({"type": "string", "maxLength": MAX_CODE_BYTES, "pattern": NO_NUL}),
        "The code of a skill: at most 512 KB, without NUL, and not with more than 1,000 backticks and 1,000 \
        tildes in a row.";
    Language: json!({"type": "string", "pattern": format!("^[A-Za-z0-9+#._-]{{1,{MAX_LANGUAGE_CHARS}}}$")}),
        "The language of code: 1 to 64 of `A-Z a-z 0-9 + # . _ -`.";
    Tags: json!({"type": "array", "maxItems": MAX_TAGS, "items": label(MAX_LABEL_CHARS)}),
        "At most 1,000 texts of 1 to 256 characters, none a control character, 16 KB in all.";
    Label: label(MAX_LABEL_CHARS),
        "1 to 256 characters, none a control character.";
    Parameters: json!({"type": "array", "items": {"type": "object"}}),
        "An array of objects, as `{name, type, description}`: at most 16 KB and 16 levels, without NUL.";
    Attachment: json!({}),
        "Any JSON without NUL; it comes back as it was sent.";
}

/// The messages of one request.
pub(crate) fn batch() -> RefOr<Schema> {
    schema(json!({
        "type": "array", "minItems": 1, "maxItems": MAX_BATCH,
        "items": {"$ref": format!("#/components/schemas/{}", NewMessage::name())},
    }))
}
