//! Changing a skill: a conditional write of its document, which is retried after concurrent changes.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::summary::{SkillSummary, from_document, split_cached};
use super::{NOT_FOUND, SkillService, with_normal_form};
use crate::blob::{Document, Put, WriteCondition, jittered};
use crate::domain::volume::Volume;
use crate::service::error::{Conflict, Current, Error, Resource, Result};
use crate::service::volume::{VolumeSelection, writable};
use crate::service::warnings::warn_of_skill_cache;
use crate::service::written::Written;
use crate::skill::{ChangeError, SkillId, SkillPatch};
use crate::store::CacheEntry;

/// The time for which a change is retried after concurrent changes.
const CONTENTION_LIMIT: Duration = Duration::from_secs(5);
/// The pause before the first retry; each further pause is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause: the time of a few writes.
const LONGEST_PAUSE: Duration = Duration::from_millis(640);

/// The change of a document.
#[derive(Debug)]
pub enum Replacement {
    /// A whole new document.
    Document(String),
    /// New values of some members.
    Patch(Box<SkillPatch>),
}

impl SkillService<'_> {
    /// Changes a skill. With `expected`, only if the skill has one of these entity tags. With `is_repeatable`, a skill
    /// with another entity tag that already has the requested state counts as the result of an earlier attempt.
    ///
    /// # Errors
    /// If the skill is missing or the caller may not change it, it has another entity tag, the document cannot take the
    /// change, or it was modified concurrently too many times.
    pub async fn replace(
        &self,
        volume: Option<VolumeSelection>,
        id: &SkillId,
        replacement: &Replacement,
        expected: Option<&[String]>,
        is_repeatable: bool,
    ) -> Result<Written<SkillSummary>> {
        let volume = &writable(&self.context.caller, volume)?;
        with_normal_form(id, |id| async move {
            self.replace_exactly(volume, &id, replacement, expected, is_repeatable)
                .await
        })
        .await
    }

    async fn replace_exactly(
        &self,
        volume: &Volume,
        id: &SkillId,
        replacement: &Replacement,
        expected: Option<&[String]>,
        is_repeatable: bool,
    ) -> Result<Written<SkillSummary>> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let (found, cached) = self.read(volume, id).await?.ok_or(NOT_FOUND)?;
            let document = replaced(&found, replacement);
            let is_applied = document
                .as_ref()
                .is_ok_and(|document| document.as_bytes() == found.body);
            if expected.is_some_and(|tags| !tags.contains(&found.etag)) {
                let current = from_document(volume, id, &found, cached);
                return match is_repeatable && is_applied {
                    true => Ok(Written::replayed(current)),
                    false => Err(Error::stale(Current::Skill(Box::new(current)))),
                };
            }
            let document = document?;
            if is_applied {
                return Ok(Written::now(from_document(volume, id, &found, cached)));
            }
            if let Some(skill) = self
                .write_over(volume, id, &document, found, cached)
                .await?
            {
                return Ok(Written::now(skill));
            }
            if started.elapsed() + pause > CONTENTION_LIMIT {
                return Err(Error::Conflict(Conflict::Contended {
                    resource: Resource::Skill,
                    id: id.to_string(),
                }));
            }
            sleep(jittered(pause)).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Stores a document in place of the one that was read; `None` if that was changed meanwhile.
    async fn write_over(
        &self,
        volume: &Volume,
        id: &SkillId,
        document: &str,
        found: Document,
        cached: Option<CacheEntry>,
    ) -> Result<Option<SkillSummary>> {
        let condition = WriteCondition::IfMatch(found.etag);
        let Put::Done(blob) = self.put(volume, id, document, condition).await? else {
            return Ok(None);
        };
        let (usage, created_at) = split_cached(cached);
        // The replaced document existed at its own write at the latest.
        let created_at = created_at.or(found.uploaded_at);
        let stored = self.stored(id, document, blob, created_at).await;
        let entry = [(id, stored.cached.clone())];
        // If this fails, the next list reads the document, and the usage count is unknown.
        let cached = self.store.cache_put(self.context, volume, &entry).await;
        let is_cached = cached
            .inspect_err(|error| warn_of_skill_cache("replace", error))
            .is_ok();
        let usage = usage.filter(|_| is_cached);
        Ok(Some(stored.into_summary(volume, id, usage)))
    }
}

/// Returns the document after a change.
fn replaced(found: &Document, replacement: &Replacement) -> Result<String> {
    match replacement {
        Replacement::Document(document) => Ok(document.clone()),
        Replacement::Patch(patch) => {
            patched(found, patch).map_err(|error| Error::field("document", error.to_string()))
        }
    }
}

fn patched(found: &Document, patch: &SkillPatch) -> Result<String, ChangeError> {
    let document = std::str::from_utf8(&found.body)
        .map_err(|_| ChangeError::Unreadable("it is not UTF-8".to_owned()))?;
    patch.apply(document)
}
