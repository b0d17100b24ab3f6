//! Lists of skills: which documents there are, what is remembered of them, and what has to be read.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout, timeout_at};

use super::merge::{Candidate, Cursor, Merge};
use super::{Catalog, CatalogSkill, SkillFilter, assemble, split, to_the_second};
use crate::blob::{self, MAX_PAGE};
use crate::error::Result;
use crate::json;
use crate::message::MAX_PAGE_BYTES;
use crate::skill::{MAX_DOCUMENT_BYTES, Skill};
use crate::store::{KnownSkill, RememberedSkill};
use crate::volume::VolumeRef;

/// How many documents a list with a filter looks at in one request. Where that is not all, its page may be
/// short, or empty, and the list goes on behind it.
const MAX_CANDIDATES: usize = 2000;
/// How many documents are read at the same time.
const READS_AT_ONCE: usize = 8;
/// How long one document may take to be read for a list.
const DOCUMENT_LIMIT: Duration = Duration::from_secs(2);
/// How long all documents together may take. What is not read by then is listed with a warning; the next
/// list goes on from there.
const DOCUMENTS_LIMIT: Duration = Duration::from_secs(6);
/// The longest code, in bytes, that a list holds, and that Redis remembers.
const MAX_LISTED_CODE_BYTES: usize = 16 * 1024;

/// What a caller wants to see of the skills.
#[derive(Debug)]
pub struct ListRequest {
    /// Whose skills; the nearest volume first, where one shadows another.
    pub volumes: Vec<VolumeRef>,
    /// Which of them.
    pub filter: SkillFilter,
    /// How many at most.
    pub limit: usize,
    /// Where an earlier page ended.
    pub cursor: Option<Cursor>,
}

/// A page of skills, ordered by their ids.
#[derive(Debug)]
pub struct SkillPage {
    /// Each a [`CatalogSkill`] as JSON.
    pub skills: Vec<Box<RawValue>>,
    /// Where the list goes on.
    pub next: Option<Cursor>,
}

