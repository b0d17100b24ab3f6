//! JSON Schemas of the values that sessions, messages and volumes consist of. Their limits are the constants that the
//! parsers use.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::file_path::MAX_PATH_BYTES;
use super::message::{Attachment, Content, MAX_CONTENT_BYTES, Message, Role, Timestamp};
use super::metadata::Metadata;
use super::name::{MAX_NAME_CHARS, Name};
use super::session::{
    ChosenId, MAX_CHOSEN_ID_CHARS, MAX_SESSION_ID_BYTES, RESERVED_ID, SessionId, Status,
};
use super::tag::{MAX_TAG_CHARS, MAX_TAGS, Tag, Tags};
use super::volume::{MAPPED, MAX_MAPPED_ID_CHARS, MAX_VOLUME_ID_CHARS, VolumeId, VolumeKind};
use crate::util::schema::{CONTROLS, NO_NUL, described};

/// The white space that is trimmed off a name, as part of a character class.
const WHITE_SPACE: &str =
    r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// Returns the pattern of volume ids, without anchors. It excludes `.` and `..` without a look-ahead, which some regular
/// expression engines lack.
pub(crate) fn volume_id_pattern() -> String {
    let (first, all) = ("[A-Za-z0-9_@|~+=-]", "[A-Za-z0-9._@|~+=-]");
    let (one, two) = (MAX_VOLUME_ID_CHARS - 1, MAX_VOLUME_ID_CHARS - 2);
    let mapped = format!(
        "{MAPPED}[A-Za-z0-9._@|~+={MAPPED}-]{{1,{}}}",
        MAX_MAPPED_ID_CHARS - 1
    );
    format!(r"{first}{all}{{0,{one}}}|\.{first}{all}{{0,{two}}}|\.\.{all}{{1,{two}}}|{mapped}")
}

/// Returns the pattern of text with 1 to `max` characters after trimming, without control characters.
fn trimmed_pattern(max: usize) -> String {
    let inner = max - 2;
    let (outside, inside) = (
        format!("[{WHITE_SPACE}]*"),
        format!("[^{CONTROLS}]{{0,{inner}}}"),
    );
    let end = format!("[^{CONTROLS}{WHITE_SPACE}]");
    format!("^{outside}{end}(?:{inside}{end})?{outside}$")
}

/// Returns the schema of file paths. `path` may contain `/`.
pub(crate) fn file_path() -> Value {
    let part = r"[^/\\\u0000-\u001f\u007f-\u009f]{1,255}";
    json!({
        "type": "string", "minLength": 1, "maxLength": MAX_PATH_BYTES,
        "pattern": format!("^{part}(/{part})*$"),
        "not": {"pattern": r"(^|/)\.\.?(/|$)"},
    })
}

/// Returns the schema of Blob pathnames of files, as far as a pattern can express it.
pub(crate) fn file_pathname() -> Value {
    let volumes = format!("(?:user|team)/(?:{})|system/system", volume_id_pattern());
    json!({"type": "string", "pattern": format!(r"^volumes/(?:{volumes})/files/[^\\{CONTROLS}]+$")})
}

impl PartialSchema for VolumeKind {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "enum": [Self::User, Self::Team, Self::System]}),
            "The kind of owner: one user, one team, or the whole deployment.",
        )
    }
}

impl ToSchema for VolumeKind {
    fn name() -> Cow<'static, str> {
        "Volume".into()
    }
}

impl PartialSchema for VolumeId {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "pattern": format!("^(?:{})$", volume_id_pattern())}),
            "The user or team: 1–128 characters of `A-Z a-z 0-9 . _ - @ | ~ + =`, except `.` and `..`. Users and teams with \
             other names have an id that begins with `!`; `/api/me` returns those of the caller.",
        )
    }
}

impl ToSchema for VolumeId {}

impl PartialSchema for Name {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "pattern": trimmed_pattern(MAX_NAME_CHARS)}),
            "1–200 characters after trimming, without control characters.",
        )
    }
}

impl ToSchema for Name {}

impl PartialSchema for SessionId {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "minLength": 1, "maxLength": MAX_SESSION_ID_BYTES, "pattern": NO_NUL}),
            "The id of a session, at most 1,024 bytes.",
        )
    }
}

impl ToSchema for SessionId {}

impl PartialSchema for ChosenId {
    fn schema() -> RefOr<Schema> {
        described(
            json!({
                "type": "string", "pattern": format!("^[A-Za-z0-9_-]{{1,{MAX_CHOSEN_ID_CHARS}}}$"),
                "not": {"const": RESERVED_ID},
            }),
            "An id for a new session: 1–128 characters of `A-Z a-z 0-9 _ -`, except `batch`. It should be random.",
        )
    }
}

impl ToSchema for ChosenId {}

impl PartialSchema for Tag {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "pattern": trimmed_pattern(MAX_TAG_CHARS)}),
            "1–64 characters after trimming, without control characters. Stored in Unicode normal form C.",
        )
    }
}

impl ToSchema for Tag {}

impl PartialSchema for Tags {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "array", "maxItems": MAX_TAGS, "items": Ref::from_schema_name(Tag::name())}),
            "The tags of a session. Repeated tags are stored once.",
        )
    }
}

impl ToSchema for Tags {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Tag::name().into(), Tag::schema()));
    }
}

impl PartialSchema for Status {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "enum": [Self::Active, Self::Paused, Self::Completed]}),
            "The status of a session.",
        )
    }
}

impl ToSchema for Status {}

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "object", "additionalProperties": true}),
            "Metadata of the caller's own: a JSON object of at most 16 KB and 8 levels, also after a merge, without NUL.",
        )
    }
}

impl ToSchema for Metadata {}

impl PartialSchema for Role {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "enum": [Self::User, Self::Assistant, Self::System, Self::Tool]}),
            "The author of a message.",
        )
    }
}

impl ToSchema for Role {}

impl PartialSchema for Content {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "minLength": 1, "maxLength": MAX_CONTENT_BYTES, "pattern": NO_NUL}),
            "The text of a message: 1 byte to 256 KB of UTF-8, without NUL.",
        )
    }
}

impl ToSchema for Content {}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "format": "date-time"}),
            "A time as in RFC 3339, with any offset. It is stored and returned in UTC.",
        )
    }
}

impl ToSchema for Timestamp {}

impl PartialSchema for Attachment {
    fn schema() -> RefOr<Schema> {
        described(
            json!({}),
            "Any JSON value without NUL. It is returned unchanged.",
        )
    }
}

impl ToSchema for Attachment {}

impl PartialSchema for Message {
    fn schema() -> RefOr<Schema> {
        let message = json!({
            "type": "object",
            "required": ["id", "seq", "role", "content", "timestamp", "traces", "artifacts"],
            "properties": {
                "id": {"type": "string"},
                "seq": {"type": "integer", "minimum": 1, "description": "The position in the session, from 1."},
                "role": {"oneOf": [Ref::from_schema_name(Role::name()), {"type": "null"}]},
                "content": {"type": ["string", "null"]},
                "timestamp": {"type": ["string", "null"]},
                "traces": Ref::from_schema_name(Attachment::name()),
                "artifacts": Ref::from_schema_name(Attachment::name()),
                "unreadable": {
                    "type": "boolean", "enum": [true],
                    "description": "The stored message cannot be parsed; members that cannot be read are `null`.",
                },
            },
        });
        described(message, "A stored message.")
    }
}

impl ToSchema for Message {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Role::name().into(), Role::schema()));
        schemas.push((Attachment::name().into(), Attachment::schema()));
    }
}
