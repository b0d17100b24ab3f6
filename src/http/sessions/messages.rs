//! `/api/sessions/{id}/messages`: append and read messages.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::format::{AnyMessage, FormatQuery, add_messages};
use crate::app::App;
use crate::domain::message::{
    Branch, Format, MAX_BATCH, MAX_MESSAGES_PER_PAGE, Message, MessageId, MessageRange,
    MessageSelection, NewMessage,
};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::http::error::{Error, Result};
use crate::http::extract::body::JsonBody;
use crate::http::extract::etag::IfMatch;
use crate::http::extract::idempotency::{IdempotencyKey, replayed};
use crate::http::extract::page::{limit, number, page_limit};
use crate::http::extract::path::SessionPath;
use crate::http::extract::query::{And, NoParameters, QueryParams, flag, parameter};
use crate::http::object_writer::ObjectWriter;
use crate::http::sample::sample_header;
use crate::http::schema::parameters;
use crate::http::schema::responses::{BadBody, BadQuery, Conflict, NotFound, PreconditionFailed};
use crate::service::sessions::{MAX_HISTORY, MergedHistory};
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
    /// The branch that leads to the message with this id, instead of the active one.
    #[param(schema_with = branch, required = false)]
    branch: Option<String>,
    /// Whether the messages of all branches are listed.
    #[param(schema_with = parameters::flag, required = false)]
    all: Option<String>,
    /// Whether deleted messages are listed; only their places are left.
    #[param(schema_with = parameters::flag, required = false)]
    deleted: Option<String>,
}

fn branch() -> RefOr<Schema> {
    parameters::or_empty(&json!(Ref::from_schema_name(MessageId::name())))
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

    fn branch(&self) -> Result<Branch> {
        let id = parameter::<MessageId>("branch", self.branch.clone())?;
        match (id, flag("all", self.all.as_deref())?) {
            (None, false) => Ok(Branch::Active),
            (Some(id), false) => Ok(Branch::Of(id)),
            (None, true) => Ok(Branch::All),
            (Some(_), true) => Err(Error::field("branch", "must not stand beside all=true")),
        }
    }

    fn selection(&self) -> Result<MessageSelection> {
        Ok(MessageSelection {
            range: self.range()?,
            limit: limit("limit", self.limit.as_deref(), 1..=MAX_MESSAGES_PER_PAGE)?,
            branch: self.branch()?,
            with_deleted: flag("deleted", self.deleted.as_deref())?,
        })
    }
}

/// A page of messages, in order.
#[derive(utoipa::ToSchema)]
struct MessageList {
    #[schema(value_type = Vec<AnyMessage>)]
    messages: Vec<Message>,
    #[schema(ignore)]
    format: Format,
    /// Whether there are more messages in the direction of reading.
    has_more: bool,
    /// Whether these are samples, because storage is missing or unavailable.
    #[schema(required = false)]
    fallback: bool,
}

impl IntoResponse for MessageList {
    fn into_response(self) -> Response {
        let mut body = body_for(&self.messages);
        add_messages(&mut body, &self.messages, self.format);
        body.add("has_more", &self.has_more);
        if self.fallback {
            body.add("fallback", &true);
        }
        body.into_response()
    }
}

/// Reads messages of the active branch, a page at a time, in order.
///
/// Without `after` and `before`: the latest messages; with both: the messages between them. `seq` has gaps where other
/// branches have messages. In shapes other than the native one, deleted messages are left out, and `unreadable` lists the ids
/// of messages that cannot be parsed, if there are any. Where Redis is missing or unavailable messages may be samples,
/// marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/sessions/{id}/messages", tag = "messages", params(SessionPath, MessagesQuery, FormatQuery),
    responses(
        (status = 200, description = "A page of messages.", body = MessageList, headers(("X-LLMOS-Storage"))),
        BadQuery, NotFound
    )
)]
pub(super) async fn list_messages(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(And(query, format)): QueryParams<And<MessagesQuery, FormatQuery>>,
) -> Result<Response> {
    let format = format.parse()?;
    let sessions = app.sessions(&context);
    let found = sessions.messages(&id, &query.selection()?).await?;
    let list = MessageList {
        messages: found.value.messages,
        format,
        has_more: found.value.has_more,
        fallback: found.is_sample,
    };
    Ok((sample_header(found.is_sample), list).into_response())
}

/// Messages to append, all or none.
enum Batch {}

impl PartialSchema for Batch {
    fn schema() -> RefOr<Schema> {
        described(
            messages_schema(MAX_BATCH),
            "Messages to append, all or none.",
        )
    }
}

impl ToSchema for Batch {}

/// Returns the schema of an object with 1 to `max` messages.
fn messages_schema(max: usize) -> Value {
    let messages = json!({
        "type": "array", "minItems": 1, "maxItems": max,
        "items": Ref::from_schema_name(NewMessage::name()),
    });
    json!({
        "type": "object", "required": ["messages"], "additionalProperties": false,
        "properties": {"messages": messages},
    })
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
    #[schema(value_type = Vec<AnyMessage>)]
    messages: Vec<Message>,
    #[schema(ignore)]
    format: Format,
    /// The ids of messages that were stored before, with the same content.
    deduplicated: Vec<String>,
    /// The number of messages of the active branch.
    message_count: u64,
    /// The `seq` of the last message of the session.
    last_seq: u64,
}

impl IntoResponse for AppendedMessages {
    fn into_response(self) -> Response {
        let mut body = body_for(&self.messages);
        body.add("message", &self.message);
        body.add("session_id", &self.session_id);
        add_messages(&mut body, &self.messages, self.format);
        body.add("deduplicated", &self.deduplicated);
        body.add("message_count", &self.message_count);
        body.add("last_seq", &self.last_seq);
        body.into_response()
    }
}

