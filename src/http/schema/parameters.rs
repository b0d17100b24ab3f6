//! What parameters of the query look like. An empty one counts as not given, so that each may be empty.

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::schemas::{CONTROLS, schema, volume_id_pattern};
use crate::domain::file_path::MAX_PATH_BYTES;
use crate::domain::session::Status;
use crate::domain::volume::VolumeKind;
use crate::http::DEFAULT_LIMIT;

/// Makes types of schemas.
macro_rules! parameters {
    ($($(#[$attribute:meta])* $type:ident $(<$(const $limit:ident),*>)?: $schema:expr;)*) => {$(
        $(#[$attribute])*
        pub(crate) enum $type $(<$(const $limit: usize),*>)? {}

        impl $(<$(const $limit: usize),*>)? PartialSchema for $type $(<$($limit),*>)? {
            fn schema() -> RefOr<Schema> {
                schema($schema)
            }
        }

        impl $(<$(const $limit: usize),*>)? ToSchema for $type $(<$($limit),*>)? {}
    )*};
}

parameters! {
    /// A number.
    Number<const MIN, const MAX>: or_empty(&json!({"type": "integer", "minimum": MIN, "maximum": MAX}));
    /// How many items a page is to have.
    PageLimit<const MAX>: or_empty(
        &json!({"type": "integer", "minimum": 1, "maximum": MAX, "default": DEFAULT_LIMIT})
    );
    /// A place in a session.
    Place: or_empty(&json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}));
    /// `true` or `false`.
    Flag: one_of(&json!(["true", "false"]));
    /// The form of a skill.
    Format: one_of(&json!(["json", "markdown", "agentskills"]));
    /// Whose something is.
    AnyVolume: one_of(&json!([VolumeKind::User, VolumeKind::Team, VolumeKind::System]));
    /// Where a session stands.
    AnyStatus: one_of(&json!([Status::Active, Status::Paused, Status::Completed]));
    /// Which user or team.
    AnyVolumeId: json!({"type": "string", "pattern": format!("^(?:{})?$", volume_id_pattern())});
    /// The cursor of an earlier answer.
    AnyCursor: json!({"type": "string", "pattern": "^[A-Za-z0-9_-]*$"});
    /// What the paths of files begin with.
    Prefix: json!({"type": "string", "maxLength": MAX_PATH_BYTES});
    /// Any text.
    Text: json!({"type": "string"});
}

/// A value, or nothing.
fn or_empty(value: &Value) -> Value {
    json!({"anyOf": [value, {"type": "string", "maxLength": 0}]})
}

/// One of these words, or nothing.
fn one_of(words: &Value) -> Value {
    let words = words.as_array().into_iter().flatten().cloned();
    let words: Vec<Value> = words.chain([json!("")]).collect();
    json!({"type": "string", "enum": words})
}

/// The pathname of a file, as far as a pattern can tell.
pub(crate) fn pathname() -> Value {
    let volumes = format!("(?:user|team)/(?:{})|system/system", volume_id_pattern());
    json!({"type": "string", "pattern": format!(r"^volumes/(?:{volumes})/files/[^\\{CONTROLS}]+$")})
}
