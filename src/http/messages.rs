//! `/api/sessions/{id}/messages`: append and read messages.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::body::JsonBody;
use super::extract::{Parameters, SessionPath};
use super::fallback::{read_session, sample_mark};
use super::idempotency::{IdempotencyKey, key_reused, replayed};
use super::page::{limit, number};
use crate::app::App;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::message::{MAX_BATCH, MAX_MESSAGES_PER_PAGE, Message, MessageRange, NewMessage};
use crate::session::SessionId;
use crate::store::Appended;

/// The routes of messages.
pub(super) fn router() -> Router<App> {
    Router::new().route(
        "/api/sessions/{id}/messages",
        get(list_messages).post(append_messages),
    )
}

#[derive(Deserialize)]
struct MessagesQuery {
    limit: Option<String>,
    after: Option<String>,
    before: Option<String>,
}

impl MessagesQuery {
    fn range(&self) -> Result<MessageRange> {
        let after = number("after", self.after.as_deref(), 0..=u64::MAX)?;
        let before = number("before", self.before.as_deref(), 0..=u64::MAX)?;
        Ok(match (after, before) {
            (None, None) => MessageRange::Latest,
            (Some(after), None) => MessageRange::After(after),
            (None, Some(before)) => MessageRange::Before(before),
            (Some(after), Some(before)) => MessageRange::Between(after, before),
        })
    }
}

#[derive(Serialize)]
struct MessageList {
    messages: Vec<Message>,
    has_more: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

async fn list_messages(
    by: Caller,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    Parameters(query): Parameters<MessagesQuery>,
) -> Result<Response> {
    let limit = limit("limit", query.limit.as_deref(), 1..=MAX_MESSAGES_PER_PAGE)?;
    let (view, fallback) = read_session(&app, &by, &id, query.range()?, limit).await?;
    let list = MessageList {
        messages: view.messages,
        has_more: view.has_more,
        fallback,
    };
    Ok((sample_mark(fallback), Json(list)).into_response())
}

#[derive(Deserialize)]
struct Batch {
    messages: Vec<NewMessage>,
}

#[derive(Serialize)]
struct AppendedMessages {
    message: &'static str,
    session_id: SessionId,
    messages: Vec<Message>,
    message_count: u64,
}

async fn append_messages(
    by: Caller,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let new = read_messages(&body)?;
    let appended = app
        .store
        .append_messages(&by, &id, new, key.of(&by, &uri, body.bytes()).as_ref())
        .await?;
    let (messages, is_replayed) = match appended.ok_or(Error::NO_SUCH_SESSION)? {
        Appended::Done(messages) => (messages, false),
        Appended::Replayed(messages) => (messages, true),
        Appended::KeyReused => return Err(key_reused()),
        Appended::ReadOnly => return Err(Error::READ_ONLY),
    };
    let answer = AppendedMessages {
        message: "Message added to session",
        session_id: id,
        message_count: messages.last().map_or(0, Message::seq),
        messages,
    };
    Ok((replayed(is_replayed), Json(answer)).into_response())
}

/// One message, or `messages` with up to 100 of them.
fn read_messages(body: &JsonBody) -> Result<Vec<NewMessage>> {
    if !body.has("messages") {
        return Ok(vec![body.parse()?]);
    }
    let Batch { messages } = body.parse()?;
    if !(1..=MAX_BATCH).contains(&messages.len()) {
        return Err(Error::field(
            "messages",
            format!("must be 1 to {MAX_BATCH} messages"),
        ));
    }
    Ok(messages)
}
