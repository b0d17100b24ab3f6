//! `/api/sessions`: find, update and delete sessions.

mod batch;
mod batch_members;
pub(super) mod create;
mod filter;
pub(super) mod fork;
pub(super) mod format;
pub(super) mod list;
pub(super) mod message;
pub(super) mod messages;
pub(super) mod response;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use self::create::check_title_source;
use self::format::FormatQuery;
use self::response::{SessionResponse, not_modified};
use super::error::Result;
use super::extract::body::JsonBody;
use super::extract::etag::{IfMatch, IfNoneMatch};
use super::extract::idempotency::{IdempotencyKey, replayed};
use super::extract::page::limit;
use super::extract::path::SessionPath;
use super::extract::query::{And, NoParameters, QueryParams, parameter};
use super::routes::routes;
use super::sample::sample_header;
use super::schema::parameters;
use super::schema::responses::{
    BadBody, BadQuery, Conflict, NotFound, NotModified, PreconditionFailed,
};
use crate::app::App;
use crate::domain::message::MAX_MESSAGES_PER_PAGE;
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionPatch, Status, TitleSource};
use crate::domain::tag::{Tags, TagsChange};
use crate::store::FoundSession;

routes! {
    [list::list_sessions, create::create_session],
    [batch::change_sessions],
    [find_session, update_session, delete_session],
    [messages::list_messages, messages::append_messages, messages::put_messages, messages::delete_messages],
    [message::find_message, message::put_message, message::change_message, message::delete_message],
    [message::put_branch],
    [fork::fork_session],
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct FindQuery {
    /// The number of latest messages in the response: 50 if it is missing.
    #[param(schema_with = message_count, required = false)]
    messages: Option<String>,
}

fn message_count() -> RefOr<Schema> {
    parameters::or_empty(
        &json!({"type": "integer", "minimum": 0, "maximum": MAX_MESSAGES_PER_PAGE}),
    )
}

/// Finds a session, with its latest messages.
///
/// Where Redis is missing or unavailable this may be a sample, marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/sessions/{id}", tag = "sessions", params(SessionPath, FindQuery, FormatQuery, IfNoneMatch),
    responses(
        (
            status = 200, description = "The session.", body = SessionResponse,
            headers(("ETag"), ("X-LLMOS-Storage"))
        ),
        NotModified, BadQuery, NotFound
    )
)]
async fn find_session(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(And(query, format)): QueryParams<And<FindQuery, FormatQuery>>,
    known: IfNoneMatch,
) -> Result<Response> {
    let format = format.parse()?;
    let messages = query.messages.as_deref();
    let limit = limit("messages", messages, 0..=MAX_MESSAGES_PER_PAGE)?;
    // `*` matches every version, so no messages are needed.
    let limit = if known.is_any() { 0 } else { limit };
    let sessions = app.sessions(&context);
    let found = sessions.get(&id, limit, known.versions()).await?;
    let response = match found.value {
        FoundSession::NotModified(version) => not_modified(&version),
        FoundSession::Found(session) if known.is_any() => not_modified(&session.current.version),
        FoundSession::Found(session) => {
            SessionResponse::found(session, format, found.is_sample).into_response()
        }
    };
    Ok((sample_header(found.is_sample), response).into_response())
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct UpdateQuery {
    /// A new status, for clients that send it here; the body overrides it.
    #[param(schema_with = parameters::status, required = false)]
    status: Option<String>,
}

/// The changes of a session. Members that are missing or `null` stay as they are.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateSession {
    name: Option<Name>,
    /// The origin of the new name, only together with `name`; `client` if it is missing.
    title_source: Option<TitleSource>,
    status: Option<Status>,
    pinned: Option<bool>,
    /// Archived sessions are only in lists with `archived=true` or `archived=all`.
    archived: Option<bool>,
    /// The new tags, which replace all.
    tags: Option<Tags>,
    /// A merge patch (RFC 7396): members are added or replaced, members that are `null` are removed, others stay.
    metadata: Option<Metadata>,
}

impl UpdateSession {
    /// Returns the patch. `status` is the status in the query, where clients of the Python version send it.
    fn into_patch(self, status: Option<Status>) -> Result<SessionPatch> {
        check_title_source(self.title_source, self.name.as_ref())?;
        Ok(SessionPatch {
            name: self.name,
            title_source: self.title_source,
            status: self.status.or(status),
            metadata: self.metadata,
            pinned: self.pinned,
            archived: self.archived,
            tags: self.tags.map(TagsChange::Replace),
        })
    }
}

/// Updates the name, status, metadata, tags or flags of a session.
///
/// `PUT` and `PATCH` are equivalent. The body may be missing if the query has the status. With an `Idempotency-Key`, a
/// request whose `If-Match` fails succeeds if the session already has the requested state.
#[utoipa::path(
    method(put, patch), path = "/api/sessions/{id}", tag = "sessions", params(SessionPath, UpdateQuery, IfMatch, IdempotencyKey),
    request_body(content(
        (Option<UpdateSession> = "application/json"), (Option<UpdateSession> = "application/merge-patch+json")
    )),
    responses(
        (
            status = 200, description = "The updated session, without messages.", body = SessionResponse,
            headers(("ETag"), ("Idempotency-Replayed"))
        ),
        BadBody, NotFound, Conflict, PreconditionFailed
    )
)]
async fn update_session(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(query): QueryParams<UpdateQuery>,
    expected: IfMatch,
    key: IdempotencyKey,
    body: JsonBody,
) -> Result<Response> {
    let patch = body.parse::<UpdateSession>()?;
    let patch = patch.into_patch(parameter("status", query.status)?)?;
    let sessions = app.sessions(&context);
    let updated = sessions
        .update(&id, &patch, expected.versions(), key.is_given())
        .await?;
    let session = SessionResponse::without_messages(updated.value);
    Ok((replayed(updated.is_replayed), session).into_response())
}

/// The confirmation of a deletion.
#[derive(Serialize, utoipa::ToSchema)]
struct DeletedSession {
    message: String,
}

/// Deletes a session with its messages.
///
/// With `If-Match`, only if it was neither changed nor appended to since.
#[utoipa::path(
    delete, path = "/api/sessions/{id}", tag = "sessions", params(SessionPath, IfMatch),
    responses((status = 200, description = "The session is deleted.", body = DeletedSession), NotFound, PreconditionFailed)
)]
async fn delete_session(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    _: QueryParams<NoParameters>,
    expected: IfMatch,
) -> Result<Json<DeletedSession>> {
    let sessions = app.sessions(&context);
    sessions.delete(&id, expected.versions()).await?;
    Ok(Json(DeletedSession {
        message: format!("Session {id} deleted"),
    }))
}
