//! JSON Schemas of the values that sessions, messages and volumes consist of. Their limits are the constants that the
//! parsers use.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::file_path::MAX_PATH_BYTES;
use super::message::{
    Annotations, Attachment, Content, Feedback, Label, MAX_CHAT_ITEMS, MAX_COMMENT_CHARS,
    MAX_CONTENT_BYTES, MAX_LABEL_CHARS, MAX_MESSAGE_ID_BYTES, MAX_MODEL_CHARS, MAX_PART_TYPE_CHARS,
    MAX_PARTS, Message, MessageId, MessageStatus, Model, Parts, Role, SentContent, TOKEN_COUNTS,
    Timestamp, ToolCalls, Usage,
};
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

impl ToSchema for ChosenId {
    fn name() -> Cow<'static, str> {
        "ChosenSessionId".into()
    }
}

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
    fn name() -> Cow<'static, str> {
        "SessionTags".into()
    }

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
            json!({"type": "string", "enum": Self::ALL}),
            "The author of a message.",
        )
    }
}

impl ToSchema for Role {}

impl PartialSchema for Content {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "maxLength": MAX_CONTENT_BYTES, "pattern": NO_NUL}),
            "The text of a message: at most 256 KB of UTF-8, without NUL. It is empty only where there are parts.",
        )
    }
}

impl ToSchema for Content {}

/// Returns the schema of a list of objects with a member that is a text.
fn chat_items(member: &str) -> Value {
    let text = json!({"type": "string", "minLength": 1});
    json!({
        "type": "array", "maxItems": MAX_CHAT_ITEMS,
        "items": {"type": "object", "required": [member], "additionalProperties": true, "properties": {member: text}},
    })
}

impl PartialSchema for SentContent {
    fn schema() -> RefOr<Schema> {
        let text = Ref::from_schema_name(Content::name());
        described(
            json!({"anyOf": [text, chat_items("type"), {"type": "null"}]}),
            "The text, or content parts of OpenAI's Chat Completions, such as `text`, `image_url`, `input_audio` and `file`.",
        )
    }
}

impl ToSchema for SentContent {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Content::name().into(), Content::schema()));
    }
}

impl PartialSchema for ToolCalls {
    fn schema() -> RefOr<Schema> {
        described(
            chat_items("id"),
            "Calls of tools by an assistant, as in OpenAI's Chat Completions: of type `function` or `custom`.",
        )
    }
}

impl ToSchema for ToolCalls {}

impl PartialSchema for Annotations {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "array", "maxItems": MAX_CHAT_ITEMS, "items": {"type": "object"}}),
            "Annotations of the text of an assistant, as in OpenAI's Chat Completions. They are returned unchanged with \
             `format=openai`.",
        )
    }
}

impl ToSchema for Annotations {}

impl PartialSchema for Label {
    fn schema() -> RefOr<Schema> {
        let pattern = format!("^[^{CONTROLS}]*$");
        described(
            json!({"type": "string", "minLength": 1, "maxLength": MAX_LABEL_CHARS, "pattern": pattern}),
            "A name or the id of a call.",
        )
    }
}

impl ToSchema for Label {
    fn name() -> Cow<'static, str> {
        "MessageLabel".into()
    }
}

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

impl PartialSchema for MessageId {
    fn schema() -> RefOr<Schema> {
        described(
            json!({
                "type": "string", "minLength": 1, "maxLength": MAX_MESSAGE_ID_BYTES, "pattern": "^[A-Za-z0-9_.:@~-]+$",
                "not": {"enum": [".", ".."]},
            }),
            "The id of a message, unique in its session: 1–128 characters of `A-Z a-z 0-9 _ - . : @ ~`.",
        )
    }
}

impl ToSchema for MessageId {}

impl PartialSchema for Parts {
    fn schema() -> RefOr<Schema> {
        let part = json!({
            "type": "object", "required": ["type"], "additionalProperties": true,
            "properties": {"type": {"type": "string", "minLength": 1, "maxLength": MAX_PART_TYPE_CHARS}},
        });
        described(
            json!({"type": "array", "maxItems": MAX_PARTS, "items": part}),
            "The parts of a message, such as those of a UIMessage of the AI SDK: objects with a `type`, at most 1 MB together \
             and 32 levels deep. They are returned unchanged.",
        )
    }
}

