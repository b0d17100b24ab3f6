//! `volume` and `volume_id` of the query: whose skills or files a request is about.

use serde::Deserialize;

use super::extract::parameter;
use crate::error::{Error, Result};
use crate::openapi::parameters::{AnyVolume, AnyVolumeId};
use crate::volume::{Volume, VolumeId, VolumeRef};

/// The volume that the query names.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct VolumeQuery {
    /// Whose it is. Without it: the default user's; where skills are listed, the system's; where a skill is read or
    /// used, the default user's and then the system's.
    #[param(value_type = AnyVolume, inline, required = false)]
    volume: Option<String>,
    /// Which user's or team's it is; only together with `volume`. That of the system is `system`.
    #[param(value_type = AnyVolumeId, inline, required = false)]
    volume_id: Option<String>,
}

impl VolumeQuery {
    /// The volume, or `None` where the query names none.
    pub(super) fn named(self) -> Result<Option<VolumeRef>> {
        let volume: Option<Volume> = parameter("volume", self.volume)?;
        let volume_id: Option<VolumeId> = parameter("volume_id", self.volume_id)?;
        match (volume, volume_id) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Error::field(
                "volume",
                "is required where volume_id is given",
            )),
            (Some(Volume::System), None) => Ok(Some(VolumeRef::system())),
            (Some(Volume::System), Some(id)) if id.as_str() != "system" => Err(Error::field(
                "volume_id",
                "must be system for the volume system",
            )),
            (Some(volume), id) => Ok(Some(VolumeRef {
                volume,
                id: id.unwrap_or_default(),
            })),
        }
    }

    /// The volume, or the default user's.
    pub(super) fn or_user(self) -> Result<VolumeRef> {
        Ok(self.named()?.unwrap_or_else(default_user))
    }

    /// The volumes in which something is looked for, one after another: the one that is named, or the default
    /// user's and then the system's.
    pub(super) fn or_nearest(self) -> Result<Vec<VolumeRef>> {
        Ok(match self.named()? {
            Some(volume) => vec![volume],
            None => vec![default_user(), VolumeRef::system()],
        })
    }
}

/// The volume of the user that nobody names.
pub(super) fn default_user() -> VolumeRef {
    VolumeRef {
        volume: Volume::User,
        id: VolumeId::default(),
    }
}