/// Returns a writer with room for these messages.
fn body_for(messages: &[Message]) -> ObjectWriter {
    ObjectWriter::with_capacity(256 + messages.iter().map(Message::size).sum::<usize>())
}

/// Appends a message, or up to 100, all or none.
///
/// A body with the member `messages` appends several. `seq` counts the messages of a session from 1, without gaps. A
/// message whose id is stored with the same content is one message; with another content it is 409 `message_exists`.
#[utoipa::path(
    post, path = "/api/sessions/{id}/messages", tag = "messages", params(SessionPath, FormatQuery, IdempotencyKey, IfMatch),
    request_body = NewMessages,
    responses(
        (
            status = 200, description = "The stored messages.", body = AppendedMessages,
            headers(("Idempotency-Replayed"))
        ),
        BadBody, NotFound, Conflict, PreconditionFailed
    )
)]
pub(super) async fn append_messages(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(query): QueryParams<FormatQuery>,
    expected: IfMatch,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let format = query.parse()?;
    let (messages, path_of) = read_messages(&body)?;
    let key = key.bind(&context.caller, &uri, body.bytes());
    let sessions = app.sessions(&context);
    let appended = sessions
        .append(&id, &messages, expected.versions(), key.as_ref(), path_of)
        .await?;
    let messages = AppendedMessages {
        message: "Message added to session",
        session_id: id,
        messages: appended.value.messages,
        format,
        deduplicated: appended.value.deduplicated,
        message_count: appended.value.message_count,
        last_seq: appended.value.last_seq,
    };
    Ok((replayed(appended.is_replayed), messages).into_response())
}

/// Returns the path of a member of a message in the body.
type PathOf = fn(usize, &str) -> String;

/// Parses one message, or the member `messages` with up to 100.
fn read_messages(body: &JsonBody) -> Result<(Vec<NewMessage>, PathOf)> {
    if !body.has("messages") {
        return Ok((vec![body.parse()?], |_, member| member.to_owned()));
    }
    let messages = body.messages(1..=MAX_BATCH)?;
    Ok((messages, |index, member| {
        format!("messages[{index}].{member}")
    }))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteQuery {
    /// The messages after this `seq` are deleted.
    #[param(schema_with = required_seq)]
    after: Option<String>,
    /// Whether those of all branches are deleted.
    #[param(schema_with = parameters::flag, required = false)]
    all: Option<String>,
}

fn required_seq() -> RefOr<Schema> {
    schema(json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}))
}

/// The confirmation of a deletion of messages.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct DeletedMessages {
    pub(super) message: String,
    pub(super) session_id: SessionId,
    /// The number of messages that this request deleted.
    pub(super) deleted: u64,
    /// The number of messages of the active branch.
    pub(super) message_count: u64,
    /// The `seq` of the last message of the session.
    pub(super) last_seq: u64,
}

/// Deletes the messages after a `seq` of the active branch, or of all branches.
///
/// Their contents are erased; their places stay, so `seq` has no gaps. A failed request may have deleted the last ones;
/// repeat it. `deleted` counts the messages that this request deleted, so it is 0 for a repeated one.
#[utoipa::path(
    delete, path = "/api/sessions/{id}/messages", tag = "messages", params(SessionPath, DeleteQuery, IfMatch),
    responses(
        (status = 200, description = "The messages are deleted.", body = DeletedMessages),
        BadQuery, NotFound, PreconditionFailed
    )
)]
pub(super) async fn delete_messages(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(query): QueryParams<DeleteQuery>,
    expected: IfMatch,
) -> Result<Json<DeletedMessages>> {
    let after = number("after", query.after.as_deref(), 0..=u64::MAX)?;
    let after = after.ok_or_else(|| Error::field("after", "must be given"))?;
    let every = flag("all", query.all.as_deref())?;
    let sessions = app.sessions(&context);
    let (deleted, session) = sessions
        .delete_after(&id, after, every, expected.versions())
        .await?;
    Ok(Json(DeletedMessages {
        message: format!("{deleted} messages deleted"),
        session_id: id,
        deleted,
        message_count: session.session.message_count,
        last_seq: session.session.last_seq,
    }))
}

/// The history of a client.
pub(super) enum History {}

impl PartialSchema for History {
    fn schema() -> RefOr<Schema> {
        described(
            messages_schema(MAX_HISTORY),
            "The history of a client; each message has an id.",
        )
    }
}

impl ToSchema for History {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((NewMessage::name().into(), NewMessage::schema()));
        NewMessage::schemas(schemas);
    }
}

/// Merges the whole history of a client, which is compared with the stored one by ids.
///
/// New messages are appended in order, and messages that the history lacks stay. A changed message replaces the stored one
/// where it names the stored `updated_at`, or `If-Match` names the session's entity tag; otherwise it is a conflict, and
/// the stored one stays. Members that an item leaves out stay; a new content without parts removes the parts. No message is
/// deleted, and no deleted one comes back.
#[utoipa::path(
    put, path = "/api/sessions/{id}/messages", tag = "messages", params(SessionPath, IfMatch),
    request_body = History,
    responses(
        (status = 200, description = "The ids of the messages by their result.", body = MergedHistory),
        BadBody, NotFound, Conflict, PreconditionFailed
    )
)]
pub(super) async fn put_messages(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    _: QueryParams<NoParameters>,
    expected: IfMatch,
    body: JsonBody,
) -> Result<Json<MergedHistory>> {
    let messages = body.messages(1..=MAX_HISTORY)?;
    let sessions = app.sessions(&context);
    let merged = sessions
        .merge_history(&id, &messages, expected.versions())
        .await?;
    Ok(Json(merged))
}
