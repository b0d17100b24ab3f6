//! Skills that a turn used.

use serde::Serialize;

use crate::domain::volume::{Volume, VolumeId, VolumeKind};
use crate::service::skills::SkillSummary;

/// A skill that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct UsedSkill {
    pub(super) id: String,
    pub(super) volume: &'static str,
    pub(super) volume_id: String,
    pub(super) etag: String,
}

impl UsedSkill {
    pub(super) fn of(skill: &SkillSummary) -> Self {
        Self {
            id: skill.id.to_string(),
            volume: skill.volume.as_str(),
            volume_id: skill.volume_id.clone(),
            etag: skill.etag.clone(),
        }
    }

    /// Returns the volume of the skill.
    pub(super) fn volume(&self) -> Option<Volume> {
        let kind = VolumeKind::try_from(self.volume.to_owned()).ok()?;
        let id = VolumeId::try_from(self.volume_id.clone()).ok()?;
        Some(Volume::new(kind, id))
    }
}