impl ToSchema for Parts {}

impl PartialSchema for MessageStatus {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "enum": Self::ALL}),
            "How far the generation of a message got.",
        )
    }
}

impl ToSchema for MessageStatus {}

impl PartialSchema for Model {
    fn schema() -> RefOr<Schema> {
        let pattern = format!("^[^{CONTROLS}]*$");
        described(
            json!({"type": "string", "minLength": 1, "maxLength": MAX_MODEL_CHARS, "pattern": pattern}),
            "The model that wrote a message.",
        )
    }
}

impl ToSchema for Model {}

impl PartialSchema for Usage {
    fn schema() -> RefOr<Schema> {
        let count = json!({"type": ["integer", "null"], "minimum": 0, "maximum": u64::MAX});
        let mut properties: serde_json::Map<String, Value> = TOKEN_COUNTS
            .iter()
            .map(|name| ((*name).to_owned(), count.clone()))
            .collect();
        let cost =
            json!({"type": ["string", "null"], "maxLength": 40, "pattern": r"^[0-9]+(\.[0-9]+)?$"});
        properties.insert("cost".to_owned(), cost);
        described(
            json!({"type": "object", "properties": properties, "additionalProperties": true}),
            "What a message cost: counts of tokens, a price as a decimal number, and other members; at most 16 KB.",
        )
    }
}

impl ToSchema for Usage {}

impl PartialSchema for Feedback {
    fn schema() -> RefOr<Schema> {
        described(
            json!({
                "type": "object", "required": ["type"], "additionalProperties": false,
                "properties": {
                    "type": {"type": "string", "enum": ["positive", "negative"]},
                    "comment": {"type": ["string", "null"], "maxLength": MAX_COMMENT_CHARS, "pattern": NO_NUL},
                },
            }),
            "What a person thinks of a message.",
        )
    }
}

impl ToSchema for Feedback {}

/// Returns the schema of a member that may be `null`.
fn nullable<T: ToSchema>() -> Value {
    json!({"oneOf": [Ref::from_schema_name(T::name()), {"type": "null"}]})
}

impl PartialSchema for Message {
    fn schema() -> RefOr<Schema> {
        let message = json!({
            "type": "object",
            "required": [
                "id", "seq", "parent_id", "role", "content", "parts", "metadata", "status", "model", "usage", "timestamp",
                "updated_at", "traces", "artifacts",
            ],
            "properties": {
                "id": {"type": "string"},
                "seq": {"type": "integer", "minimum": 1, "description": "The position in the session, from 1."},
                "parent_id": {"type": ["string", "null"], "description": "The message before; `null` for a beginning."},
                "role": nullable::<Role>(),
                "content": {
                    "type": ["string", "null"],
                    "description": "The text, for clients that do not read parts: as it was given, or made of the text parts.",
                },
                "parts": nullable::<Parts>(),
                "metadata": nullable::<Metadata>(),
                "status": MessageStatus::schema(),
                "model": nullable::<Model>(),
                "usage": nullable::<Usage>(),
                "feedback": Ref::from_schema_name(Feedback::name()),
                "timestamp": {"type": ["string", "null"]},
                "updated_at": {
                    "type": ["string", "null"],
                    "description": "The time of the last change; `timestamp` if the message was never changed.",
                },
                "traces": Ref::from_schema_name(Attachment::name()),
                "artifacts": Ref::from_schema_name(Attachment::name()),
                "siblings": {
                    "type": "array", "minItems": 2, "items": {"type": "string"},
                    "description": "The ids of all versions of the message, in order, if there are several.",
                },
                "deleted": {
                    "type": "boolean", "enum": [true],
                    "description": "The message was deleted; only its place is left.",
                },
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
        schemas.push((Parts::name().into(), Parts::schema()));
        schemas.push((Metadata::name().into(), Metadata::schema()));
        schemas.push((Model::name().into(), Model::schema()));
        schemas.push((Usage::name().into(), Usage::schema()));
        schemas.push((Feedback::name().into(), Feedback::schema()));
        schemas.push((Attachment::name().into(), Attachment::schema()));
    }
}
