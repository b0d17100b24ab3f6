//! What the routes of one session answer: the session, with or without messages, and its entity tag.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::conditional::entity_tag;
use crate::message::Message;
use crate::session::{Session, SessionView, VersionedSession};

/// A session and its entity tag.
pub(super) struct SessionAnswer {
    pub(super) current: VersionedSession,
    pub(super) messages: Option<Vec<Message>>,
    pub(super) fallback: bool,
}

impl SessionAnswer {
    pub(super) fn with_messages(view: SessionView) -> Self {
        Self {
            messages: Some(view.messages),
            ..Self::without_messages(view.current)
        }
    }

    pub(super) fn without_messages(current: VersionedSession) -> Self {
        Self {
            current,
            messages: None,
            fallback: false,
        }
    }
}

impl IntoResponse for SessionAnswer {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            #[serde(flatten)]
            session: Session,
            #[serde(skip_serializing_if = "Option::is_none")]
            messages: Option<Vec<Message>>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            fallback: bool,
        }
        let body = Body {
            session: self.current.session,
            messages: self.messages,
            fallback: self.fallback,
        };
        (
            [(header::ETAG, entity_tag(&self.current.version))],
            Json(body),
        )
            .into_response()
    }
}
