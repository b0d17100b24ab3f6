//! `/api/sessions/{id}/messages/{message_id}`: one message, and `/api/sessions/{id}/branch`.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::format::{FormatQuery, OneMessage, message_response};
use super::messages::DeletedMessages;
use super::response::{SessionResponse, not_modified};
use crate::app::App;
use crate::domain::message::{Format, MessageId, MessagePatch, NewMessage};
use crate::domain::request_context::RequestContext;
use crate::http::error::{Error, Result};
use crate::http::extract::body::JsonBody;
use crate::http::extract::etag::{IfMatch, IfNoneMatch, entity_tag};
use crate::http::extract::path::{MessagePath, SessionPath};
use crate::http::extract::query::{NoParameters, QueryParams};
use crate::http::schema::responses::{
    BadBody, BadQuery, Conflict, NotFound, NotModified, PreconditionFailed,
};
use crate::service::sessions::{Expected, MessageState};

/// Returns the response with a message, with its entity tag as a header.
fn respond(state: &MessageState, format: Format) -> Result<Response> {
    let tag = [(header::ETAG, entity_tag(&state.version))];
    Ok((tag, message_response(&state.message, format)?).into_response())
}

impl IfMatch {
    /// Returns the condition on a message.
    fn on_message(&self) -> Expected<'_> {
        Expected {
            versions: self.versions(),
            must_exist: self.is_given(),
        }
    }
}

/// Finds a message.
///
/// With `format=openai`, a message that becomes several is answered as `messages`. The entity tag is that of the stored
/// message, in every format.
#[utoipa::path(
    get, path = "/api/sessions/{id}/messages/{message_id}", tag = "messages", params(MessagePath, FormatQuery, IfNoneMatch),
    responses((status = 200, description = "The message.", body = OneMessage, headers(("ETag"))), NotModified, BadQuery, NotFound)
)]
pub(super) async fn find_message(
    context: RequestContext,
    State(app): State<App>,
    MessagePath(id, message): MessagePath,
    QueryParams(query): QueryParams<FormatQuery>,
    known: IfNoneMatch,
) -> Result<Response> {
    let format = query.parse()?;
    let found = app.sessions(&context).message(&id, &message).await?;
    if known.has(&found.version) {
        return Ok(not_modified(&found.version));
    }
    respond(&found, format)
}

/// Stores a whole message under its id: it replaces the stored one in place, or it is appended.
///
/// A stored message keeps its `seq`, its parent, and its timestamp unless the body has another one. Where the body has no
/// `id`, it is that of the path. A repeated request changes nothing and is 200, also where the reply to the first one, a 201,
/// was lost.
#[utoipa::path(
    put, path = "/api/sessions/{id}/messages/{message_id}", tag = "messages", params(MessagePath, FormatQuery, IfMatch),
    request_body = NewMessage,
    responses(
        (status = 200, description = "The message is replaced.", body = OneMessage, headers(("ETag"))),
        (status = 201, description = "The message is appended.", body = OneMessage, headers(("ETag"))),
        BadBody, NotFound, Conflict, PreconditionFailed
    )
)]
pub(super) async fn put_message(
    context: RequestContext,
    State(app): State<App>,
    MessagePath(id, message): MessagePath,
    QueryParams(query): QueryParams<FormatQuery>,
    expected: IfMatch,
    body: JsonBody,
) -> Result<Response> {
    let format = query.parse()?;
    let mut new: NewMessage = body.parse()?;
    if new.id.get_or_insert_with(|| message.clone()) != &message {
        return Err(Error::field(
            "id",
            "must be the id of the path, or left out",
        ));
    }
    let sessions = app.sessions(&context);
    let stored = sessions
        .put_message(&id, &new, expected.on_message())
        .await?;
    let status = if stored.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, respond(&stored, format)?).into_response())
}

/// Changes members of a message in place.
///
/// `metadata` and `usage` are merge patches (RFC 7396); other members are replaced. Without a content, it is made of new
/// parts; a content that differs from the stored one, without parts, removes the parts.
#[utoipa::path(
    patch, path = "/api/sessions/{id}/messages/{message_id}", tag = "messages", params(MessagePath, FormatQuery, IfMatch),
    request_body(content(
        (MessagePatch = "application/json"), (MessagePatch = "application/merge-patch+json")
    )),
    responses(
        (status = 200, description = "The message after the change.", body = OneMessage, headers(("ETag"))),
        BadBody, NotFound, Conflict, PreconditionFailed
    )
)]
pub(super) async fn change_message(
    context: RequestContext,
    State(app): State<App>,
    MessagePath(id, message): MessagePath,
    QueryParams(query): QueryParams<FormatQuery>,
    expected: IfMatch,
    body: JsonBody,
) -> Result<Response> {
    let format = query.parse()?;
    let patch: MessagePatch = body.parse()?;
    let sessions = app.sessions(&context);
    let changed = sessions
        .change_message(&id, &message, &patch, expected.on_message())
        .await?;
    respond(&changed, format)
}

/// Deletes a message.
///
/// Its contents are erased; its place stays, so `seq` has no gaps and later messages keep their parent. Its id stays taken.
#[utoipa::path(
    delete, path = "/api/sessions/{id}/messages/{message_id}", tag = "messages", params(MessagePath, IfMatch),
    responses(
        (status = 200, description = "The message is deleted.", body = DeletedMessages),
        NotFound, Conflict, PreconditionFailed
    )
)]
pub(super) async fn delete_message(
    context: RequestContext,
    State(app): State<App>,
    MessagePath(id, message): MessagePath,
    _: QueryParams<NoParameters>,
    expected: IfMatch,
) -> Result<Json<DeletedMessages>> {
    let sessions = app.sessions(&context);
    let session = sessions
        .delete_message(&id, &message, expected.on_message())
        .await?;
    Ok(Json(DeletedMessages {
        message: format!("Message {message} deleted"),
        session_id: id,
        deleted: 1,
        message_count: session.session.message_count,
        last_seq: session.session.last_seq,
    }))
}

/// The branch to make the active one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ActiveBranch {
    /// A message of the branch.
    message_id: MessageId,
}

/// Makes the branch of a message the active one, up to its newest message.
///
/// Reads of the session then return this branch, and messages without a parent continue it.
#[utoipa::path(
    put, path = "/api/sessions/{id}/branch", tag = "messages", params(SessionPath, IfMatch),
    request_body = ActiveBranch,
    responses(
        (
            status = 200, description = "The session, without messages.", body = SessionResponse,
            headers(("ETag"))
        ),
        BadBody, NotFound, PreconditionFailed
    )
)]
pub(super) async fn put_branch(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    _: QueryParams<NoParameters>,
    expected: IfMatch,
    body: JsonBody,
) -> Result<SessionResponse> {
    let ActiveBranch { message_id } = body.parse()?;
    let sessions = app.sessions(&context);
    let session = sessions
        .switch_branch(&id, &message_id, expected.versions())
        .await?;
    Ok(SessionResponse::without_messages(session))
}
