//! Responses with one session: with or without its messages, and with its entity tag.

use std::borrow::Cow;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::format::{AnyMessage, add_messages};
use crate::domain::message::{Format, Message};
use crate::domain::session::{Session, SessionAndVersion, SessionWithMessages};
use crate::http::extract::etag::entity_tag;
use crate::http::object_writer::ObjectWriter;
use crate::http::schema::responses::with_members;

/// A session, with its entity tag as a header.
pub(super) struct SessionResponse {
    current: SessionAndVersion,
    messages: Option<Vec<Message>>,
    format: Format,
    fallback: bool,
}

impl SessionResponse {
    pub(super) fn found(session: SessionWithMessages, format: Format, is_sample: bool) -> Self {
        Self {
            fallback: is_sample,
            ..Self::with_messages(session, format)
        }
    }

    pub(super) fn with_messages(session: SessionWithMessages, format: Format) -> Self {
        Self {
            format,
            messages: Some(session.messages),
            ..Self::without_messages(session.current)
        }
    }

    pub(super) fn without_messages(current: SessionAndVersion) -> Self {
        Self {
            current,
            messages: None,
            format: Format::Native,
            fallback: false,
        }
    }
}

impl IntoResponse for SessionResponse {
    fn into_response(self) -> Response {
        let messages = self.messages.as_deref().unwrap_or_default();
        let bytes: usize = messages.iter().map(Message::size).sum();
        let mut body = ObjectWriter::with_capacity(1024 + bytes);
        body.begin_with(&self.current.session);
        if self.messages.is_some() {
            add_messages(&mut body, messages, self.format);
        }
        if self.fallback {
            body.add("fallback", &true);
        }
        ([(header::ETAG, entity_tag(&self.current.version))], body).into_response()
    }
}

/// Returns the response to a caller that has the current version.
pub(super) fn not_modified(version: &str) -> Response {
    let tag = [(header::ETAG, entity_tag(version))];
    (StatusCode::NOT_MODIFIED, tag).into_response()
}

impl PartialSchema for SessionResponse {
    fn schema() -> RefOr<Schema> {
        let messages = json!({
            "type": "array", "items": Ref::from_schema_name(AnyMessage::name()),
            "description": "The latest messages, in order. Missing in the response to an update.",
        });
        with_members(&Session::name(), json!({"messages": messages}))
    }
}

impl ToSchema for SessionResponse {
    fn name() -> Cow<'static, str> {
        "FoundSession".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Session::name().into(), Session::schema()));
        schemas.push((AnyMessage::name().into(), AnyMessage::schema()));
        Session::schemas(schemas);
        AnyMessage::schemas(schemas);
    }
}
