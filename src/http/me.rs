//! `/api/me`: what a caller's credentials amount to. Asks no storage.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::app::App;
use crate::domain::caller::Caller;
use crate::domain::volume::{Volume, VolumeId};

/// The route of the caller.
pub(super) fn router() -> Router<App> {
    Router::new().route("/api/me", get(find_caller))
}

/// What this route says of itself.
#[derive(utoipa::OpenApi)]
#[openapi(paths(find_caller))]
pub(super) struct Described;

/// Who calls, and what they may.
#[derive(Serialize, utoipa::ToSchema)]
struct Me {
    /// Whether callers are told apart: without, everybody is the same one and may do everything.
    signed_in: bool,
    /// With `volume_id` the volume that the caller means who names none, or `default`.
    volume: Volume,
    volume_id: VolumeId,
    /// The teams that the caller is a member of.
    teams: Vec<VolumeId>,
    /// Whether the caller may see what is in every volume.
    all_volumes: bool,
    /// Whether the caller may change nothing.
    read_only: bool,
}

/// Tells who calls, and what they may.
///
/// Where callers are not told apart, everybody is the same one, and may do everything.
#[utoipa::path(
    get, path = "/api/me", tag = "me",
    responses((status = 200, description = "What the credentials amount to.", body = Me))
)]
async fn find_caller(by: Caller) -> Json<Me> {
    let own = by.own();
    Json(Me {
        signed_in: !by.name().is_empty(),
        volume: own.volume,
        volume_id: own.id,
        teams: by.teams().to_vec(),
        all_volumes: by.volumes().is_none(),
        read_only: by.may_change_something().is_err(),
    })
}
