//! The `format` of a request: the shape of the messages in the response.

use std::borrow::Cow;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::message::{Format, Message};
use crate::http::error::{Error, Result};
use crate::http::extract::query::parameter;
use crate::http::object_writer::ObjectWriter;
use crate::http::schema::parameters;
use crate::service::error::Error as ServiceError;
use crate::util::schema::described;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FormatQuery {
    /// The shape of messages in the response: `native` (default), `ui` (UIMessages of the AI SDK) or `openai` (Chat
    /// Completions).
    #[param(schema_with = formats, required = false)]
    format: Option<String>,
}

fn formats() -> RefOr<Schema> {
    parameters::one_of(Format::ALL)
}

impl FormatQuery {
    /// Returns the format.
    pub(super) fn parse(self) -> Result<Format> {
        Ok(parameter("format", self.format)?.unwrap_or_default())
    }
}

/// Adds the member `messages`, and `unreadable` with the ids of messages that only the native shape has.
pub(super) fn add_messages(body: &mut ObjectWriter, messages: &[Message], format: Format) {
    let Some(rendered) = format.render(messages) else {
        return body.add_array("messages", messages, Message::write_response);
    };
    body.add_array("messages", &rendered.messages, write_json);
    if !rendered.unreadable.is_empty() {
        body.add("unreadable", &rendered.unreadable);
    }
}

fn write_json(json: &String, response: &mut Vec<u8>) {
    response.extend_from_slice(json.as_bytes());
}

/// Returns a response with one message. In OpenAI's shape it can become several, which are in `messages`.
///
/// # Errors
/// If the message cannot be parsed, which only the native shape can express.
pub(super) fn message_response(message: &Message, format: Format) -> Result<Response> {
    let mut body = Vec::with_capacity(message.size());
    match format.render(std::slice::from_ref(message)) {
        None => message.write_response(&mut body),
        Some(rendered) => match rendered.messages.as_slice() {
            [] => {
                let cause = format!("message {} cannot be parsed", message.id());
                return Err(Error::Service(ServiceError::Unreadable(cause)));
            }
            [one] => write_json(one, &mut body),
            several => {
                let mut object = ObjectWriter::with_capacity(message.size());
                object.add_array("messages", several, write_json);
                return Ok(object.into_response());
            }
        },
    }
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], body).into_response())
}

/// A message in the shape that `format` names.
pub(in crate::http) enum AnyMessage {}

impl PartialSchema for AnyMessage {
    fn schema() -> RefOr<Schema> {
        let ui = json!({
            "type": "object", "required": ["id", "role", "parts"],
            "properties": {
                "id": {"type": "string"},
                "role": {"type": "string", "enum": ["system", "user", "assistant"]},
                "parts": {"type": "array", "minItems": 1, "items": {"type": "object"}},
                "metadata": {"type": "object"},
            },
            "description": "With `format=ui`: a UIMessage of the AI SDK.",
        });
        let chat = json!({
            "type": "object", "required": ["role"], "properties": {"role": {"type": "string"}},
            "description": "With `format=openai`: a message of Chat Completions.",
        });
        let native = Ref::from_schema_name(Message::name());
        described(
            json!({"anyOf": [native, ui, chat]}),
            "A message in the shape that `format` names.",
        )
    }
}

impl ToSchema for AnyMessage {
    fn name() -> Cow<'static, str> {
        "AnyMessage".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Message::name().into(), Message::schema()));
        Message::schemas(schemas);
    }
}

/// One message, or those that it becomes.
pub(super) enum OneMessage {}

impl PartialSchema for OneMessage {
    fn schema() -> RefOr<Schema> {
        let any = Ref::from_schema_name(AnyMessage::name());
        let several = json!({
            "type": "object", "required": ["messages"],
            "properties": {"messages": {"type": "array", "minItems": 2, "items": any}},
            "description": "With `format=openai`: the message of an assistant, and the results of its tools.",
        });
        described(
            json!({"anyOf": [any, several]}),
            "A message in the shape that `format` names.",
        )
    }
}

impl ToSchema for OneMessage {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((AnyMessage::name().into(), AnyMessage::schema()));
        AnyMessage::schemas(schemas);
    }
}
