//! `POST /api/skills/{id}/usage`: that a skill was used, and whether it went well.

use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::Admitted;
use crate::http::extract::blobs::RequestBlobs;
use crate::http::extract::body::JsonBody;
use crate::http::extract::idempotency::{IdempotencyKey, key_reused, replayed};
use crate::http::extract::path::SkillPath;
use crate::http::extract::query::Parameters;
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::responses::{BadBody, Missing};
use crate::service::skills::Catalog;
use crate::skill::SkillId;
use crate::store::{Counted, SkillUse, Usage};

/// The longest duration of a use, in milliseconds: a day.
const MAX_DURATION_MS: f64 = 24.0 * 60.0 * 60.0 * 1e3;

/// The route of uses.
pub(super) fn router() -> Router<App> {
    Router::new().route("/api/skills/{id}/usage", post(count_usage))
}

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(count_usage))]
pub(in crate::http) struct Described;

/// A use of a skill.
#[derive(Deserialize, utoipa::ToSchema)]
struct UsedSkill {
    /// Whether it went well.
    success: bool,
    /// How long it took, in milliseconds: at most a day.
    #[schema(minimum = 0, maximum = 86_400_000)]
    duration_ms: Option<f64>,
}

impl UsedSkill {
    fn into_use(self) -> Result<SkillUse> {
        let in_range = |milliseconds: &f64| (0.0..=MAX_DURATION_MS).contains(milliseconds);
        if !self.duration_ms.iter().all(in_range) {
            return Err(Error::field("duration_ms", "must be 0 to 86400000"));
        }
        let duration = self.duration_ms.map(|it| Duration::from_secs_f64(it / 1e3));
        Ok(SkillUse {
            success: self.success,
            duration,
        })
    }
}

/// How often a skill was used.
#[derive(Serialize, utoipa::ToSchema)]
struct CountedUsage {
    id: SkillId,
    usage_count: u64,
    /// Which share of its uses went well.
    #[schema(required, minimum = 0, maximum = 1)]
    success_rate: Option<f64>,
}

/// Tells that a skill was used, and whether it went well.
///
/// Each use that is told is counted once, under an `Idempotency-Key` also when it is told twice.
#[utoipa::path(
    post, path = "/api/skills/{id}/usage", tag = "skills", params(SkillPath, VolumeQuery, IdempotencyKey),
    request_body = UsedSkill,
    responses(
        (
            status = 200, description = "It is counted.", body = CountedUsage, headers(("Idempotency-Replayed"))
        ),
        BadBody, Missing
    )
)]
async fn count_usage(
    Admitted(by): Admitted,
    State(app): State<App>,
    RequestBlobs(blobs): RequestBlobs,
    SkillPath(id): SkillPath,
    Parameters(volume): Parameters<VolumeQuery>,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let usage = body.parse::<UsedSkill>()?.into_use()?;
    let volumes = volume.or_nearest(&by)?;
    // Everybody may tell that they used what they see, also what is the system's.
    by.may_change_something()?;
    let idempotency = key.of(&by, &uri, body.bytes());
    let counted = Catalog::new(&blobs, &app.store, &by)
        .count_usage(&volumes, &id, &usage, idempotency.as_ref())
        .await?;
    let (usage, is_replayed) = match counted.ok_or(Error::NO_SUCH_SKILL)? {
        Counted::Done(usage) => (usage, false),
        Counted::Replayed(usage) => (usage, true),
        Counted::KeyReused => return Err(key_reused()),
    };
    let answer = CountedUsage {
        id,
        usage_count: usage.uses,
        success_rate: Usage::success_rate(usage),
    };
    Ok((replayed(is_replayed), Json(answer)).into_response())
}
