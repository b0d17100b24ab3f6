//! `POST /api/chat`: a message is answered, as an event stream, as plain text, or as JSON.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};

use super::begin::ask_in_background;
use super::body::ChatBody;
use super::original;
use super::schema::{ChatRequest, EventStream};
use super::stream::sse;
use super::text::plain_text;
use crate::app::App;
use crate::domain::message::Message;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::http::error::Result;
use crate::http::extract::body::JsonBody;
use crate::http::extract::idempotency::IdempotencyKey;
use crate::http::extract::query::{NoParameters, QueryParams};
use crate::http::object_writer::ObjectWriter;
use crate::http::schema::parameters;
use crate::http::schema::responses::{
    BadBody, Conflict, ModelFailed, NotFound, PreconditionFailed,
};
use crate::http::sessions::format::AnyMessage;
use crate::service::chat::{Ask, Asked};
use crate::util::background::RequestKeeper;

/// Marks the answer to a repeated request.
const REPLAYED: HeaderName = HeaderName::from_static("x-llmos-replayed");

/// Tells that chat is served.
///
/// The response is that of the Python version.
#[utoipa::path(
    get, path = "/api/chat", tag = "chat",
    responses((status = 200, description = "Chat is served.", body = Described))
)]
pub(super) async fn describe_chat(
    _: RequestContext,
    _: QueryParams<NoParameters>,
) -> Json<Described> {
    Json(Described {
        status: "ok",
        service: "chat",
    })
}

/// The health check of the Python version.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Described {
    status: &'static str,
    service: &'static str,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ChatQuery {
    /// `text` for plain text.
    #[param(schema_with = format, required = false)]
    format: Option<String>,
}

fn format() -> RefOr<Schema> {
    parameters::one_of(&["text"])
}

/// How the answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Events,
    Text,
    Json,
}

impl Shape {
    fn of(query: &ChatQuery, body: &ChatBody, headers: &HeaderMap) -> Result<Self> {
        match query.format.as_deref().unwrap_or_default() {
            "" => {}
            "text" => return Ok(Self::Text),
            _ => return Err(crate::http::error::Error::field("format", "must be text")),
        }
        match body.stream {
            Some(false) => return Ok(Self::Json),
            Some(true) => return Ok(Self::Events),
            None => {}
        }
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok());
        let accept = accept.unwrap_or_default();
        let accepts = |media_type: &str| {
            accept
                .split(',')
                .any(|range| range.trim().starts_with(media_type))
        };
        Ok(if accepts("text/event-stream") || accepts("*/*") {
            Self::Events
        } else if accepts("application/json") {
            Self::Json
        } else if accepts("text/plain") {
            Self::Text
        } else {
            Self::Events
        })
    }
}

/// Answers a message: streamed as the AI SDK reads it, as plain text, or as JSON.
///
/// A body with `id` and `messages` or `message` is that of the AI SDK; its further members are the application's. A body
/// with `session_id` is that of this API. A body whose `message` is a text is that of the Python version, which gets its
/// response, with the headers `X-API-Key` and `X-Model`. The answer goes on if the client leaves, and is stored once. A
/// message with an id is answered once, however often it is sent; so is a request with an `Idempotency-Key`.
#[utoipa::path(
    post, path = "/api/chat", tag = "chat", params(ChatQuery, IdempotencyKey),
    request_body = ChatRequest,
    responses(
        (
            status = 200, description = "The answer. `text/event-stream`: chunks; `Accept: application/json` or `stream: false`: the message.",
            content((EventStream = "text/event-stream"), (Answered = "application/json"), (String = "text/plain"))
        ),
        BadBody, NotFound, Conflict, PreconditionFailed, ModelFailed
    )
)]
pub(super) async fn chat(
    context: RequestContext,
    State(app): State<App>,
    QueryParams(query): QueryParams<ChatQuery>,
    key: IdempotencyKey,
    keeper: Option<Extension<RequestKeeper>>,
    headers: HeaderMap,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let keeper = keeper.map(|Extension(keeper)| keeper);
    if original::is_original(&body) {
        return original::answer(&app, &context, keeper.as_ref(), &headers, &body).await;
    }
    let parsed = ChatBody::read(&body)?;
    let shape = Shape::of(&query, &parsed, &headers)?;
    let session = parsed.session()?;
    let ask = Ask {
        session: session.clone(),
        volume: parsed.volume(),
        operation: parsed.operation()?,
        model: parsed.model.clone(),
        key: None,
        request: parsed.turn_request(&app.config.chat.server_tools)?,
        expected_head: parsed.expected_head()?,
        idempotency: key.bind(&context.caller, &uri, body.bytes()),
    };
    let begun = ask_in_background(&app, &context, keeper.as_ref(), ask, false).await?;
    let mut asked = begun.asked;
    let replayed = asked
        .is_replayed
        .then_some([(REPLAYED, HeaderValue::from_static("1"))]);
    Ok(match shape {
        Shape::Events => (replayed, sse(asked.reader, Vec::new())).into_response(),
        Shape::Text => (replayed, plain_text(asked.reader)).into_response(),
        Shape::Json => {
            let message = app.chat(&context).wait(&session, &mut asked).await?;
            (replayed, Answered::new(session, &asked, message)).into_response()
        }
    })
}

/// A whole answer.
#[derive(utoipa::ToSchema)]
struct Answered {
    #[schema(rename = "session_id")]
    session: SessionId,
    #[schema(rename = "turn_id")]
    turn: String,
    #[schema(value_type = AnyMessage)]
    message: Message,
}

impl Answered {
    fn new(session: SessionId, asked: &Asked, message: Message) -> Self {
        Self {
            session,
            turn: asked.turn.to_string(),
            message,
        }
    }
}

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        let mut body = ObjectWriter::with_capacity(self.message.size() + 256);
        body.add_with("message", |text| self.message.write_response(text));
        body.add("session_id", &self.session);
        body.add("turn_id", &self.turn);
        body.into_response()
    }
}
