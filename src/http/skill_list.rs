//! `GET /api/skills`: the skills of one volume, or of all that concern a user, the nearer shadowing the farther.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::auth::Admitted;
use super::extract::{Parameters, RequestBlobs, flag, parameter};
use super::fallback::sample_mark;
use super::page::{decode_cursor, encode_cursor, limit};
use super::volume_query::VolumeQuery;
use crate::app::App;
use crate::blob::{Blobs, paths};
use crate::caller::Caller;
use crate::catalog::{Catalog, ListRequest, SkillFilter, SkillPage};
use crate::error::{Error, Result};
use crate::skill_samples;
use crate::volume::{Volume, VolumeId, VolumeRef};

/// How many skills a page holds at most.
const MAX_SKILLS: usize = 1000;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    q: Option<String>,
    tag: Option<String>,
    category: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
    effective: Option<String>,
    team_id: Option<String>,
    user_id: Option<String>,
}

impl ListQuery {
    fn into_request(self, by: &Caller, volume: VolumeQuery) -> Result<ListRequest> {
        let volumes = if flag("effective", self.effective.as_deref())? {
            effective_volumes(by, self.team_id, self.user_id)?
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
    team_id: Option<String>,
    user_id: Option<String>,
) -> Result<Vec<VolumeRef>> {
    let user: Option<VolumeId> = parameter("user_id", user_id)?;
    let team: Option<VolumeId> = parameter("team_id", team_id)?;
    let user = user.map_or_else(|| by.own(), |id| by.resolve(Volume::User, id));
    let team = team.map(|id| by.resolve(Volume::Team, id));
    let own = [Some(user), team].into_iter().flatten();
    let volumes: Vec<VolumeRef> = own.chain([VolumeRef::system()]).collect();
    for volume in &volumes {
        by.may_read(volume)?;
    }
    Ok(volumes)
}

#[derive(Serialize)]
struct SkillList {
    skills: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

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
    (concerns_system || !blobs.is_configured()).then(|| skill_samples::list(request))
}
