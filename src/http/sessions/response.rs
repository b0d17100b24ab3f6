//! Responses with one session: with or without its messages, and with its entity tag.

use std::borrow::Cow;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::message::Message;
use crate::domain::session::{Session, SessionAndVersion, SessionWithMessages};
use crate::http::extract::etag::entity_tag;
use crate::http::object_writer::ObjectWriter;
use crate::http::schema::responses::with_members;

/// A session, with its entity tag as a header.
pub(crate) struct SessionAnswer {
    pub(crate) current: SessionAndVersion,
    pub(crate) messages: Option<Vec<Message>>,
    pub(crate) fallback: bool,
}

impl SessionAnswer {
    pub(crate) fn with_messages(view: SessionWithMessages) -> Self {
        Self {
            messages: Some(view.messages),
            ..Self::without_messages(view.current)
        }
    }

    pub(crate) fn without_messages(current: SessionAndVersion) -> Self {
        Self {
            current,
            messages: None,
            fallback: false,
        }
    }
}

impl IntoResponse for SessionAnswer {
    fn into_response(self) -> Response {
        let messages = self.messages.as_deref().unwrap_or_default();
        let bytes: usize = messages.iter().map(Message::size).sum();
        let mut body = ObjectWriter::with_capacity(1024 + bytes);
        body.begin_with(&self.current.session);
        if self.messages.is_some() {
            body.add_array("messages", messages, Message::write_response);
        }
        if self.fallback {
            body.add("fallback", &true);
        }
        ([(header::ETAG, entity_tag(&self.current.version))], body).into_response()
    }
}

impl PartialSchema for SessionAnswer {
    fn schema() -> RefOr<Schema> {
        let messages = json!({
            "type": "array", "items": Ref::from_schema_name(Message::name()),
            "description": "The latest messages, in order. Missing in the response to an update.",
        });
        with_members(&Session::name(), json!({"messages": messages}))
    }
}

impl ToSchema for SessionAnswer {
    fn name() -> Cow<'static, str> {
        "FoundSession".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Session::name().into(), Session::schema()));
        schemas.push((Message::name().into(), Message::schema()));
        Session::schemas(schemas);
        Message::schemas(schemas);
    }
}
