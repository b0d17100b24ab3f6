//! `POST /api/skills/{id}/usage`: reports of uses of a skill.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::RateLimited;
use crate::http::extract::body::JsonBody;
use crate::http::extract::idempotency::{IdempotencyKey, replayed};
use crate::http::extract::path::SkillPath;
use crate::http::extract::query::QueryParams;
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::responses::{BadBody, NotFound};
use crate::skill::SkillId;
use crate::store::{SkillUse, Usage};

/// The longest duration of a use, in milliseconds: one day.
const MAX_DURATION_MS: f64 = 24.0 * 60.0 * 60.0 * 1e3;

/// A use of a skill.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct UsedSkill {
    /// Whether the use was successful.
    success: bool,
    /// The duration in milliseconds, at most one day.
    #[schema(minimum = 0, maximum = 86_400_000)]
    duration_ms: Option<f64>,
}

impl UsedSkill {
    fn into_use(self) -> Result<SkillUse> {
        let in_range = |milliseconds: &f64| (0.0..=MAX_DURATION_MS).contains(milliseconds);
        if !self.duration_ms.iter().all(in_range) {
            return Err(Error::field("duration_ms", "must be 0 to 86400000"));
        }
        let duration = self.duration_ms;
        let duration = duration.map(|milliseconds| Duration::from_secs_f64(milliseconds / 1e3));
        Ok(SkillUse {
            success: self.success,
            duration,
        })
    }
}

/// The usage counts of a skill.
#[derive(Serialize, utoipa::ToSchema)]
struct CountedUsage {
    id: SkillId,
    usage_count: u64,
    /// The share of successful uses, 0–1.
    #[schema(required, minimum = 0, maximum = 1)]
    success_rate: Option<f64>,
}

/// Reports a use of a skill, and whether it was successful.
///
/// Each reported use is counted once. With an `Idempotency-Key`, a repeated report is not counted again.
#[utoipa::path(
    post, path = "/api/skills/{id}/usage", tag = "skills", params(SkillPath, VolumeQuery, IdempotencyKey),
    request_body = UsedSkill,
    responses(
        (
            status = 200, description = "The use is counted.", body = CountedUsage, headers(("Idempotency-Replayed"))
        ),
        BadBody, NotFound
    )
)]
pub(super) async fn count_usage(
    RateLimited(context): RateLimited,
    State(app): State<App>,
    SkillPath(id): SkillPath,
    QueryParams(volume): QueryParams<VolumeQuery>,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonBody,
) -> Result<Response> {
    let usage = body.parse::<UsedSkill>()?.into_use()?;
    let key = key.bind(&context.caller, &uri, body.bytes());
    let skills = app.skills(&context);
    let counted = skills
        .count_usage(volume.selection()?, &id, &usage, key.as_ref())
        .await?;
    let counts = CountedUsage {
        id,
        usage_count: counted.value.uses,
        success_rate: Usage::success_rate(counted.value),
    };
    Ok((replayed(counted.is_replayed), Json(counts)).into_response())
}
