//! `POST /api/sessions/{id}/fork`: a new session with the messages of a branch.

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::response::SessionResponse;
use crate::app::App;
use crate::domain::message::MessageId;
use crate::domain::name::Name;
use crate::domain::request_context::RequestContext;
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::http::error::{Error, Result};
use crate::http::extract::body::JsonBody;
use crate::http::extract::idempotency::{IdempotencyKey, replayed};
use crate::http::extract::path::SessionPath;
use crate::http::extract::query::{NoParameters, QueryParams};
use crate::http::location;
use crate::http::schema::responses::{BadBody, Conflict, NotFound};
use crate::service::sessions::Fork;
use crate::service::volume::VolumeSelection;

/// What to fork.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = Fork)]
#[serde(deny_unknown_fields)]
struct ForkBody {
    /// The last message of the new session; the end of the active branch if it is missing.
    message_id: Option<MessageId>,
    /// The name; that of the forked session if it is missing.
    name: Option<Name>,
    /// The volume of the new session; that of the forked session if it is missing.
    volume: Option<VolumeKind>,
    /// The user or team; only together with `volume`.
    volume_id: Option<VolumeId>,
}

impl ForkBody {
    fn into_fork(self) -> Result<Fork> {
        if self.volume.is_none() && self.volume_id.is_some() {
            return Err(Error::field("volume", "is required with volume_id"));
        }
        Ok(Fork {
            message_id: self.message_id,
            name: self.name,
            volume: self.volume.map(|kind| VolumeSelection {
                kind,
                id: self.volume_id,
            }),
        })
    }
}

/// Creates a session with the messages of a branch up to one of them.
///
/// Messages keep their ids and contents; deleted ones are left out. At most 10,000 messages or 16 MB.
#[utoipa::path(
    post, path = "/api/sessions/{id}/fork", tag = "sessions", params(SessionPath, IdempotencyKey),
    request_body = Option<ForkBody>,
    responses(
        (
            status = 201, description = "The new session, without messages.", body = SessionResponse,
            headers(("Location"), ("ETag"), ("Idempotency-Replayed"))
        ),
        BadBody, NotFound, Conflict
    )
)]
pub(super) async fn fork_session(
    context: RequestContext,
    State(app): State<App>,
    SessionPath(id): SessionPath,
    _: QueryParams<NoParameters>,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let fork = body.parse::<ForkBody>()?.into_fork()?;
    let key = key.bind(&context.caller, &uri, body.bytes());
    let forked = app
        .sessions(&context)
        .fork(&id, &fork, key.as_ref())
        .await?;
    let location = [(
        header::LOCATION,
        location::of_session(&forked.value.session.id),
    )];
    let replayed = replayed(forked.is_replayed);
    let session = SessionResponse::without_messages(forked.value);
    Ok((StatusCode::CREATED, location, replayed, session).into_response())
}
