//! `/api/sessions`: create, find, update and delete sessions.

pub(super) mod list;
pub(super) mod messages;
pub(super) mod response;

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use self::response::SessionAnswer;
use super::error::{Error, Result};
use super::extract::body::JsonBody;
use super::extract::etag::{IfMatch, IfNoneMatch, entity_tag};
use super::extract::idempotency::{IdempotencyKey, key_reused, replayed};
use super::extract::page::limit;
use super::extract::path::SessionPath;
use super::extract::query::{QueryParams, parameter};
use super::schema::parameters::{AnyStatus, AnyVolumeId, Number};
use super::schema::responses::{BadBody, BadQuery, Contended, Missing, Stale, Unchanged};
use crate::app::App;
use crate::domain::message::{Content, MAX_MESSAGES_PER_PAGE, NewMessage};
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{NewSession, SessionAndVersion, SessionPatch, Status};
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::service::fallback::{read_session, sample_mark};
use crate::store::{Created, Deleted, FoundSession, Updated};
use crate::util::json;

/// The routes of sessions and their messages.
pub fn router() -> Router<App> {
    Router::new()
        .route(
            "/api/sessions",
            get(list::list_sessions).post(create_session),
        )
        .route(
            "/api/sessions/{id}",
            get(find_session)
                .put(update_session)
                .patch(update_session)
                .delete(delete_session),
        )
        .merge(messages::router())
}

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(create_session, find_session, update_session, delete_session))]
pub(in crate::http) struct Described;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct CreateQuery {
    /// Which user's or team's the session is; goes before the body's.
    #[param(value_type = AnyVolumeId, inline, required = false)]
    volume_id: Option<String>,
}

/// A session to be.
#[derive(Deserialize, utoipa::ToSchema)]
struct CreateSession {
    name: Name,
    volume: VolumeKind,
    /// Which user's or team's the session is: `default` if it is not given.
    volume_id: Option<VolumeId>,
    /// A first message of the user.
    initial_message: Option<Content>,
    metadata: Option<Metadata>,
}

