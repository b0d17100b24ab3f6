//! Reading the documents of a list that are not cached: several at a time, within a time limit.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout, timeout_at};

use super::SkillService;
use super::merge::Candidate;
use super::summary::to_the_second;
use crate::blob;
use crate::domain::volume::Volume;
use crate::service::warnings::warn_of_skill_cache;
use crate::skill::{MAX_DOCUMENT_BYTES, Skill};
use crate::store::{CacheEntry, CachedSkill};

/// The number of documents that are read concurrently.
const READS_AT_ONCE: usize = 8;
/// The time limit for one document of a list.
const DOCUMENT_LIMIT: Duration = Duration::from_secs(2);
/// The time limit for all documents together. Documents that were not read are listed with a warning; the next list reads
/// them.
const DOCUMENTS_LIMIT: Duration = Duration::from_secs(6);
/// The longest code in lists and in the cache, in bytes.
const MAX_LISTED_CODE_BYTES: usize = 16 * 1024;

/// The result of reading each candidate's document: `None` if it was not read, because it is cached or the time limit
/// passed; `Some(Ok(None))` if it was deleted meanwhile.
pub(super) type ReadDocuments = Vec<Option<blob::Result<Option<Skill>>>>;

impl SkillService<'_> {
    /// Reads documents, several at a time.
    pub(super) async fn read_all(
        &self,
        volumes: &[Volume],
        candidates: &[Candidate],
        wanted: &[usize],
    ) -> ReadDocuments {
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
        volume: &Volume,
        candidate: &Candidate,
    ) -> blob::Result<Option<Skill>> {
        let id = &candidate.id;
        if candidate.blob.size > MAX_DOCUMENT_BYTES as u64 {
            return Ok(Some(Skill::unreadable(
                id,
                "the document is larger than 1 MB and was not read",
            )));
        }
        let pathname = blob::paths::skill(volume, id);
        let Some(document) = self.blobs.read(&pathname, MAX_DOCUMENT_BYTES).await? else {
            return Ok(None);
        };
        Ok(Some(match std::str::from_utf8(&document.body) {
            Ok(text) => without_large_code(Skill::read(text, id)),
            Err(_) => Skill::unreadable(id, "the document is not UTF-8"),
        }))
    }

    /// Caches the documents that were read. A failure is not an error of the list.
    pub(super) async fn cache_all(
        &self,
        volumes: &[Volume],
        candidates: &[Candidate],
        cached: &[Option<CacheEntry>],
        read: &[Option<blob::Result<Option<Skill>>>],
    ) {
        for (source, volume) in volumes.iter().enumerate() {
            let all = candidates.iter().zip(cached).zip(read);
            let of_volume = all.filter(|((candidate, _), _)| candidate.source == source);
            let new: Vec<_> = of_volume
                .filter_map(|((candidate, cached), read)| {
                    let skill = read.as_ref()?.as_ref().ok()?.clone()?;
                    let former = cached.as_ref().and_then(|entry| entry.cached.as_ref());
                    let created_at = former.and_then(|former| former.created_at.clone());
                    let uploaded_at = candidate.blob.uploaded_at.as_deref();
                    let skill = CachedSkill {
                        etag: candidate.blob.etag.clone(),
                        created_at: created_at.or_else(|| uploaded_at.map(to_the_second)),
                        skill,
                    };
                    Some((&candidate.id, skill))
                })
                .collect();
            if !new.is_empty() {
                let stored = self.store.cache_put(self.context, volume, &new).await;
                if let Err(error) = stored {
                    warn_of_skill_cache("add", &error);
                }
            }
        }
    }
}

/// Returns the skill without code of more than 16 KB.
pub(super) fn without_large_code(mut skill: Skill) -> Skill {
    if skill
        .code
        .as_ref()
        .is_some_and(|code| code.len() > MAX_LISTED_CODE_BYTES)
    {
        skill.code = None;
        skill.warnings.push(
            "the code is larger than 16 KB and was omitted; get the skill itself to see it"
                .to_owned(),
        );
    }
    skill
}
