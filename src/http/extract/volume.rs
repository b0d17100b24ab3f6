//! The query parameters `volume` and `volume_id`.

use serde::Deserialize;

use super::query::parameter;
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::http::error::{Error, Result};
use crate::http::schema::parameters::{AnyVolume, AnyVolumeId};
use crate::service::volume::VolumeSelection;

/// The volume of a request for skills or files.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VolumeQuery {
    /// Whose it is. Without it: the caller's own; where skills are listed, the system's; where a skill is read or
    /// used, the caller's own and then the system's.
    #[param(value_type = AnyVolume, inline, required = false)]
    volume: Option<String>,
    /// Which user's or team's it is; only together with `volume`. That of the system is `system`.
    #[param(value_type = AnyVolumeId, inline, required = false)]
    volume_id: Option<String>,
}

impl VolumeQuery {
    /// Parses the volume; `None` if the query names none.
    ///
    /// # Errors
    /// If a value is invalid, or `volume_id` comes without `volume`.
    pub(crate) fn selection(self) -> Result<Option<VolumeSelection>> {
        selection(self.volume, self.volume_id)
    }
}

/// Parses `volume` and `volume_id`; see [`VolumeQuery::selection`].
pub(crate) fn selection(
    kind: Option<String>,
    id: Option<String>,
) -> Result<Option<VolumeSelection>> {
    let kind: Option<VolumeKind> = parameter("volume", kind)?;
    let id: Option<VolumeId> = parameter("volume_id", id)?;
    match (kind, id) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::field("volume", "is required with volume_id")),
        (Some(kind), id) => Ok(Some(VolumeSelection { kind, id })),
    }
}
