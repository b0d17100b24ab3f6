//! JSON Schemas of the fields of a skill. Their limits are the constants that the parsers use.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::fields::{
    Code, Description, Label, Language, MAX_CODE_BYTES, MAX_DESCRIPTION_BYTES, MAX_LABEL_CHARS,
    MAX_LANGUAGE_CHARS, MAX_TAGS, Parameters, Tags,
};
use super::id::{ChosenId, MAX_SKILL_ID_BYTES, SkillId};
use crate::util::schema::{CONTROLS, NO_NUL, described};

fn label() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": MAX_LABEL_CHARS, "pattern": format!("^[^{CONTROLS}]*$"),
    })
}

impl PartialSchema for SkillId {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "minLength": 1, "maxLength": MAX_SKILL_ID_BYTES}),
            "The id of a skill, unique in its volume. New ids have up to 64 characters of `a-z 0-9 -`.",
        )
    }
}

impl ToSchema for SkillId {}

impl PartialSchema for ChosenId {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "maxLength": 64, "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}),
            "The id of a new skill: words of `a-z 0-9` with `-` between them.",
        )
    }
}

impl ToSchema for ChosenId {
    fn name() -> Cow<'static, str> {
        "NewSkillId".into()
    }
}

impl PartialSchema for Description {
    fn schema() -> RefOr<Schema> {
        described(
            json!({
                "type": "string", "maxLength": MAX_DESCRIPTION_BYTES,
                "pattern": r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$",
            }),
            "The purpose of a skill: at most 8 KB, without control characters except tabs and line breaks.",
        )
    }
}

impl ToSchema for Description {}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "maxLength": MAX_CODE_BYTES, "pattern": NO_NUL}),
            "The code of a skill: at most 512 KB, without NUL. Only one of backticks and tildes may occur in runs of more than \
             1,000.",
        )
    }
}

impl ToSchema for Code {}

impl PartialSchema for Language {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "string", "pattern": format!("^[A-Za-z0-9+#._-]{{1,{MAX_LANGUAGE_CHARS}}}$")}),
            "The language of the code: 1–64 characters of `A-Z a-z 0-9 + # . _ -`.",
        )
    }
}

impl ToSchema for Language {}

impl PartialSchema for Tags {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "array", "maxItems": MAX_TAGS, "items": label()}),
            "At most 1,000 texts of 1–256 characters, without control characters, at most 16 KB in total.",
        )
    }
}

impl ToSchema for Tags {}

impl PartialSchema for Label {
    fn schema() -> RefOr<Schema> {
        described(label(), "1–256 characters, without control characters.")
    }
}

impl ToSchema for Label {}

impl PartialSchema for Parameters {
    fn schema() -> RefOr<Schema> {
        described(
            json!({"type": "array", "items": {"type": "object"}}),
            "An array of objects such as `{name, type, description}`: at most 16 KB and 16 levels, without NUL.",
        )
    }
}

impl ToSchema for Parameters {}
