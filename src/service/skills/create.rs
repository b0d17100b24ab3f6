//! Creating skills: a conditional write of a new document, under the id of the client or one that is derived from the
//! name.

use super::SkillService;
use super::summary::{SkillSummary, from_document};
use crate::blob::{Put, WriteCondition};
use crate::domain::volume::Volume;
use crate::service::error::{Conflict, Error, Result};
use crate::service::volume::{VolumeSelection, writable};
use crate::service::warnings::warn_of_skill_cache;
use crate::service::written::Written;
use crate::skill::{NewId, Skill, SkillId};
use crate::store::Usage;
use crate::util::unicode::to_nfc;

/// The largest number that a new id gets. Each number before it costs two calls of Blob.
const MAX_ID_NUMBER: usize = 10;

impl SkillService<'_> {
    /// Creates a skill. With `is_repeatable`, a skill that already has this very document counts as the result of an
    /// earlier attempt. An id that is derived from the name gets a number if a skill with another name has it.
    ///
    /// # Errors
    /// If the caller may not write to the volume, or another skill has this id.
    pub async fn create(
        &self,
        volume: Option<VolumeSelection>,
        new: NewId,
        document: String,
        is_repeatable: bool,
    ) -> Result<Written<SkillSummary>> {
        let volume = writable(&self.context.caller, volume)?;
        let last = if new.is_chosen { 1 } else { MAX_ID_NUMBER };
        for number in 1..=last {
            let id = match number {
                1 => new.id.clone(),
                number => new.id.with_number(number),
            };
            if let Some(created) = self.create_as(&volume, &id, &document).await? {
                return Ok(Written::now(created));
            }
            let existing = self.read(&volume, &id).await?;
            let Some((found, cached)) = existing else {
                return Err(exists(volume, id));
            };
            let skill = from_document(&volume, &id, &found, cached);
            if is_repeatable && found.body == document.as_bytes() {
                return Ok(Written::replayed(skill));
            }
            if new.is_chosen || is_same_name(&skill.skill.name, &Skill::read(&document, &id).name) {
                return Err(exists(volume, id));
            }
        }
        Err(exists(volume, new.id))
    }

    /// Creates a skill with this id; returns `None` if a skill has it.
    async fn create_as(
        &self,
        volume: &Volume,
        id: &SkillId,
        document: &str,
    ) -> Result<Option<SkillSummary>> {
        let put = self.put(volume, id, document, WriteCondition::IfMissing);
        let Put::Done(blob) = put.await? else {
            return Ok(None);
        };
        let stored = self.stored(id, document, blob, None).await;
        // Cached data and counts belong to a deleted skill with the same id.
        let cached = self
            .store
            .cache_put_new(self.context, volume, id, &stored.cached);
        let cached = cached.await;
        let cached = cached.inspect_err(|error| warn_of_skill_cache("add", error));
        let usage = cached.ok().map(|()| Usage::default());
        Ok(Some(stored.into_summary(volume, id, usage)))
    }
}

fn exists(volume: Volume, id: SkillId) -> Error {
    Error::Conflict(Conflict::SkillExists { volume, id })
}

/// Returns whether two names are equal in Unicode normal form C.
fn is_same_name(one: &str, other: &str) -> bool {
    to_nfc(one.trim()) == to_nfc(other.trim())
}
