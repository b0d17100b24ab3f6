//! `/api/me`: the authenticated caller and their access. Uses no storage.

use axum::Json;
use serde::Serialize;

use crate::domain::request_context::RequestContext;
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::http::extract::query::{NoParameters, QueryParams};

/// The authenticated caller and their access.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Me {
    /// Whether callers are authenticated; if not, every caller is an unrestricted one.
    signed_in: bool,
    /// With `volume_id`: the volume of requests that name none, or `default`. A `sub` that is not a plain id is mapped to
    /// an id that begins with `!`.
    volume: VolumeKind,
    volume_id: VolumeId,
    /// The teams of the caller.
    teams: Vec<VolumeId>,
    /// Whether the caller may read every volume.
    all_volumes: bool,
    /// Whether the caller may only read.
    read_only: bool,
    /// Present only if the token lacks a claim that the configuration names, or if the claim cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<String>,
}

/// Returns the authenticated caller and their access.
///
/// Where callers are not authenticated, every caller is unrestricted.
#[utoipa::path(
    get, path = "/api/me", tag = "me",
    responses((status = 200, description = "The caller.", body = Me))
)]
pub(super) async fn find_caller(context: RequestContext, _: QueryParams<NoParameters>) -> Json<Me> {
    let own = context.caller.default_volume();
    Json(Me {
        signed_in: !context.caller.name().is_empty(),
        volume: own.kind,
        volume_id: own.id,
        teams: context.caller.teams().to_vec(),
        all_volumes: context.caller.volumes().is_none(),
        read_only: !context.caller.can_write(),
        warnings: context.caller.warnings().to_vec(),
    })
}
