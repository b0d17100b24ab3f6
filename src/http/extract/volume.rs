//! The query parameters `volume` and `volume_id`.

use serde::Deserialize;

use super::query::parameter;
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::http::error::{Error, Result};
use crate::http::schema::parameters;
use crate::service::volume::VolumeSelection;

/// The volume of a request for skills or files.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct VolumeQuery {
    /// The kind of owner. The default is the caller's own volume. For lists of skills it is the system's volume; for
    /// reading or using a skill it is the caller's own volume, then the system's.
    #[param(schema_with = parameters::volume, required = false)]
    volume: Option<String>,
    /// The user or team; only together with `volume`. `system` for the system's volume.
    #[param(schema_with = parameters::volume_id, required = false)]
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
