//! Lists of skills: which documents there are, what is remembered of them, and what has to be read.

use serde_json::value::RawValue;

use super::merge::{Candidate, Cursor, Merge};
use super::{SkillFilter, SkillService, SkillSummary, assemble, split};
use crate::blob::{self, MAX_PAGE};
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::volume::Volume;
use crate::http::error::Result;
use crate::service::warnings::{warn_of_skill_cache, warn_of_unread_document};
use crate::skill::Skill;
use crate::store::{CacheEntry, CachedSkill};
use crate::util::json;

/// How many documents a list with a filter looks at in one request. Where that is not all, its page may be
/// short, or empty, and the list goes on behind it.
const MAX_CANDIDATES: usize = 2000;
/// How many blobs are asked for at once at least: what is no document does not count, and may lie between.
const MIN_PAGE: usize = 100;
/// What is said of a document that was not read.
const NOT_READ_IN_TIME: &str =
    "the document could not be read in time; ask for the skill itself, or list again";

/// What a caller wants to see of the skills.
#[derive(Debug)]
pub struct ListRequest {
    /// Whose skills; the nearest volume first, where one shadows another.
    pub volumes: Vec<Volume>,
    /// Which of them.
    pub filter: SkillFilter,
    /// How many at most.
    pub limit: usize,
    /// Where an earlier page ended.
    pub cursor: Option<Cursor>,
}

/// A page of skills, ordered by the names of their documents: `a-b.md` stands before `a.md`.
#[derive(Debug)]
pub struct SkillPage {
    /// Each a [`SkillSummary`] as JSON.
    pub skills: Vec<Box<RawValue>>,
    /// Where the list goes on.
    pub next: Option<Cursor>,
}

/// A skill on its way into a list.
struct Listed {
    skill: SkillSummary,
    /// Its document was read, now or earlier.
    was_read: bool,
}

impl SkillService<'_> {
    /// Lists skills. When everything is remembered this takes the list calls of the store, 1,000 documents
    /// each, and one round trip to Redis.
    pub async fn list(&self, request: &ListRequest) -> Result<SkillPage> {
        let is_plain = request.filter.is_empty() && request.volumes.len() == 1;
        let count = if request.filter.is_empty() {
            request.limit
        } else {
            MAX_CANDIDATES
        };
        let page_size = if is_plain {
            request.limit.max(MIN_PAGE)
        } else {
            MAX_PAGE
        };
        let mut merge = Merge::new(
            self.blobs,
            &request.volumes,
            request.cursor.as_ref(),
            page_size,
        );
        let candidates = merge.take(count).await?;
        let listed = self.describe(&request.volumes, &candidates).await?;

        let (mut skills, mut bytes, mut last) = (Vec::new(), 0, None);
        for (candidate, listed) in candidates.iter().zip(listed) {
            // Of what was not read nobody knows whether it is wanted: it is shown, with its warning.
            let is_wanted =
                |listed: &Listed| !listed.was_read || request.filter.fits(&listed.skill);
            if let Some(listed) = listed.filter(is_wanted) {
                let skill = json::raw(&listed.skill);
                bytes += skill.get().len();
                let is_full = skills.len() == request.limit || bytes > MAX_PAGE_BYTES;
                if is_full && !skills.is_empty() {
                    break;
                }
                skills.push(skill);
            }
            last = Some(candidate);
        }
        Ok(SkillPage {
            skills,
            next: last.and_then(|last| merge.cursor_after(last)),
        })
    }

    /// What is to be shown of each document; nothing of one that is gone meanwhile.
    async fn describe(
        &self,
        volumes: &[Volume],
        candidates: &[Candidate],
    ) -> Result<Vec<Option<Listed>>> {
        let known = self.known_of_all(volumes, candidates).await;
        let has_redis = known.is_some();
        let known = known.unwrap_or_else(|| vec![None; candidates.len()]);
        let unread: Vec<usize> = (0..candidates.len())
            .filter(|index| remembered(&candidates[*index], known[*index].as_ref()).is_none())
            .collect();
        let nothing_is_known = unread.len() == candidates.len();
        let mut read = self.read_all(volumes, candidates, &unread).await;
        // One document may be slow by itself; where none can be read of several, it is the store.
        if nothing_is_known && unread.len() > 1 && read.iter().flatten().all(Result::is_err) {
            let failure = read.into_iter().flatten().find_map(Result::err);
            return Err(failure.unwrap_or(blob::Error::Timeout).into());
        }
        if has_redis {
            self.remember_all(volumes, candidates, &known, &read).await;
        }
        let listed = candidates
            .iter()
            .zip(known)
            .enumerate()
            .map(|(index, (candidate, known))| {
                let (skill, was_read) = match remembered(candidate, known.as_ref()) {
                    Some(remembered) => (remembered.skill.clone(), true),
                    None => match read[index].take() {
                        Some(Ok(skill)) => (skill?, true),
                        failed => {
                            if let Some(Err(error)) = failed {
                                warn_of_unread_document(&error);
                            }
                            (Skill::unread(&candidate.id, NOT_READ_IN_TIME), false)
                        }
                    },
                };
                let volume = &volumes[candidate.source];
                let (usage, created_at) = split(known);
                let skill = assemble(
                    volume,
                    &candidate.id,
                    &candidate.blob,
                    skill,
                    usage,
                    created_at,
                );
                Some(Listed { skill, was_read })
            });
        Ok(listed.collect())
    }

    /// What Redis knows of each, in one round trip; `None` where it cannot tell.
    async fn known_of_all(
        &self,
        volumes: &[Volume],
        candidates: &[Candidate],
    ) -> Option<Vec<Option<CacheEntry>>> {
        let of_volume = |(source, volume)| {
            let ids = candidates
                .iter()
                .filter(move |it| it.source == source)
                .map(|it| &it.id);
            (volume, ids.collect())
        };
        let wanted: Vec<_> = volumes.iter().enumerate().map(of_volume).collect();
        if candidates.is_empty() {
            return Some(Vec::new());
        }
        let mut answers = self
            .store
            .read_skills(self.context, &wanted)
            .await
            .inspect_err(|error| warn_of_skill_cache("read", error))
            .ok()?
            .into_iter();
        let mut known = vec![None; candidates.len()];
        for source in 0..volumes.len() {
            let places = candidates
                .iter()
                .enumerate()
                .filter(|(_, it)| it.source == source);
            for (index, _) in places {
                known[index] = answers.next();
            }
        }
        Some(known)
    }
}

/// What is remembered of a document, if it is still the one that was read.
fn remembered<'a>(candidate: &Candidate, known: Option<&'a CacheEntry>) -> Option<&'a CachedSkill> {
    let remembered = known?.remembered.as_ref()?;
    let is_same = remembered.etag == candidate.blob.etag && !remembered.etag.is_empty();
    is_same.then_some(remembered)
}
