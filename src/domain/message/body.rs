//! The members of a new message as a client sends them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::id::{MessageId, Parent};
use super::new::{Content, NewMessage};
use super::openai::Chat;
use super::openai_items::{Annotations, Label, SentContent, ToolCalls, Unsupported};
use super::parts::Parts;
use super::patch::given;
use super::values::{Attachment, Feedback, MessageStatus, Model, Role, Timestamp, Usage};
use crate::domain::metadata::Metadata;
use crate::util::schema::schema;

/// A message to append, in the shape of this service or of OpenAI's Chat Completions.
///
/// `content` as a list or `null`, `tool_calls`, `tool_call_id`, `name`, `refusal`, `annotations`, `audio` and `function_call`
/// are OpenAI's. They become parts, so they do not stand beside `parts`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// The id; generated if it is missing.
    id: Option<MessageId>,
    /// The parent; the newest message of the active branch if it is missing.
    #[serde(default)]
    #[schema(value_type = Option<MessageId>, required = false)]
    parent_id: Parent,
    /// Whether the branch of the message becomes the active one; only together with `parent_id`.
    activate: Option<bool>,
    role: Role,
    #[serde(default)]
    #[schema(required = false)]
    content: SentContent,
    parts: Option<Parts>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ToolCalls>)]
    tool_calls: Option<Option<ToolCalls>>,
    /// The id of the call that a message of role `tool` answers.
    tool_call_id: Option<Label>,
    /// The name of the author, in OpenAI's shape.
    name: Option<Label>,
    /// The refusal of an assistant, in OpenAI's shape.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Content>)]
    refusal: Option<Option<Content>>,
    /// The annotations of a text, such as citations, in OpenAI's shape.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Annotations>)]
    annotations: Option<Option<Annotations>>,
    /// Sound is not stored.
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = null, required = false)]
    audio: Option<Option<Unsupported>>,
    /// Deprecated by OpenAI: send `tool_calls`.
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = null, required = false)]
    function_call: Option<Option<Unsupported>>,
    metadata: Option<Metadata>,
    status: Option<MessageStatus>,
    model: Option<Model>,
    usage: Option<Usage>,
    feedback: Option<Feedback>,
    timestamp: Option<Timestamp>,
    #[serde(default)]
    traces: Attachment,
    #[serde(default)]
    artifacts: Attachment,
    /// The `updated_at` of the stored message that the client has seen; only in a history.
    updated_at: Option<String>,
}

fn null() -> RefOr<Schema> {
    schema(json!({"type": "null"}))
}

impl From<Body> for NewMessage {
    fn from(body: Body) -> Self {
        let chat = Chat {
            content: body.content,
            tool_calls: body.tool_calls,
            tool_call_id: body.tool_call_id,
            name: body.name,
            refusal: body.refusal,
            annotations: body.annotations,
            audio: body.audio,
            function_call: body.function_call,
        };
        let (content, parts, contradiction) = match chat.into_stored(body.role, body.parts) {
            Ok((content, parts)) => (content, parts, None),
            Err(contradiction) => (None, None, Some(contradiction)),
        };
        Self {
            id: body.id,
            parent_id: body.parent_id,
            activate: body.activate,
            role: body.role,
            content,
            parts,
            metadata: body.metadata,
            status: body.status,
            model: body.model,
            usage: body.usage,
            feedback: body.feedback,
            timestamp: body.timestamp,
            traces: body.traces,
            artifacts: body.artifacts,
            updated_at: body.updated_at,
            contradiction,
        }
    }
}

impl<'de> Deserialize<'de> for NewMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Body::deserialize(deserializer).map(Self::from)
    }
}

impl PartialSchema for NewMessage {
    fn schema() -> RefOr<Schema> {
        Body::schema()
    }
}

impl ToSchema for NewMessage {
    fn name() -> Cow<'static, str> {
        "NewMessage".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Body::schemas(schemas);
    }
}