impl Catalog<'_> {
    /// Lists skills. When everything is remembered this takes the list calls of the store, 1,000 documents
    /// each, and one round trip to Redis.
    pub async fn list(&self, request: &ListRequest) -> Result<SkillPage> {
        let is_plain = request.filter.is_empty() && request.volumes.len() == 1;
        let count = if request.filter.is_empty() {
            request.limit
        } else {
            MAX_CANDIDATES
        };
        let page_size = if is_plain { request.limit } else { MAX_PAGE };
        let mut merge = Merge::new(
            self.blobs,
            &request.volumes,
            request.cursor.as_ref(),
            page_size,
        );
        let candidates = merge.take(count).await?;
        let listed = self.describe(&request.volumes, &candidates).await?;

        let (mut skills, mut bytes, mut last) = (Vec::new(), 0, None);
        for (candidate, skill) in candidates.iter().zip(listed) {
            if let Some(skill) = skill.filter(|skill| request.filter.fits(skill)) {
                let skill = json::raw(&skill);
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
        volumes: &[VolumeRef],
        candidates: &[Candidate],
    ) -> Result<Vec<Option<CatalogSkill>>> {
        let known = self.known_of_all(volumes, candidates).await;
        let has_redis = known.is_some();
        let known = known.unwrap_or_else(|| vec![None; candidates.len()]);
        let unread: Vec<usize> = (0..candidates.len())
            .filter(|index| remembered(&candidates[*index], known[*index].as_ref()).is_none())
            .collect();
        let nothing_is_known = unread.len() == candidates.len();
        let mut read = self.read_all(volumes, candidates, &unread).await;
        if nothing_is_known && !unread.is_empty() && read.iter().flatten().all(Result::is_err) {
            let failure = read.into_iter().flatten().find_map(Result::err);
            return Err(failure.unwrap_or(blob::Error::Timeout).into());
        }
        if has_redis {
            self.remember_all(volumes, candidates, &known, &read).await;
        }
        let listed = candidates.iter().zip(known).enumerate().map(|(index, (candidate, known))| {
            let skill = match remembered(candidate, known.as_ref()) {
                Some(remembered) => remembered.skill.clone(),
                None => match read[index].take() {
                    Some(Ok(skill)) => skill?,
                    Some(Err(_)) | None => Skill::unread(
                        &candidate.id,
                        "the document could not be read in time; ask for the skill itself, or list again",
                    ),
                },
            };
            let volume = &volumes[candidate.source];
            let (usage, created_at) = split(known);
            Some(assemble(volume, &candidate.id, &candidate.blob, skill, usage, created_at))
        });
        Ok(listed.collect())
    }

    /// What Redis knows of each, in one round trip; `None` where it cannot tell.
    async fn known_of_all(
        &self,
        volumes: &[VolumeRef],
        candidates: &[Candidate],
    ) -> Option<Vec<Option<KnownSkill>>> {
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
        let mut answers = self.store.read_skills(&wanted).await.ok()?.into_iter();
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

    /// Reads documents, some at the same time and all within a limit. `None` for what was not read in time
    /// or did not have to be, and within for what is gone.
    async fn read_all(
        &self,
        volumes: &[VolumeRef],
        candidates: &[Candidate],
        wanted: &[usize],
    ) -> Vec<Option<blob::Result<Option<Skill>>>> {
        let mut read: Vec<_> = candidates.iter().map(|_| None).collect();
        let deadline = Instant::now() + DOCUMENTS_LIMIT;
        let mut reads = stream::iter(wanted.iter().copied().map(|index| async move {
            let candidate = &candidates[index];
            let skill = self.read_one(&volumes[candidate.source], candidate);
            let skill = timeout(DOCUMENT_LIMIT, skill).await;
            (index, skill.unwrap_or(Err(blob::Error::Timeout)))
        }))
        .buffer_unordered(READS_AT_ONCE);
        while let Ok(Some((index, skill))) = timeout_at(deadline, reads.next()).await {
            read[index] = Some(skill);
        }
        read
    }

    async fn read_one(
        &self,
        volume: &VolumeRef,
        candidate: &Candidate,
    ) -> blob::Result<Option<Skill>> {
        let id = &candidate.id;
        if candidate.blob.size > MAX_DOCUMENT_BYTES as u64 {
            return Ok(Some(Skill::unread(
                id,
                "the document is larger than 1 MB and was not read",
            )));
        }
        let pathname = blob::paths::skill(volume, id);
        let Some(document) = self.blobs.read(&pathname, MAX_DOCUMENT_BYTES).await? else {
            return Ok(None);
        };
        Ok(Some(match std::str::from_utf8(&document.body) {
            Ok(text) => shortened(Skill::read(text, id)),
            Err(_) => Skill::unread(id, "the document is not UTF-8"),
        }))
    }

    /// Remembers what was read. That it cannot be remembered is no reason to fail.
    async fn remember_all(
        &self,
        volumes: &[VolumeRef],
        candidates: &[Candidate],
        known: &[Option<KnownSkill>],
        read: &[Option<blob::Result<Option<Skill>>>],
    ) {
        for (source, volume) in volumes.iter().enumerate() {
            let all = candidates.iter().zip(known).zip(read);
            let of_volume = all.filter(|((candidate, _), _)| candidate.source == source);
            let new: Vec<_> = of_volume
                .filter_map(|((candidate, known), read)| {
                    let skill = read.as_ref()?.as_ref().ok()?.clone()?;
                    let before = known.as_ref().and_then(|it| it.remembered.as_ref());
                    let created_at = before.and_then(|it| it.created_at.clone());
                    let uploaded_at = candidate.blob.uploaded_at.as_deref();
                    let remembered = RememberedSkill {
                        etag: candidate.blob.etag.clone(),
                        created_at: created_at.or_else(|| uploaded_at.map(to_the_second)),
                        skill,
                    };
                    Some((&candidate.id, remembered))
                })
                .collect();
            if !new.is_empty() {
                let _ = self.store.remember_skills(volume, &new).await;
            }
        }
    }
}

/// What is remembered of a document, if it is still the one that was read.
fn remembered<'a>(
    candidate: &Candidate,
    known: Option<&'a KnownSkill>,
) -> Option<&'a RememberedSkill> {
    let remembered = known?.remembered.as_ref()?;
    let is_same = remembered.etag == candidate.blob.etag && !remembered.etag.is_empty();
    is_same.then_some(remembered)
}

/// A skill as lists show it: without code that would make them large.
pub(super) fn shortened(mut skill: Skill) -> Skill {
    if skill
        .code
        .as_ref()
        .is_some_and(|code| code.len() > MAX_LISTED_CODE_BYTES)
    {
        skill.code = None;
        skill
            .warnings
            .push("the code is larger than 16 KB: ask for the skill itself to see it".to_owned());
    }
    skill
}
