//! `/api/sessions/{id}/messages`: append and read messages.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::app::App;
use crate::domain::message::{MAX_BATCH, MAX_MESSAGES_PER_PAGE, Message, MessageRange, NewMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::http::error::{Error, Result};
use crate::http::extract::body::JsonBody;
use crate::http::extract::idempotency::{IdempotencyKey, replayed};
use crate::http::extract::page::{limit, number, page_limit};
use crate::http::extract::path::SessionPath;
use crate::http::extract::query::{NoParameters, QueryParams};
use crate::http::object_writer::ObjectWriter;
use crate::http::sample::sample_header;
use crate::http::schema::parameters;
use crate::http::schema::responses::{BadBody, BadQuery, NotFound};
use crate::util::schema::{described, schema};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MessagesQuery {
    /// The largest number of messages; a page of large messages may have fewer.
    #[param(schema_with = page_limit::<MAX_MESSAGES_PER_PAGE>, required = false)]
    limit: Option<String>,
    /// Messages after this `seq`.
    #[param(schema_with = seq, required = false)]
    after: Option<String>,
    /// The nearest messages before this `seq`.
    #[param(schema_with = seq, required = false)]
    before: Option<String>,
}

fn seq() -> RefOr<Schema> {
    parameters::or_empty(&json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}))
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

/// A page of messages, in order.
#[derive(utoipa::ToSchema)]
struct MessageList {
    messages: Vec<Message>,
    /// Whether there are more messages in the direction of reading.
    has_more: bool,
    /// Whether these are samples, because storage is missing or unavailable.
    #[schema(required = false)]
    fallback: bool,
}

impl IntoResponse for MessageList {
    fn into_response(self) -> Response {
        let mut body = body_for(&self.messages);
        body.add_array("messages", &self.messages, Message::write_response);
        body.add("has_more", &self.has_more);
        if self.fallback {
            body.add("fallback", &true);
        }
        body.into_response()
    }
}

/// Reads messages, a page at a time, in order.
///
/// Without `after` and `before`: the latest messages; with both: the messages between them. Where Redis is missing
/// or unavailable they may be samples, marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/sessions/{id}/messages", tag = "messages", params(SessionPath, MessagesQuery),
    responses(
        (status = 200, description = "A page of messages.", body = MessageList, headers(("X-LLMOS-Storage"))),
        BadQuery, NotFound
    )
)]
pub(super) async fn list_messages(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(query): QueryParams<MessagesQuery>,
) -> Result<Response> {
    let limit = limit("limit", query.limit.as_deref(), 1..=MAX_MESSAGES_PER_PAGE)?;
    let found = app
        .sessions(&context)
        .messages(&id, query.range()?, limit)
        .await?;
    let list = MessageList {
        messages: found.value.messages,
        has_more: found.value.has_more,
        fallback: found.is_sample,
    };
    Ok((sample_header(found.is_sample), list).into_response())
}

/// Messages to append, all or none.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    #[schema(schema_with = batch)]
    messages: Vec<NewMessage>,
}

fn batch() -> RefOr<Schema> {
    schema(json!({
        "type": "array", "minItems": 1, "maxItems": MAX_BATCH,
        "items": Ref::from_schema_name(NewMessage::name()),
    }))
}

/// The body of an append: a message, or a [`Batch`].
enum NewMessages {}

impl PartialSchema for NewMessages {
    fn schema() -> RefOr<Schema> {
        let bodies = [Batch::name(), NewMessage::name()].map(Ref::from_schema_name);
        described(
            json!({"anyOf": bodies}),
            "One message, or several in `messages`.",
        )
    }
}

impl ToSchema for NewMessages {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Batch::name().into(), Batch::schema()));
        schemas.push((NewMessage::name().into(), NewMessage::schema()));
        NewMessage::schemas(schemas);
    }
}

/// The appended messages.
#[derive(utoipa::ToSchema)]
struct AppendedMessages {
    message: &'static str,
    session_id: SessionId,
    messages: Vec<Message>,
    /// The number of messages of the session.
    message_count: u64,
}

impl IntoResponse for AppendedMessages {
    fn into_response(self) -> Response {
        let mut body = body_for(&self.messages);
        body.add("message", &self.message);
        body.add("session_id", &self.session_id);
        body.add_array("messages", &self.messages, Message::write_response);
        body.add("message_count", &self.message_count);
        body.into_response()
    }
}

/// Returns a writer with room for these messages.
fn body_for(messages: &[Message]) -> ObjectWriter {
    ObjectWriter::with_capacity(256 + messages.iter().map(Message::size).sum::<usize>())
}

/// Appends a message, or up to 100, all or none.
///
/// A body with the member `messages` appends several. `seq` counts the messages of a session from 1, without gaps.
#[utoipa::path(
    post, path = "/api/sessions/{id}/messages", tag = "messages", params(SessionPath, IdempotencyKey),
    request_body = NewMessages,
    responses(
        (
            status = 200, description = "The stored messages.", body = AppendedMessages,
            headers(("Idempotency-Replayed"))
        ),
        BadBody, NotFound
    )
)]
pub(super) async fn append_messages(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    _: QueryParams<NoParameters>,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let messages = read_messages(&body)?;
    let key = key.bind(&context.caller, &uri, body.bytes());
    let sessions = app.sessions(&context);
    let appended = sessions.append(&id, messages, key.as_ref()).await?;
    let messages = AppendedMessages {
        message: "Message added to session",
        session_id: id,
        message_count: appended.value.last().map_or(0, Message::seq),
        messages: appended.value,
    };
    Ok((replayed(appended.is_replayed), messages).into_response())
}

/// Parses one message, or the member `messages` with up to 100.
fn read_messages(body: &JsonBody) -> Result<Vec<NewMessage>> {
    if !body.has("messages") {
        return Ok(vec![body.parse()?]);
    }
    let parsed = body.parse();
    if parsed.is_err() {
        body.reject_unknown_in::<NewMessage>("messages")?;
    }
    let Batch { messages } = parsed?;
    if !(1..=MAX_BATCH).contains(&messages.len()) {
        return Err(Error::field(
            "messages",
            format!("must be 1 to {MAX_BATCH} messages"),
        ));
    }
    Ok(messages)
}
