//! The volumes that a request addresses, and whether its caller may use them.

use super::error::{Error, Result};
use crate::domain::caller::Caller;
use crate::domain::volume::{Volume, VolumeId, VolumeKind};

/// A volume as a request names it.
#[derive(Clone, Debug)]
pub struct VolumeSelection {
    /// The kind of the volume.
    pub kind: VolumeKind,
    /// The id; `None` and `default` mean the caller's own volume of this kind.
    pub id: Option<VolumeId>,
}

impl VolumeSelection {
    /// Returns the volume of sessions that the request names.
    pub(in crate::service) fn resolve(self, caller: &Caller) -> Volume {
        caller.resolve(self.kind, self.id.unwrap_or_default())
    }

    /// Returns the volume of skills and files that the request names. There is only one system volume.
    ///
    /// # Errors
    /// If the request names another system volume.
    fn resolve_with_one_system(self, caller: &Caller) -> Result<Volume> {
        if self.kind != VolumeKind::System {
            return Ok(self.resolve(caller));
        }
        let system = Volume::system();
        match self.id {
            Some(id) if id != system.id && id != VolumeId::default() => Err(Error::field(
                "volume_id",
                "must be system for the volume system",
            )),
            _ => Ok(system),
        }
    }
}

/// Returns the volume to read from: the selected one, or `default`.
///
/// # Errors
/// If the caller may not read it.
pub(crate) fn readable(
    caller: &Caller,
    selection: Option<VolumeSelection>,
    default: Volume,
) -> Result<Volume> {
    let volume = match selection {
        Some(selection) => selection.resolve_with_one_system(caller)?,
        None => default,
    };
    caller.may_read(&volume)?;
    Ok(volume)
}

/// Returns the volume to write to: the selected one, or the caller's own.
///
/// # Errors
/// If the caller may not write to it.
pub(crate) fn writable(caller: &Caller, selection: Option<VolumeSelection>) -> Result<Volume> {
    let volume = match selection {
        Some(selection) => selection.resolve_with_one_system(caller)?,
        None => caller.default_volume(),
    };
    caller.may_write(&volume)?;
    Ok(volume)
}

/// Returns the volumes to search, in order: the selected one, or the caller's own and then the system's.
///
/// # Errors
/// If the caller may not read one of them.
pub(super) fn nearest(caller: &Caller, selection: Option<VolumeSelection>) -> Result<Vec<Volume>> {
    let volumes = match selection {
        Some(selection) => vec![selection.resolve_with_one_system(caller)?],
        None => vec![caller.default_volume(), Volume::system()],
    };
    for volume in &volumes {
        caller.may_read(volume)?;
    }
    Ok(volumes)
}
