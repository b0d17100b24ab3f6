//! `GET /api/skills`: the skills of one volume, or all that apply to a user.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::App;
use crate::domain::volume::VolumeId;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::RateLimited;
use crate::http::extract::page::{limit, page_limit};
use crate::http::extract::query::{And, QueryParams, flag, parameter};
use crate::http::extract::volume::VolumeQuery;
use crate::http::sample::sample_header;
use crate::http::schema::parameters;
use crate::http::schema::responses::BadQuery;
use crate::service::skills::{ListSkills, SkillFilter, SkillScope};

/// The largest page of skills.
const MAX_SKILLS_PER_PAGE: usize = 1000;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only skills with this text in their id, name, description, tags, keywords or category.
    #[param(schema_with = parameters::text, required = false)]
    q: Option<String>,
    /// Only skills with this tag.
    #[param(schema_with = parameters::text, required = false)]
    tag: Option<String>,
    /// Only skills of this category.
    #[param(schema_with = parameters::text, required = false)]
    category: Option<String>,
    /// The largest number of skills.
    #[param(schema_with = page_limit::<MAX_SKILLS_PER_PAGE>, required = false)]
    limit: Option<String>,
    /// The `next_cursor` of the previous page.
    #[param(schema_with = parameters::cursor, required = false)]
    cursor: Option<String>,
    /// Whether to list the skills that apply to one user: the user's, a team's and the system's. A skill in a more
    /// specific volume overrides one with the same id. Not together with `volume`.
    #[param(schema_with = parameters::flag, required = false)]
    effective: Option<String>,
    /// With `effective`: the team.
    #[param(schema_with = parameters::volume_id, required = false)]
    team_id: Option<String>,
    /// With `effective`: the user.
    #[param(schema_with = parameters::volume_id, required = false)]
    user_id: Option<String>,
}

impl ListQuery {
    fn parse(self, volume: VolumeQuery) -> Result<ListSkills> {
        let user: Option<VolumeId> = parameter("user_id", self.user_id)?;
        let team: Option<VolumeId> = parameter("team_id", self.team_id)?;
        let volume = volume.selection()?;
        let is_effective = flag("effective", self.effective.as_deref())?;
        let scope = match (is_effective, volume) {
            (true, None) => SkillScope::Effective { user, team },
            (true, Some(_)) => {
                let message = "is not supported with effective=true: use user_id and team_id";
                return Err(Error::field("volume", message));
            }
            (false, _) if user.is_some() => {
                return Err(Error::field("user_id", "requires effective=true"));
            }
            (false, _) if team.is_some() => {
                return Err(Error::field("team_id", "requires effective=true"));
            }
            (false, volume) => SkillScope::Volume(volume),
        };
        Ok(ListSkills {
            scope,
            filter: SkillFilter::new(
                self.q.as_deref(),
                self.tag.as_deref(),
                self.category.as_deref(),
            ),
            limit: limit("limit", self.limit.as_deref(), 1..=MAX_SKILLS_PER_PAGE)?,
            cursor: self.cursor,
        })
    }
}

/// A page of skills.
#[derive(Serialize, utoipa::ToSchema)]
struct SkillList {
    /// The skills, ordered by id; code of more than 16 KB is omitted, with a warning.
    #[schema(value_type = Vec<crate::service::skills::SkillSummary>)]
    skills: Vec<Box<RawValue>>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Whether these are samples, because storage is missing or unavailable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

/// Lists skills, a page at a time, ordered by id.
///
/// A filtered page may be short or empty and still have a `next_cursor`. Where Blob is missing or unavailable these may
/// be samples, marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/skills", tag = "skills", params(VolumeQuery, ListQuery),
    responses(
        (status = 200, description = "A page of skills.", body = SkillList, headers(("X-LLMOS-Storage"))),
        BadQuery
    )
)]
pub(super) async fn list_skills(
    RateLimited(context): RateLimited,
    State(app): State<App>,
    QueryParams(And(volume, query)): QueryParams<And<VolumeQuery, ListQuery>>,
) -> Result<Response> {
    let list = app.skills(&context).list(query.parse(volume)?).await?;
    let page = SkillList {
        skills: list.value.skills,
        next_cursor: list.value.next_cursor,
        fallback: list.is_sample,
    };
    Ok((sample_header(list.is_sample), Json(page)).into_response())
}
