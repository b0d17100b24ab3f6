//! The OpenAPI description of bodies of chat, whose shapes are other people's.

use serde_json::json;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::message::NewMessage;
use crate::util::schema::schema;

/// The body of a chat request.
pub(super) enum ChatRequest {}

impl PartialSchema for ChatRequest {
    fn schema() -> RefOr<Schema> {
        let tool = json!({
            "type": "object", "required": ["name", "inputSchema"],
            "properties": {
                "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,59}$"},
                "description": {"type": "string", "maxLength": 10_000},
                "inputSchema": {"type": "object", "description": "A JSON Schema; `parameters` and `input_schema` are the same."},
            },
        });
        let options = json!({
            "model": {"type": ["string", "null"], "minLength": 1, "maxLength": 200},
            "skills": {
                "type": ["array", "null"], "maxItems": 20, "items": {"type": "string"},
                "description": "The ids of skills whose documents the model gets.",
            },
            "max_skills": {
                "type": ["integer", "null"], "minimum": 0, "maximum": 20,
                "description": "The number of skills that are chosen by the text of the message.",
            },
            "tools": {"type": ["array", "null"], "maxItems": 64, "items": tool},
            "approvals": {
                "type": ["boolean", "null"],
                "description": "Whether the client can ask a person to approve a tool: version 6 and later of the AI SDK.",
            },
            "stream": {"type": ["boolean", "null"], "description": "`false` for one JSON object."},
            "volume": {"type": ["string", "null"], "enum": ["user", "team", "system", null]},
            "volume_id": {"type": ["string", "null"], "description": "The volume of a session that is created."},
            "trigger": {"type": ["string", "null"], "enum": ["submit-message", "regenerate-message", null]},
            "messageId": {"type": ["string", "null"], "description": "The message that is edited or answered again."},
            "parent_id": {"type": ["string", "null"], "description": "The id that the newest message must have."},
        });
        let with = |required: serde_json::Value, more: serde_json::Value, is_open: bool| {
            let mut properties = options.clone();
            if let (Some(properties), Some(more)) = (properties.as_object_mut(), more.as_object()) {
                properties.extend(more.clone());
            }
            json!({
                "type": "object", "required": required, "properties": properties, "additionalProperties": is_open,
            })
        };
        let message = json!({"type": "object", "description": "A UIMessage of the AI SDK."});
        let ui = with(
            json!(["id"]),
            json!({
                "id": {"type": "string", "description": "The id of the session."},
                "messages": {"type": "array", "minItems": 1, "items": message},
                "message": message,
            }),
            true,
        );
        let native = with(
            json!(["session_id"]),
            json!({
                "session_id": {"type": "string"},
                "content": {"type": "string", "description": "The text of the message."},
                "message": Ref::from_schema_name(NewMessage::name()),
            }),
            false,
        );
        let original = json!({
            "type": "object", "required": ["message"], "additionalProperties": true,
            "properties": {
                "message": {"type": "string"},
                "session_id": {"type": ["string", "null"]},
                "model": {"type": ["string", "null"]},
                "include_skills": {"type": ["boolean", "null"]},
                "max_skills": {"type": ["integer", "null"], "minimum": 0},
            },
            "description": "The body of the Python version.",
        });
        schema(json!({"anyOf": [ui, native, original]}))
    }
}

impl ToSchema for ChatRequest {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((NewMessage::name().into(), NewMessage::schema()));
        NewMessage::schemas(schemas);
    }
}

/// Events of an answer: `data:` lines with the chunks of the AI SDK's UI message stream.
pub(super) enum EventStream {}

impl PartialSchema for EventStream {
    fn schema() -> RefOr<Schema> {
        schema(json!({"type": "string"}))
    }
}

impl ToSchema for EventStream {}
