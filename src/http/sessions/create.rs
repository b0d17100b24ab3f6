//! `POST /api/sessions`: creates a session.

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

use super::format::FormatQuery;
use super::response::SessionResponse;
use crate::app::App;
use crate::domain::message::{Content, Format, MAX_BATCH, NewMessage};
use crate::domain::metadata::Metadata;
use crate::domain::name::Name;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{ChosenId, Status, TitleSource};
use crate::domain::tag::Tags;
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::http::error::{Error, Result};
use crate::http::extract::body::JsonBody;
use crate::http::extract::idempotency::{IdempotencyKey, replayed};
use crate::http::extract::page::DEFAULT_LIMIT;
use crate::http::extract::query::{And, QueryParams, parameter};
use crate::http::location;
use crate::http::schema::parameters;
use crate::http::schema::responses::{BadBody, Conflict};
use crate::service::sessions::{CreateSession, CreatedSession};
use crate::service::volume::VolumeSelection;
use crate::util::schema::schema;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CreateQuery {
    /// The user or team that the session belongs to; overrides the body.
    #[param(schema_with = parameters::volume_id, required = false)]
    volume_id: Option<String>,
    /// `return`: if a session has the `id` already, the response is that session with the status 200, as for `GET`.
    #[param(schema_with = if_exists, required = false)]
    if_exists: Option<String>,
}

fn if_exists() -> RefOr<Schema> {
    parameters::one_of(&["return"])
}

/// A session to create.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = CreateSession)]
#[serde(deny_unknown_fields)]
struct CreateSessionBody {
    /// The id, unique in the deployment; generated if it is missing.
    id: Option<ChosenId>,
    /// The name; `New chat` if it is missing.
    name: Option<Name>,
    /// The origin of the name, only together with `name`; `client` if it is missing.
    title_source: Option<TitleSource>,
    volume: VolumeKind,
    /// The user or team that the session belongs to; `default` if it is missing.
    volume_id: Option<VolumeId>,
    /// The first message, with the role `user`; not together with `messages`.
    initial_message: Option<Content>,
    /// The first messages, in order.
    #[schema(schema_with = first_messages, required = false)]
    messages: Option<Vec<NewMessage>>,
    /// The status; `active` if it is missing.
    status: Option<Status>,
    metadata: Option<Metadata>,
    pinned: Option<bool>,
    archived: Option<bool>,
    tags: Option<Tags>,
}

impl CreateSessionBody {
    fn into_session(self, volume_id: Option<VolumeId>) -> Result<CreateSession> {
        check_title_source(self.title_source, self.name.as_ref())?;
        let messages = match (self.initial_message, self.messages) {
            (None, messages) => messages.unwrap_or_default(),
            (Some(_), Some(_)) => {
                let rule = "must not stand beside messages";
                return Err(Error::field("initial_message", rule));
            }
            (Some(content), None) if content.is_empty() => {
                return Err(Error::field("initial_message", "must be 1 byte to 256 KB"));
            }
            (Some(content), None) => vec![NewMessage::from_user(content)],
        };
        if messages.len() > MAX_BATCH {
            let rule = format!("must be at most {MAX_BATCH} messages");
            return Err(Error::field("messages", rule));
        }
        Ok(CreateSession {
            id: self.id.map(|ChosenId(id)| id),
            name: self.name,
            title_source: self.title_source,
            volume: VolumeSelection {
                kind: self.volume,
                id: volume_id.or(self.volume_id),
            },
            status: self.status,
            metadata: self.metadata,
            pinned: self.pinned,
            archived: self.archived,
            tags: self.tags,
            messages,
        })
    }
}

/// Checks that the origin of a name comes with a name.
///
/// # Errors
/// If `source` is given without `name`.
pub(super) fn check_title_source(source: Option<TitleSource>, name: Option<&Name>) -> Result<()> {
    match (source, name) {
        (Some(_), None) => Err(Error::field(
            "title_source",
            "is only allowed together with name",
        )),
        _ => Ok(()),
    }
}

fn first_messages() -> RefOr<Schema> {
    schema(json!({
        "type": "array", "maxItems": MAX_BATCH, "items": Ref::from_schema_name(NewMessage::name()),
    }))
}

/// Returns the number of messages that an existing session is returned with; `None` if it is not to be returned.
fn messages_if_exists(text: Option<&str>, new: &CreateSession) -> Result<Option<usize>> {
    match text.unwrap_or_default() {
        "" => Ok(None),
        "return" if new.id.is_some() => Ok(Some(DEFAULT_LIMIT)),
        "return" => Err(Error::field("id", "is required with if_exists")),
        _ => Err(Error::field("if_exists", "must be return")),
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
        (
            status = 200, description = "With `if_exists=return`: the session that has the id already.",
            body = SessionResponse, headers(("ETag"))
        ),
        BadBody, Conflict
    )
)]
pub(super) async fn create_session(
    context: RequestContext,
    State(app): State<App>,
    QueryParams(And(query, format)): QueryParams<And<CreateQuery, FormatQuery>>,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let format = format.parse()?;
    let new = body.parse::<CreateSessionBody>();
    if new.is_err() {
        body.reject_unknown_in::<NewMessage>("messages")?;
    }
    let new = new?.into_session(parameter("volume_id", query.volume_id)?)?;
    let if_exists = messages_if_exists(query.if_exists.as_deref(), &new)?;
    let key = key.bind(&context.caller, &uri, body.bytes());
    let sessions = app.sessions(&context);
    let created = sessions.create(new, if_exists, key.as_ref()).await?;
    Ok(response(created, format))
}

fn response(created: CreatedSession, format: Format) -> Response {
    let created = match created {
        CreatedSession::Existing(session) => {
            return SessionResponse::with_messages(session, format).into_response();
        }
        CreatedSession::Created(created) => created,
    };
    let id = &created.value.current.session.id;
    let location = [(header::LOCATION, location::of_session(id))];
    let replayed = replayed(created.is_replayed);
    let session = SessionResponse::with_messages(created.value, format);
    (StatusCode::CREATED, location, replayed, session).into_response()
}
