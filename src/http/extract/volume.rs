//! `volume` and `volume_id` of the query: whose skills or files a request is about.

use serde::Deserialize;

use super::query::parameter;
use crate::domain::caller::Caller;
use crate::domain::volume::{Volume, VolumeId, VolumeRef};
use crate::http::error::{Error, Result};
use crate::http::schema::parameters::{AnyVolume, AnyVolumeId};

/// The volume that the query names.
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
    /// The volume, or `None` where the query names none. Whether the caller may see it is not looked at.
    fn named(self, by: &Caller) -> Result<Option<VolumeRef>> {
        let volume: Option<Volume> = parameter("volume", self.volume)?;
        let volume_id: Option<VolumeId> = parameter("volume_id", self.volume_id)?;
        match (volume, volume_id) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Error::field(
                "volume",
                "is required where volume_id is given",
            )),
            // It has one, which is its default, too.
            (Some(Volume::System), Some(id))
                if id != VolumeRef::system().id && id != VolumeId::default() =>
            {
                Err(Error::field(
                    "volume_id",
                    "must be system for the volume system",
                ))
            }
            (Some(Volume::System), _) => Ok(Some(VolumeRef::system())),
            (Some(volume), id) => Ok(Some(by.resolve(volume, id.unwrap_or_default()))),
        }
    }

    /// The volume to read in, `otherwise` where the query names none.
    pub(crate) fn readable(self, by: &Caller, otherwise: VolumeRef) -> Result<VolumeRef> {
        let volume = self.named(by)?.unwrap_or(otherwise);
        by.may_read(&volume)?;
        Ok(volume)
    }

    /// The volume to change something in, the caller's own where the query names none.
    pub(crate) fn writable(self, by: &Caller) -> Result<VolumeRef> {
        let volume = self.named(by)?.unwrap_or_else(|| by.own());
        by.may_write(&volume)?;
        Ok(volume)
    }

    /// The volumes in which something is looked for, one after another: the one that is named, or the caller's
    /// own and then the system's.
    pub(crate) fn or_nearest(self, by: &Caller) -> Result<Vec<VolumeRef>> {
        let volumes = match self.named(by)? {
            Some(volume) => vec![volume],
            None => vec![by.own(), VolumeRef::system()],
        };
        for volume in &volumes {
            by.may_read(volume)?;
        }
        Ok(volumes)
    }
}
