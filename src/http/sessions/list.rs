//! `GET /api/sessions`: the sessions of one volume, or all that the caller may see.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::domain::caller::Caller;
use crate::domain::session::Session;
use crate::domain::volume::{Volume, VolumeId, VolumeRef};
use crate::http::error::{Error, Result};
use crate::http::extract::page::{decode_cursor, encode_cursor, limit};
use crate::http::extract::query::{Parameters, parameter};
use crate::http::schema::parameters::{AnyCursor, AnyStatus, AnyVolume, AnyVolumeId, PageLimit};
use crate::http::schema::responses::BadQuery;
use crate::service::fallback::sample_mark;
use crate::service::samples;
use crate::store::ListRequest;

/// How many sessions a page holds at most.
const MAX_SESSIONS: usize = 200;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list_sessions))]
pub(in crate::http) struct Described;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Whose sessions; without it those of every volume that the caller may read.
    #[param(value_type = AnyVolume, inline, required = false)]
    volume: Option<String>,
    /// Which user's or team's sessions; only together with `volume`.
    #[param(value_type = AnyVolumeId, inline, required = false)]
    volume_id: Option<String>,
    /// Only sessions with this status.
    #[param(value_type = AnyStatus, inline, required = false)]
    status: Option<String>,
    /// How many sessions at most.
    #[param(value_type = PageLimit<{ MAX_SESSIONS }>, inline, required = false)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = AnyCursor, inline, required = false)]
    cursor: Option<String>,
}

impl ListQuery {
    fn into_request(self, by: &Caller) -> Result<ListRequest> {
        let volume: Option<Volume> = parameter("volume", self.volume)?;
        let volume_id: Option<VolumeId> = parameter("volume_id", self.volume_id)?;
        if volume.is_none() && volume_id.is_some() {
            return Err(Error::field(
                "volume",
                "is required where volume_id is given",
            ));
        }
        let volume = volume.map(|volume| by.resolve(volume, volume_id.unwrap_or_default()));
        if let Some(volume) = &volume {
            by.may_read(volume)?;
        }
        let cursor = decode_cursor(&list_name(by, volume.as_ref()), self.cursor.as_deref())?;
        Ok(ListRequest {
            volume,
            status: parameter("status", self.status)?,
            limit: limit("limit", self.limit.as_deref(), 1..=MAX_SESSIONS)?,
            cursor,
        })
    }
}

/// What tells a list from every other one, and a caller's from another's.
fn list_name(by: &Caller, volume: Option<&VolumeRef>) -> String {
    let volume = volume.map(ToString::to_string);
    by.owned(&format!("sessions/{}", volume.unwrap_or_default()))
}

/// A page of sessions.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SessionList {
    sessions: Vec<Session>,
    /// What leads to the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// The ids of sessions under whose keys something else stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
    /// These are samples, because storage is missing or down.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

/// Lists sessions, the latest activity first.
///
/// A page at a time; `status` filters, with paging as without. Where Redis is missing or down these may be
/// samples, marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/sessions", tag = "sessions", params(ListQuery),
    responses(
        (status = 200, description = "A page of sessions.", body = SessionList, headers(("X-LLMOS-Storage"))),
        BadQuery
    )
)]
pub(super) async fn list_sessions(
    by: Caller,
    State(app): State<App>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response> {
    let request = query.into_request(&by)?;
    let (page, fallback) = match app.store.list_sessions(&by, &request).await {
        Ok(page) => (page, false),
        Err(error) => (
            app.sample_instead_of(
                error.into(),
                Some(samples::sessions::list_sessions(&by, &request)),
                Error::NO_SUCH_SESSION,
            )?,
            true,
        ),
    };
    let list = SessionList {
        sessions: page.sessions,
        next_cursor: page
            .next
            .map(|next| encode_cursor(&list_name(&by, request.volume.as_ref()), &next)),
        unreadable: page.unreadable,
        fallback,
    };
    Ok((sample_mark(fallback), Json(list)).into_response())
}