/// Creates a session.
///
/// It may begin with a message. A 201 means that it is stored.
#[utoipa::path(
    post, path = "/api/sessions", tag = "sessions", params(CreateQuery, IdempotencyKey),
    request_body = CreateSession,
    responses(
        (
            status = 201, description = "The session, with its messages.", body = SessionAnswer,
            headers(("Location"), ("ETag"), ("Idempotency-Replayed"))
        ),
        BadBody, Contended
    )
)]
async fn create_session(
    context: RequestContext,
    State(app): State<App>,
    QueryParams(query): QueryParams<CreateQuery>,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let wanted: CreateSession = body.parse()?;
    let volume_id = parameter("volume_id", query.volume_id)?.or(wanted.volume_id);
    let volume = context
        .caller
        .resolve(wanted.volume, volume_id.unwrap_or_default());
    context.caller.may_write(&volume)?;
    let new = NewSession {
        name: wanted.name,
        volume,
        metadata: wanted.metadata.unwrap_or_default(),
    };
    let message = wanted.initial_message.map(NewMessage::from_user);
    let (view, is_replayed) = match app
        .store
        .create_session(
            &context,
            new,
            message,
            key.of(&context.caller, &uri, body.bytes()).as_ref(),
        )
        .await?
    {
        Created::Done(view) => (view, false),
        Created::Replayed(view) => (view, true),
        Created::Deleted => {
            return Err(Error::Conflict(
                "This key created a session that is deleted.",
            ));
        }
        Created::IdempotencyMismatch => return Err(key_reused()),
    };
    let location = [(
        header::LOCATION,
        format!("/api/sessions/{}", view.current.session.id),
    )];
    Ok((
        StatusCode::CREATED,
        location,
        replayed(is_replayed),
        SessionAnswer::with_messages(view),
    )
        .into_response())
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct FindQuery {
    /// How many of the latest messages come with the session: 50 if it is not given.
    #[param(value_type = Number<0, { MAX_MESSAGES_PER_PAGE }>, inline, required = false)]
    messages: Option<String>,
}

/// Finds a session, with its latest messages.
///
/// Where Redis is missing or down this may be a sample, marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/sessions/{id}", tag = "sessions", params(SessionPath, FindQuery, IfNoneMatch),
    responses(
        (
            status = 200, description = "The session.", body = SessionAnswer,
            headers(("ETag"), ("X-LLMOS-Storage"))
        ),
        Unchanged, BadQuery, Missing
    )
)]
async fn find_session(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(query): QueryParams<FindQuery>,
    known: IfNoneMatch,
) -> Result<Response> {
    let limit = limit(
        "messages",
        query.messages.as_deref(),
        0..=MAX_MESSAGES_PER_PAGE,
    )?;
    // Any version matches `*`, so the messages are not needed.
    let limit = if known.is_any() { 0 } else { limit };
    let (found, fallback) = read_session(&app, &context, &id, limit, known.versions()).await?;
    let version = match found {
        FoundSession::NotModified(version) => version,
        FoundSession::Found(view) if known.is_any() => view.current.version,
        FoundSession::Found(view) => {
            let answer = SessionAnswer {
                fallback,
                ..SessionAnswer::with_messages(view)
            };
            return Ok((sample_mark(fallback), answer).into_response());
        }
    };
    let tag = [(header::ETAG, entity_tag(&version))];
    Ok((StatusCode::NOT_MODIFIED, sample_mark(fallback), tag).into_response())
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct UpdateQuery {
    /// A new status, for clients that send it here; that of the body goes before it.
    #[param(value_type = AnyStatus, inline, required = false)]
    status: Option<String>,
}

/// What is to change of a session; what is not there, or `null`, stays.
#[derive(Deserialize, utoipa::ToSchema)]
struct UpdateSession {
    name: Option<Name>,
    status: Option<Status>,
    /// A merge patch (RFC 7396): members are added or replaced, those that are `null` are removed, others stay.
    metadata: Option<Metadata>,
}

/// Changes a session's name, status or metadata.
///
/// `PUT` and `PATCH` do the same. The body may be missing where the query says the status.
#[utoipa::path(
    method(put, patch), path = "/api/sessions/{id}", tag = "sessions", params(SessionPath, UpdateQuery, IfMatch),
    request_body(content(
        (Option<UpdateSession> = "application/json"), (Option<UpdateSession> = "application/merge-patch+json")
    )),
    responses(
        (
            status = 200, description = "The session as it is now, without messages.", body = SessionAnswer,
            headers(("ETag"))
        ),
        BadBody, Missing, Contended, Stale
    )
)]
async fn update_session(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(query): QueryParams<UpdateQuery>,
    expected: IfMatch,
    body: JsonBody,
) -> Result<SessionAnswer> {
    let wanted: UpdateSession = body.parse()?;
    let change = SessionPatch {
        name: wanted.name,
        // Existing clients send the status as a query parameter.
        status: wanted.status.or(parameter("status", query.status)?),
        metadata: wanted.metadata,
    };
    let updated = app
        .store
        .update_session(&context, &id, &change, expected.versions())
        .await?;
    match updated.ok_or(Error::NO_SUCH_SESSION)? {
        Updated::Done(current) => Ok(SessionAnswer::without_messages(current)),
        Updated::Stale(current) => Err(stale(&current)),
        Updated::Invalid(limit) => Err(Error::field("metadata", limit)),
        Updated::ReadOnly => Err(Error::READ_ONLY),
        Updated::Contended => Err(Error::Conflict(
            "Others change this session all the time. Try again.",
        )),
    }
}

/// That a session is deleted.
#[derive(Serialize, utoipa::ToSchema)]
struct DeletedSession {
    message: String,
}

/// Deletes a session with its messages.
///
/// With `If-Match` only if nobody changed or appended to it since.
#[utoipa::path(
    delete, path = "/api/sessions/{id}", tag = "sessions", params(SessionPath, IfMatch),
    responses((status = 200, description = "It is deleted.", body = DeletedSession), Missing, Stale)
)]
async fn delete_session(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    expected: IfMatch,
) -> Result<Json<DeletedSession>> {
    let deleted = app.store.delete_session(&context, &id, expected.versions());
    match deleted.await?.ok_or(Error::NO_SUCH_SESSION)? {
        Deleted::Done => Ok(Json(DeletedSession {
            message: format!("Session {id} deleted"),
        })),
        Deleted::Stale(current) => Err(stale(&current)),
        Deleted::ReadOnly => Err(Error::READ_ONLY),
    }
}

fn stale(current: &SessionAndVersion) -> Error {
    Error::PreconditionFailed {
        current: json::raw(&current.session),
        entity_tag: Some(entity_tag(&current.version)),
    }
}
