//! Summaries of listed skills: from the cache in Redis where it is current, else from the documents.

use super::SkillService;
use super::merge::Candidate;
use super::summary::{SkillSummary, to_summary};
use crate::blob;
use crate::domain::volume::Volume;
use crate::service::error::Result;
use crate::service::warnings::{warn_of_skill_cache, warn_of_unread_document};
use crate::skill::Skill;
use crate::store::{CacheEntry, CachedSkill};

/// The warning of a document that was not read.
const NOT_READ_IN_TIME: &str =
    "the document could not be read in time; ask for the skill itself, or list again";

/// A skill of a list.
pub(super) struct ListedSkill {
    pub(super) skill: SkillSummary,
    /// Whether the document was read, now or earlier.
    pub(super) was_read: bool,
}

impl SkillService<'_> {
    /// Returns the summary of each document; `None` for a document that was deleted meanwhile.
    pub(super) async fn load_summaries(
        &self,
        volumes: &[Volume],
        candidates: &[Candidate],
    ) -> Result<Vec<Option<ListedSkill>>> {
        let cached = self.cached_of_all(volumes, candidates).await;
        let has_redis = cached.is_some();
        let cached = cached.unwrap_or_else(|| vec![None; candidates.len()]);
        let is_current = |index: &usize| {
            let entry = cached[*index].as_ref();
            let skill = entry.and_then(|entry| entry.cached.as_ref());
            skill.is_some_and(|skill| is_of_document(skill, &candidates[*index]))
        };
        let stale: Vec<usize> = (0..candidates.len())
            .filter(|index| !is_current(index))
            .collect();
        let mut read = self.read_all(volumes, candidates, &stale).await;
        // One document may be slow. If none of several can be read, Blob is unavailable.
        let nothing_is_cached = stale.len() == candidates.len();
        if nothing_is_cached && stale.len() > 1 && read.iter().flatten().all(Result::is_err) {
            let failure = read.into_iter().flatten().find_map(Result::err);
            return Err(failure.unwrap_or(blob::Error::Timeout).into());
        }
        if has_redis {
            self.cache_all(volumes, candidates, &cached, &read).await;
        }
        let entries = candidates.iter().zip(cached).enumerate();
        let summaries = entries.map(|(index, (candidate, entry))| {
            summary(
                &volumes[candidate.source],
                candidate,
                entry,
                read[index].take(),
            )
        });
        Ok(summaries.collect())
    }

    /// Returns what Redis has cached of each document, in one round trip; `None` if Redis is missing or unavailable.
    async fn cached_of_all(
        &self,
        volumes: &[Volume],
        candidates: &[Candidate],
    ) -> Option<Vec<Option<CacheEntry>>> {
        if candidates.is_empty() {
            return Some(Vec::new());
        }
        let of_volume = |(source, volume)| {
            let candidates = candidates.iter();
            let of_source = candidates.filter(move |candidate| candidate.source == source);
            (volume, of_source.map(|candidate| &candidate.id).collect())
        };
        let wanted: Vec<_> = volumes.iter().enumerate().map(of_volume).collect();
        let entries = self.store.cache_get(self.context, &wanted).await;
        let entries = entries
            .inspect_err(|error| warn_of_skill_cache("read", error))
            .ok()?;
        // Redis returns the entries volume by volume, and in the order of the candidates within each.
        let mut entries = entries.into_iter();
        let mut cached = vec![None; candidates.len()];
        for source in 0..volumes.len() {
            for (index, candidate) in candidates.iter().enumerate() {
                if candidate.source == source {
                    cached[index] = entries.next();
                }
            }
        }
        Some(cached)
    }
}

/// Returns whether a cached skill was read from the current document.
fn is_of_document(skill: &CachedSkill, candidate: &Candidate) -> bool {
    skill.etag == candidate.blob.etag && !skill.etag.is_empty()
}

fn summary(
    volume: &Volume,
    candidate: &Candidate,
    cached: Option<CacheEntry>,
    read: Option<blob::Result<Option<Skill>>>,
) -> Option<ListedSkill> {
    let usage = cached.as_ref().map(|entry| entry.usage);
    let cached = cached.and_then(|entry| entry.cached);
    let is_current = cached
        .as_ref()
        .is_some_and(|skill| is_of_document(skill, candidate));
    let (cached, created_at) = match cached {
        Some(cached) => (is_current.then_some(cached.skill), cached.created_at),
        None => (None, None),
    };
    let (skill, was_read) = match (cached, read) {
        (Some(skill), _) => (skill, true),
        (None, Some(Ok(skill))) => (skill?, true),
        (None, failed) => {
            if let Some(Err(error)) = failed {
                warn_of_unread_document(&error);
            }
            (Skill::unreadable(&candidate.id, NOT_READ_IN_TIME), false)
        }
    };
    let skill = to_summary(
        volume,
        &candidate.id,
        &candidate.blob,
        skill,
        usage,
        created_at,
    );
    Some(ListedSkill { skill, was_read })
}
