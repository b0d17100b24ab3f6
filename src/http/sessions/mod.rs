//! `/api/sessions`: create, find, update and delete sessions.

pub(super) mod format;
pub(super) mod list;
pub(super) mod message;
pub(super) mod messages;
pub(super) mod response;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use self::format::FormatQuery;
use self::response::{SessionResponse, not_modified};
use super::error::Result;
use super::extract::body::JsonBody;
use super::extract::etag::{IfMatch, IfNoneMatch};
use super::extract::idempotency::{IdempotencyKey, replayed};
use super::extract::page::limit;
use super::extract::path::SessionPath;
use super::extract::query::{And, NoParameters, QueryParams, parameter};
use super::location;
use super::routes::routes;
use super::sample::sample_header;
use super::schema::parameters;
use super::schema::responses::{
    BadBody, BadQuery, Conflict, NotFound, NotModified, PreconditionFailed,
};
use crate::app::App;
use crate::domain::message::{Content, MAX_MESSAGES_PER_PAGE, NewMessage};
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionPatch, Status};
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::service::sessions::CreateSession;
use crate::service::volume::VolumeSelection;
use crate::store::FoundSession;

routes! {
    [list::list_sessions, create_session],
    [find_session, update_session, delete_session],
    [messages::list_messages, messages::append_messages, messages::put_messages, messages::delete_messages],
    [message::find_message, message::put_message, message::change_message, message::delete_message],
    [message::put_branch],
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct CreateQuery {
    /// The user or team that the session belongs to; overrides the body.
    #[param(schema_with = parameters::volume_id, required = false)]
    volume_id: Option<String>,
}

/// A session to create.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = CreateSession)]
#[serde(deny_unknown_fields)]
struct CreateSessionBody {
    name: Name,
    volume: VolumeKind,
    /// The user or team that the session belongs to; `default` if it is missing.
    volume_id: Option<VolumeId>,
    /// The first message, with the role `user`.
    initial_message: Option<Content>,
    /// The status; `active` if it is missing.
    status: Option<Status>,
    metadata: Option<Metadata>,
}

impl CreateSessionBody {
    fn into_session(self, volume_id: Option<VolumeId>) -> CreateSession {
        CreateSession {
            name: self.name,
            volume: VolumeSelection {
                kind: self.volume,
                id: volume_id.or(self.volume_id),
            },
            status: self.status,
            metadata: self.metadata,
            initial_message: self.initial_message.map(NewMessage::from_user),
        }
    }
}

/// Creates a session.
///
/// It may begin with a message. A 201 means that it is stored.
#[utoipa::path(
    post, path = "/api/sessions", tag = "sessions", params(CreateQuery, FormatQuery, IdempotencyKey),
    request_body = CreateSessionBody,
    responses(
        (
            status = 201, description = "The session, with its messages.", body = SessionResponse,
            headers(("Location"), ("ETag"), ("Idempotency-Replayed"))
        ),
        BadBody, Conflict
    )
)]
async fn create_session(
    context: RequestContext,
    State(app): State<App>,
    QueryParams(And(query, format)): QueryParams<And<CreateQuery, FormatQuery>>,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let format = format.parse()?;
    let new = body.parse::<CreateSessionBody>()?;
    let new = new.into_session(parameter("volume_id", query.volume_id)?);
    let key = key.bind(&context.caller, &uri, body.bytes());
    let created = app.sessions(&context).create(new, key.as_ref()).await?;
    let id = &created.value.current.session.id;
    let location = [(header::LOCATION, location::of_session(id))];
    let replayed = replayed(created.is_replayed);
    let session = SessionResponse::with_messages(created.value, format);
    Ok((StatusCode::CREATED, location, replayed, session).into_response())
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
    status: Option<Status>,
    /// A merge patch (RFC 7396): members are added or replaced, members that are `null` are removed, others stay.
    metadata: Option<Metadata>,
}

/// Updates the name, status or metadata of a session.
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
    let wanted: UpdateSession = body.parse()?;
    let patch = SessionPatch {
        name: wanted.name,
        // Clients of the Python version send the status as a query parameter.
        status: wanted.status.or(parameter("status", query.status)?),
        metadata: wanted.metadata,
    };
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
