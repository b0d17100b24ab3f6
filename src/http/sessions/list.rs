//! `GET /api/sessions`: the sessions of one volume, or of all that the caller may read.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::domain::session::Session;
use crate::http::error::Result;
use crate::http::extract::page::{limit, page_limit};
use crate::http::extract::query::{QueryParams, parameter};
use crate::http::extract::volume::selection;
use crate::http::sample::sample_header;
use crate::http::schema::parameters;
use crate::http::schema::responses::BadQuery;
use crate::service::sessions::{ListSessions, MAX_SESSIONS_PER_PAGE};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// The volume; without it, every volume that the caller may read.
    #[param(schema_with = parameters::volume, required = false)]
    volume: Option<String>,
    /// The user or team; only together with `volume`.
    #[param(schema_with = parameters::volume_id, required = false)]
    volume_id: Option<String>,
    /// Only sessions with this status.
    #[param(schema_with = parameters::status, required = false)]
    status: Option<String>,
    /// The largest number of sessions.
    #[param(schema_with = page_limit::<MAX_SESSIONS_PER_PAGE>, required = false)]
    limit: Option<String>,
    /// The `next_cursor` of the previous page.
    #[param(schema_with = parameters::cursor, required = false)]
    cursor: Option<String>,
}

impl ListQuery {
    fn parse(self) -> Result<ListSessions> {
        Ok(ListSessions {
            volume: selection(self.volume, self.volume_id)?,
            status: parameter("status", self.status)?,
            limit: limit("limit", self.limit.as_deref(), 1..=MAX_SESSIONS_PER_PAGE)?,
            cursor: self.cursor,
        })
    }
}

/// A page of sessions.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SessionList {
    sessions: Vec<Session>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// The ids of sessions whose documents cannot be parsed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
    /// Whether these are samples, because storage is missing or unavailable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

/// Lists sessions, the latest activity first.
///
/// One page per request; `status` filters all pages. Where Redis is missing or unavailable these may be
/// samples, marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/sessions", tag = "sessions", params(ListQuery),
    responses(
        (status = 200, description = "A page of sessions.", body = SessionList, headers(("X-LLMOS-Storage"))),
        BadQuery
    )
)]
pub(super) async fn list_sessions(
    context: RequestContext,
    State(app): State<App>,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<Response> {
    let list = app.sessions(&context).list(query.parse()?).await?;
    let sample = sample_header(list.is_sample);
    let page = SessionList {
        sessions: list.value.sessions,
        next_cursor: list.value.next_cursor,
        unreadable: list.value.unreadable,
        fallback: list.is_sample,
    };
    Ok((sample, Json(page)).into_response())
}
