//! `GET /api/sessions`: the sessions of one volume, or of all that the caller may read.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

use super::filter::{FilterTexts, RepeatedParams};
use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SESSION_MEMBERS, Session};
use crate::domain::session_filter::{SortKey, SortOrder};
use crate::http::error::{Error, Result};
use crate::http::extract::page::{limit, page_limit};
use crate::http::extract::query::{And, QueryParams};
use crate::http::sample::sample_header;
use crate::http::schema::parameters;
use crate::http::schema::responses::BadQuery;
use crate::service::sessions::{ListSessions, ListedSessions, MAX_SESSIONS_PER_PAGE};
use crate::util::json;
use crate::util::schema::schema;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// The volume; without it, every volume that the caller may read.
    #[param(schema_with = parameters::volume, required = false)]
    volume: Option<String>,
    /// The user or team; only together with `volume`.
    #[param(schema_with = parameters::volume_id, required = false)]
    volume_id: Option<String>,
    /// `false` (default) for sessions that are not archived, `true` for archived ones, `all` for both.
    #[param(schema_with = archived, required = false)]
    archived: Option<String>,
    /// Only pinned sessions, or only those that are not pinned.
    #[param(schema_with = parameters::flag, required = false)]
    pinned: Option<String>,
    /// The time that orders the list: of the last activity (default) or of the creation.
    #[param(schema_with = sort, required = false)]
    sort: Option<String>,
    /// The direction of the list: the latest (default) or the earliest first.
    #[param(schema_with = order, required = false)]
    order: Option<String>,
    /// The members of each session in the response, with commas between them; all, if it is missing.
    #[param(schema_with = fields, required = false)]
    fields: Option<String>,
    /// `total`: the response contains the number of sessions of the list. Only with filters by volume, status and
    /// archived sessions.
    #[param(schema_with = include, required = false)]
    include: Option<String>,
    /// The largest number of sessions.
    #[param(schema_with = page_limit::<MAX_SESSIONS_PER_PAGE>, required = false)]
    limit: Option<String>,
    /// The `next_cursor` of the previous page.
    #[param(schema_with = parameters::cursor, required = false)]
    cursor: Option<String>,
}

fn archived() -> RefOr<Schema> {
    parameters::one_of(&["false", "true", "all"])
}

fn sort() -> RefOr<Schema> {
    parameters::one_of(&[SortKey::Updated, SortKey::Created])
}

fn order() -> RefOr<Schema> {
    parameters::one_of(&[SortOrder::Desc, SortOrder::Asc])
}

fn include() -> RefOr<Schema> {
    parameters::one_of(&["total"])
}

fn fields() -> RefOr<Schema> {
    let name = SESSION_MEMBERS.join("|");
    parameters::or_empty(
        &json!({"type": "string", "pattern": format!("^(?:{name})(?:,(?:{name}))*$")}),
    )
}

/// A parsed query: the page, and the members of its sessions.
struct Query {
    page: ListSessions,
    members: Option<Vec<&'static str>>,
}

impl ListQuery {
    fn parse(self, repeated: RepeatedParams) -> Result<Query> {
        let list = FilterTexts {
            volume: self.volume,
            volume_id: self.volume_id,
            archived: self.archived,
            pinned: self.pinned,
            sort: self.sort,
            order: self.order,
            repeated,
        };
        let list = list.parse()?;
        let page = ListSessions {
            with_total: with_total(self.include.as_deref(), &list)?,
            list,
            limit: limit("limit", self.limit.as_deref(), 1..=MAX_SESSIONS_PER_PAGE)?,
            cursor: self.cursor,
        };
        let members = members(self.fields.as_deref())?;
        Ok(Query { page, members })
    }
}

fn with_total(include: Option<&str>, list: &ListedSessions) -> Result<bool> {
    match include.unwrap_or_default() {
        "" => Ok(false),
        "total" if list.filter.is_by_state() => Ok(true),
        "total" => Err(Error::InvalidRequest(
            "include=total counts only lists that are filtered by volume, status and archived. Remove include, or the \
             other filters."
                .to_owned(),
        )),
        _ => Err(Error::field("include", "must be total")),
    }
}

/// Parses the names of members; `None` for all members.
fn members(fields: Option<&str>) -> Result<Option<Vec<&'static str>>> {
    let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
        return Ok(None);
    };
    let names = fields.split(',').map(|name| {
        let known = SESSION_MEMBERS.into_iter().find(|known| *known == name);
        known.ok_or_else(|| {
            let supported = SESSION_MEMBERS.join(", ");
            Error::InvalidRequest(format!(
                "fields contains an unknown name; supported are {supported}."
            ))
        })
    });
    names.collect::<Result<_>>().map(Some)
}

/// A session in a list, with all members or those that the client wants.
fn listed(session: &Session, members: Option<&[&str]>) -> Box<RawValue> {
    let session = json::raw(session);
    let Some(members) = members else {
        return session;
    };
    let mut selected = json::Object::default();
    let all = json::Object::parse(session.get()).unwrap_or_default();
    for name in SESSION_MEMBERS.iter().filter(|name| members.contains(name)) {
        if let Some(value) = all.get(name) {
            selected.set(*name, value.to_owned());
        }
    }
    json::raw(&selected)
}

fn listed_session() -> RefOr<Schema> {
    let some = json!({"type": "object", "description": "With `fields`: only these members."});
    schema(
        json!({"type": "array", "items": {"anyOf": [Ref::from_schema_name(Session::name()), some]}}),
    )
}

/// A page of sessions.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SessionList {
    #[schema(schema_with = listed_session)]
    sessions: Vec<Box<RawValue>>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// The ids of sessions whose documents cannot be parsed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
    /// The number of sessions of the list; only with `include=total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    total: Option<u64>,
    /// Whether these are samples, because storage is missing or unavailable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

/// Lists sessions, the latest activity first.
///
/// One page per request. Tags and members of the metadata have no index: a page reads up to 2,000 sessions for them, so
/// it may be short and have a cursor. Where Redis is missing or unavailable these may be
/// samples, marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/sessions", tag = "sessions", params(ListQuery, RepeatedParams),
    responses(
        (status = 200, description = "A page of sessions.", body = SessionList, headers(("X-LLMOS-Storage"))),
        BadQuery
    )
)]
pub(super) async fn list_sessions(
    context: RequestContext,
    State(app): State<App>,
    QueryParams(And(query, repeated)): QueryParams<And<ListQuery, RepeatedParams>>,
) -> Result<Response> {
    let query = query.parse(repeated)?;
    let list = app.sessions(&context).list(query.page).await?;
    let sample = sample_header(list.is_sample);
    let sessions = list.value.sessions.iter();
    let page = SessionList {
        sessions: sessions
            .map(|session| listed(session, query.members.as_deref()))
            .collect(),
        next_cursor: list.value.next_cursor,
        unreadable: list.value.unreadable,
        total: list.value.total,
        fallback: list.is_sample,
    };
    Ok((sample, Json(page)).into_response())
}
