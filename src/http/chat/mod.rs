//! `/api/chat`: a model answers; its answer is streamed, read again, stopped, and described.

mod ask;
mod begin;
mod body;
mod original;
mod schema;
mod stream;
mod text;
mod ui_message;
mod usage;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use self::schema::EventStream;
use self::stream::sse;
use super::error::{Error, Result};
use super::extract::body::JsonBody;
use super::extract::path::SessionPath;
use super::extract::query::{NoParameters, QueryParams};
use super::routes::routes;
use super::schema::parameters;
use super::schema::responses::{BadBody, BadQuery, NotFound};
use crate::app::App;
use crate::domain::chat::turn::{Turn, TurnId, TurnStatus, stream_url};
use crate::domain::message::MessageId;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::util::time::format_time;

routes! {
    [ask::describe_chat, ask::chat],
    [resume_stream],
    [stop_turn],
    [find_turn],
    [usage::find_usage],
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// The turn; the active one if it is missing.
    #[param(schema_with = turn_parameter, required = false)]
    turn: Option<String>,
    /// The number of the last entry that the client has, as in the ids of the events.
    #[param(schema_with = from_parameter, required = false)]
    from: Option<String>,
}

fn turn_parameter() -> RefOr<Schema> {
    parameters::or_empty(&json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}))
}

fn from_parameter() -> RefOr<Schema> {
    parameters::or_empty(&json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}))
}

/// Reads the answer of a turn: its beginning, and what follows.
///
/// An event stream as of the AI SDK. `Last-Event-ID: {turn}.{n}` names the last event that the client has; only what follows
/// is sent. 204 if there is nothing to read: no such session, or no turn that is active or was named and ended less than
/// 15 minutes ago.
#[utoipa::path(
    get, path = "/api/chat/{id}/stream", tag = "chat", params(SessionPath, StreamQuery),
    responses(
        (status = 200, description = "The chunks of the answer.", content_type = "text/event-stream", body = EventStream),
        (status = 204, description = "There is nothing to read."),
        BadQuery, NotFound
    )
)]
async fn resume_stream(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    QueryParams(query): QueryParams<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let (mut turn, mut after) = (None, 0);
    if let Some(text) = query.turn.as_deref().filter(|text| !text.is_empty()) {
        turn = Some(turn_id("turn", text)?);
    }
    if let Some(text) = query.from.as_deref().filter(|text| !text.is_empty()) {
        let number = text.parse();
        after = number.map_err(|_| Error::field("from", "must be the number of an entry"))?;
    }
    if let Some((last_turn, last)) = last_event_id(&headers)? {
        (turn, after) = (Some(last_turn), last);
    }
    match app.chat(&context).resume(&id, turn.as_ref(), after).await? {
        Some(resumed) => Ok(sse(resumed.reader, resumed.replay).into_response()),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// Returns the turn and the entry of a `Last-Event-ID`.
fn last_event_id(headers: &HeaderMap) -> Result<Option<(TurnId, u64)>> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text
        .rsplit_once('.')
        .and_then(|(turn, number)| Some((TurnId::parse(turn)?, number.parse().ok()?)));
    let invalid =
        || Error::InvalidRequest("Last-Event-ID must be the id of an event of a turn.".to_owned());
    parsed.ok_or_else(invalid).map(Some)
}

fn turn_id(field: &str, text: &str) -> Result<TurnId> {
    TurnId::parse(text).ok_or_else(|| Error::field(field, "must be the id of a turn"))
}

/// The body of a stop.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct StopBody {
    /// The turn; the current one if it is missing.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    turn_id: Option<String>,
    /// Another name of `turn_id`, which clients of the AI SDK send.
    #[serde(rename = "activeStreamId")]
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    active_stream_id: Option<String>,
    /// Ignored: the server knows what it sent.
    #[serde(rename = "assistantMessage")]
    #[schema(value_type = Option<Object>)]
    #[expect(dead_code, reason = "it is accepted, not used")]
    assistant_message: Option<serde::de::IgnoredAny>,
}

/// The result of a stop.
#[derive(Serialize, utoipa::ToSchema)]
struct StopResponse {
    success: bool,
    /// The turn; the one that the request named, if the session has another one.
    #[schema(value_type = Option<String>)]
    turn_id: Option<TurnId>,
    /// The status; `unknown` if it is not the turn of the session.
    status: &'static str,
}

/// Stops a turn: the connection to the model is closed, and what it wrote is stored.
///
/// It can be repeated. A turn that is not the current one is left as it is, and has the status `unknown`.
#[utoipa::path(
    post, path = "/api/chat/{id}/stop", tag = "chat", params(SessionPath), request_body = StopBody,
    responses(
        (status = 200, description = "The status of the turn after it.", body = StopResponse),
        BadBody, NotFound
    )
)]
async fn stop_turn(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    _: QueryParams<NoParameters>,
    body: JsonBody,
) -> Result<Json<StopResponse>> {
    let body: StopBody = body.parse()?;
    let named = body.turn_id.or(body.active_stream_id);
    let turn = named.map(|text| turn_id("turn_id", &text)).transpose()?;
    let stopped = app.chat(&context).stop(&id, turn.as_ref()).await?;
    Ok(Json(StopResponse {
        success: true,
        turn_id: stopped.turn_id,
        status: stopped.status,
    }))
}

/// A turn.
#[derive(Serialize, utoipa::ToSchema)]
struct TurnResponse {
    #[schema(value_type = String)]
    id: TurnId,
    /// `reserved`, `streaming`, `stopping`, `completed`, `stopped`, `failed`, `abandoned` or `incomplete`.
    #[schema(value_type = String)]
    status: TurnStatus,
    message_id: MessageId,
    user_message_id: MessageId,
    model: String,
    started_at: String,
    ended_at: Option<String>,
    /// The path at which the answer is streamed.
    stream_url: String,
    /// The code of the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    error: Option<String>,
}

impl TurnResponse {
    fn new(session: &SessionId, turn: Turn) -> Self {
        Self {
            stream_url: stream_url(session, &turn.id),
            id: turn.id,
            status: turn.status,
            message_id: turn.message_id,
            user_message_id: turn.user_message_id,
            model: turn.model,
            started_at: time(turn.started),
            ended_at: turn.ended.map(time),
            error: turn.error,
        }
    }
}

fn time(millis: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    format_time(time)
}

/// The turn of a session.
#[derive(Serialize, utoipa::ToSchema)]
struct FoundTurn {
    /// The current or last turn; `null` without one in the last 24 hours.
    #[schema(required)]
    turn: Option<TurnResponse>,
}

/// Describes the current or last turn of a session.
///
/// A turn whose process was lost is ended first.
#[utoipa::path(
    get, path = "/api/chat/{id}/turn", tag = "chat", params(SessionPath),
    responses((status = 200, description = "The turn.", body = FoundTurn), NotFound)
)]
async fn find_turn(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    _: QueryParams<NoParameters>,
) -> Result<Json<FoundTurn>> {
    let turn = app.chat(&context).turn(&id).await?;
    let turn = turn.map(|turn| TurnResponse::new(&id, turn));
    Ok(Json(FoundTurn { turn }))
}
