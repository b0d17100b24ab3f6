//! `GET /api/skills`: the skills of one volume, or of all that concern a user, the nearer shadowing the farther.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::App;
use crate::blob::{Blobs, paths};
use crate::domain::caller::Caller;
use crate::domain::volume::{Volume, VolumeId, VolumeRef};
use crate::http::error::{Error, Result};
use crate::http::extract::auth::Admitted;
use crate::http::extract::blobs::RequestBlobs;
use crate::http::extract::page::{decode_cursor, encode_cursor, limit};
use crate::http::extract::query::{Parameters, flag, parameter};
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::parameters::{AnyCursor, AnyVolumeId, Flag, PageLimit, Text};
use crate::http::schema::responses::BadQuery;
use crate::service::fallback::sample_mark;
use crate::service::samples;
use crate::service::skills::{Catalog, ListRequest, SkillFilter, SkillPage};

/// How many skills a page holds at most.
const MAX_SKILLS: usize = 1000;

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list_skills))]
pub(in crate::http) struct Described;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only skills with this text in their id, name, description, tags, keywords or category.
    #[param(value_type = Text, inline, required = false)]
    q: Option<String>,
    /// Only skills with this tag.
    #[param(value_type = Text, inline, required = false)]
    tag: Option<String>,
    /// Only skills of this category.
    #[param(value_type = Text, inline, required = false)]
    category: Option<String>,
    /// How many skills at most.
    #[param(value_type = PageLimit<{ MAX_SKILLS }>, inline, required = false)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(value_type = AnyCursor, inline, required = false)]
    cursor: Option<String>,
    /// All that concern one user: the user's, a team's and the system's, the nearer one for farther ones of the
    /// same id. `volume` then says nothing.
    #[param(value_type = Flag, inline, required = false)]
    effective: Option<String>,
    /// With `effective`: which team's.
    #[param(value_type = AnyVolumeId, inline, required = false)]
    team_id: Option<String>,
    /// With `effective`: which user's.
    #[param(value_type = AnyVolumeId, inline, required = false)]
    user_id: Option<String>,
}

impl ListQuery {
    fn into_request(self, by: &Caller, volume: VolumeQuery) -> Result<ListRequest> {
        let user = parameter("user_id", self.user_id)?;
        let team = parameter("team_id", self.team_id)?;
        let volumes = if flag("effective", self.effective.as_deref())? {
            effective_volumes(by, team, user)?
        } else {
            vec![volume.readable(by, VolumeRef::system())?]
        };
        let cursor = decode_cursor(&list_name(by, &volumes), self.cursor.as_deref())?;
        Ok(ListRequest {
            volumes,
            filter: SkillFilter::new(
                self.q.as_deref(),
                self.tag.as_deref(),
                self.category.as_deref(),
            ),
            limit: limit("limit", self.limit.as_deref(), 1..=MAX_SKILLS)?,
            cursor,
        })
    }
}

/// What tells a list from every other one, and a caller's from another's.
fn list_name(by: &Caller, volumes: &[VolumeRef]) -> String {
    let volumes: String = volumes.iter().map(paths::skills).collect();
    by.owned(&volumes)
}

/// The volumes that concern a user, the nearest first.
fn effective_volumes(
    by: &Caller,
    team: Option<VolumeId>,
    user: Option<VolumeId>,
) -> Result<Vec<VolumeRef>> {
    let user = user.map_or_else(|| by.own(), |id| by.resolve(Volume::User, id));
    let team = team.map(|id| by.resolve(Volume::Team, id));
    let own = [Some(user), team].into_iter().flatten();
    let volumes: Vec<VolumeRef> = own.chain([VolumeRef::system()]).collect();
    for volume in &volumes {
        by.may_read(volume)?;
    }
    Ok(volumes)
}

/// A page of skills.
#[derive(Serialize, utoipa::ToSchema)]
struct SkillList {
    /// The skills, ordered by id; code of more than 16 KB is left out, with a warning.
    #[schema(value_type = Vec<crate::service::skills::CatalogSkill>)]
    skills: Vec<Box<RawValue>>,
    /// What leads to the next page; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// These are samples, because storage is missing or down.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

/// Lists skills, a page at a time, ordered by id.
///
/// A page with a filter may be short, or empty, and still have a `next_cursor`. Where Blob is missing or down these may
/// be samples, marked by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/skills", tag = "skills", params(VolumeQuery, ListQuery),
    responses(
        (status = 200, description = "A page of skills.", body = SkillList, headers(("X-LLMOS-Storage"))),
        BadQuery
    )
)]
pub(super) async fn list_skills(
    Admitted(by): Admitted,
    State(app): State<App>,
    RequestBlobs(blobs): RequestBlobs,
    Parameters(volume): Parameters<VolumeQuery>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response> {
    let request = query.into_request(&by, volume)?;
    let (page, fallback) = match Catalog::new(&blobs, &app.store, &by).list(&request).await {
        Ok(page) => (page, false),
        Err(error) => (
            app.sample_instead_of(error, sample(&request, &blobs), Error::NO_SUCH_SKILL)?,
            true,
        ),
    };
    let list = SkillList {
        skills: page.skills,
        next_cursor: page
            .next
            .map(|next| encode_cursor(&list_name(&by, &request.volumes), &next)),
        fallback,
    };
    Ok((sample_mark(fallback), Json(list)).into_response())
}

/// The samples are the system's. While the store is down, nobody knows what the others have; where there is no
/// store, they have nothing.
fn sample(request: &ListRequest, blobs: &Blobs) -> Option<SkillPage> {
    let concerns_system = request.volumes.contains(&VolumeRef::system());
    (concerns_system || !blobs.is_configured()).then(|| samples::skills::list(request))
}
