//! Deleting skills, and the writes of documents that creating and changing share.

use bytes::Bytes;
use chrono::Utc;

use super::documents::without_large_code;
use super::summary::{SkillSummary, from_document, seconds, to_summary, to_the_second};
use super::{NOT_FOUND, SkillService, with_normal_form};
use crate::blob::{Blob, CACHE_SECONDS, Document, Put, PutBody, PutOptions, WriteCondition, paths};
use crate::domain::volume::Volume;
use crate::service::error::{Current, Error, Result};
use crate::service::volume::{VolumeSelection, writable};
use crate::service::warnings::{warn_of_head_after_put, warn_of_skill_cache};
use crate::skill::{MAX_DOCUMENT_BYTES, Skill, SkillId};
use crate::store::{CacheEntry, CachedSkill, Usage};

/// The media type of documents.
const CONTENT_TYPE: &str = "text/markdown; charset=utf-8";
impl SkillService<'_> {
    /// Deletes a skill. With `expected`, only if the skill has one of these entity tags.
    ///
    /// # Errors
    /// If the skill is missing or the caller may not change it, or it has another entity tag.
    pub async fn delete(
        &self,
        volume: Option<VolumeSelection>,
        id: &SkillId,
        expected: Option<&[String]>,
    ) -> Result<()> {
        let volume = &writable(&self.context.caller, volume)?;
        with_normal_form(id, |id| async move {
            self.delete_exactly(volume, &id, expected).await
        })
        .await
    }

    async fn delete_exactly(
        &self,
        volume: &Volume,
        id: &SkillId,
        expected: Option<&[String]>,
    ) -> Result<()> {
        let pathname = paths::skill(volume, id);
        let found = self.blobs.head(&pathname).await?.ok_or(NOT_FOUND)?;
        let is_stale = expected.is_some_and(|tags| !tags.contains(&found.etag));
        let if_match = expected.map(|_| found.etag.as_str());
        if is_stale || !self.blobs.delete(&[&pathname], if_match).await? {
            match self.read(volume, id).await? {
                Some((found, cached)) => {
                    let current = from_document(volume, id, &found, cached);
                    return Err(Error::stale(Current::Skill(Box::new(current))));
                }
                None if is_stale => return Err(NOT_FOUND),
                // The skill had an expected tag and is gone: our own call deleted it and its first reply was lost.
                None => {}
            }
        }
        // If this fails, only the usage count stays behind; a new skill with this id starts at zero.
        if let Err(error) = self.store.cache_delete(self.context, volume, id).await {
            warn_of_skill_cache("delete", &error);
        }
        Ok(())
    }

    /// Reads a document, and what Redis has cached of it.
    pub(super) async fn read(
        &self,
        volume: &Volume,
        id: &SkillId,
    ) -> Result<Option<(Document, Option<CacheEntry>)>> {
        let cached = self.cached(std::slice::from_ref(volume), id).await?.pop();
        let pathname = paths::skill(volume, id);
        let read = self.blobs.read(&pathname, MAX_DOCUMENT_BYTES).await?;
        Ok(read.map(|document| (document, cached.flatten())))
    }

    pub(super) async fn put(
        &self,
        volume: &Volume,
        id: &SkillId,
        document: &str,
        condition: WriteCondition,
    ) -> Result<Put> {
        let body = PutBody::Bytes(Bytes::copy_from_slice(document.as_bytes()));
        let options = PutOptions {
            content_type: Some(CONTENT_TYPE.to_owned()),
            cache_control_max_age: CACHE_SECONDS,
            condition,
        };
        Ok(self
            .blobs
            .put(&paths::skill(volume, id), body, &options)
            .await?)
    }

    /// Returns the properties of a document that was just stored.
    pub(super) async fn stored(
        &self,
        id: &SkillId,
        document: &str,
        blob: Blob,
        created_at: Option<String>,
    ) -> StoredSkill {
        // The reply to a put has no time. The document is stored even if this call fails.
        let head = self.blobs.head(&blob.pathname).await;
        let head = head.inspect_err(warn_of_head_after_put).ok().flatten();
        let blob = head.filter(|head| head.etag == blob.etag).unwrap_or(Blob {
            size: document.len() as u64,
            uploaded_at: Some(seconds(Utc::now())),
            ..blob
        });
        let skill = Skill::read(document, id);
        let created_at = created_at.or_else(|| blob.uploaded_at.clone());
        let cached = CachedSkill {
            etag: blob.etag.clone(),
            created_at: created_at.as_deref().map(to_the_second),
            skill: without_large_code(skill.clone()),
        };
        StoredSkill {
            blob,
            skill,
            cached,
        }
    }
}

/// A skill that was just stored, and its cache entry.
pub(super) struct StoredSkill {
    blob: Blob,
    skill: Skill,
    pub(super) cached: CachedSkill,
}

impl StoredSkill {
    pub(super) fn into_summary(
        self,
        volume: &Volume,
        id: &SkillId,
        usage: Option<Usage>,
    ) -> SkillSummary {
        let created_at = self.cached.created_at;
        to_summary(volume, id, &self.blob, self.skill, usage, created_at)
    }
}
