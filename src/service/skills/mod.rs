//! Operations on skills: their documents are blobs; Redis caches what the documents contain and counts uses.
//!
//! Only the blobs are authoritative. While Redis is missing or unavailable, skills are read and written all the same:
//! documents are read instead of cached, and usage counts are unknown.

mod create;
mod documents;
mod filter;
mod list;
mod merge;
mod replace;
mod summaries;
pub(in crate::service) mod summary;
mod write;

use bytes::Bytes;

use self::summary::from_document;
use super::error::{Error, Resource, Result};
use super::fallback::{MaybeSample, SamplePolicy};
use super::samples;
use super::volume::{VolumeSelection, nearest};
use super::warnings::warn_of_skill_cache;
use super::written::Written;
use crate::blob::{Blobs, Read, paths};
use crate::domain::request_context::RequestContext;
use crate::domain::volume::Volume;
use crate::skill::{MAX_DOCUMENT_BYTES, SkillId};
use crate::store::{self, CacheEntry, Counted, Idempotency, SkillUse, Store, Usage};

pub use self::filter::SkillFilter;
pub(super) use self::list::{ListRequest, SkillPage};
pub use self::list::{ListSkills, SkillList, SkillScope};
pub use self::replace::Replacement;
pub use self::summary::SkillSummary;

const NOT_FOUND: Error = Error::NotFound(Resource::Skill);

/// Runs an operation on the skill with this id. If it does not exist, runs it with the id in Unicode normal form C.
/// Other programs may have stored an id in another form.
async fn with_normal_form<T, F>(id: &SkillId, operation: impl Fn(SkillId) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    match (operation(id.clone()).await, id.normalized()) {
        (Err(Error::NotFound(_)), Some(normal)) => operation(normal).await,
        (result, _) => result,
    }
}

/// The skills that one request may access.
#[derive(Debug)]
pub struct SkillService<'a> {
    blobs: Blobs,
    store: &'a Store,
    samples: SamplePolicy,
    context: &'a RequestContext,
}

/// A skill with its document.
#[derive(Debug)]
pub struct SkillDetail {
    /// The skill.
    pub skill: SkillSummary,
    /// The document, as it is stored.
    pub document: Bytes,
}

/// The result of reading a skill.
#[derive(Debug)]
pub enum Found {
    /// The skill still has this entity tag, which the caller already has.
    NotModified(String),
    /// The skill.
    Skill(Box<SkillDetail>),
}

impl<'a> SkillService<'a> {
    /// Returns the skills behind `blobs` as the caller of a request may access them.
    pub(crate) fn new(
        blobs: Blobs,
        store: &'a Store,
        samples: SamplePolicy,
        context: &'a RequestContext,
    ) -> Self {
        Self {
            blobs,
            store,
            samples,
            context,
        }
    }

    /// Reads a skill from the first of the nearest volumes that has it. `known` is an `If-None-Match` header.
    ///
    /// One round trip to Redis, then one request to Blob per volume.
    ///
    /// # Errors
    /// If the skill is missing or the caller may not read it.
    pub async fn get(
        &self,
        volume: Option<VolumeSelection>,
        id: &SkillId,
        known: Option<&str>,
    ) -> Result<MaybeSample<Found>> {
        let volumes = &nearest(&self.context.caller, volume)?;
        with_normal_form(id, |id| async move {
            self.get_exactly(volumes, &id, known).await
        })
        .await
    }

    async fn get_exactly(
        &self,
        volumes: &[Volume],
        id: &SkillId,
        known: Option<&str>,
    ) -> Result<MaybeSample<Found>> {
        match self.find(volumes, id, known).await {
            Ok(found) => Ok(MaybeSample::stored(found.ok_or(NOT_FOUND)?)),
            Err(error) => {
                let sample = samples::skills::find(volumes, id);
                let sample = sample.map(|sample| Found::Skill(Box::new(sample)));
                self.samples.sample_or(error, sample, NOT_FOUND)
            }
        }
    }

    async fn find(
        &self,
        volumes: &[Volume],
        id: &SkillId,
        known: Option<&str>,
    ) -> Result<Option<Found>> {
        let cached = self.cached(volumes, id).await?;
        for (volume, cached) in volumes.iter().zip(cached) {
            let pathname = paths::skill(volume, id);
            let read = self.blobs.read_unless(&pathname, MAX_DOCUMENT_BYTES, known);
            match read.await? {
                Read::Missing => {}
                Read::NotModified(etag) => return Ok(Some(Found::NotModified(etag))),
                Read::Found(document) => {
                    let skill = from_document(volume, id, &document, cached);
                    let document = document.body;
                    let detail = SkillDetail { skill, document };
                    return Ok(Some(Found::Skill(Box::new(detail))));
                }
            }
        }
        Ok(None)
    }

    /// Counts a use of the skill, in the first of the nearest volumes that has it. Every caller who can read a skill
    /// may report its use.
    ///
    /// # Errors
    /// If the skill is missing or the caller may not read it, the caller is read-only, or the `Idempotency-Key` belongs to
    /// a different request.
    pub async fn count_usage(
        &self,
        volume: Option<VolumeSelection>,
        id: &SkillId,
        usage: &SkillUse,
        idempotency: Option<&Idempotency>,
    ) -> Result<Written<Usage>> {
        let volumes = nearest(&self.context.caller, volume)?;
        if !self.context.caller.can_write() {
            return Err(Error::ReadOnly);
        }
        let volumes = &volumes;
        with_normal_form(id, |id| async move {
            self.count_exactly(volumes, &id, usage, idempotency).await
        })
        .await
    }

    async fn count_exactly(
        &self,
        volumes: &[Volume],
        id: &SkillId,
        usage: &SkillUse,
        idempotency: Option<&Idempotency>,
    ) -> Result<Written<Usage>> {
        for volume in volumes {
            if self.blobs.head(&paths::skill(volume, id)).await?.is_some() {
                let counted = self
                    .store
                    .count_usage(self.context, volume, id, usage, idempotency);
                return match counted.await? {
                    Counted::Done(usage) => Ok(Written::now(usage)),
                    Counted::Replayed(usage) => Ok(Written::replayed(usage)),
                    Counted::IdempotencyMismatch => Err(Error::IdempotencyMismatch),
                };
            }
        }
        Err(NOT_FOUND)
    }

    /// Returns what Redis has cached of the skill in each volume; `None` if Redis is missing or unavailable.
    ///
    /// # Errors
    /// If the caller is rate-limited.
    async fn cached(&self, volumes: &[Volume], id: &SkillId) -> Result<Vec<Option<CacheEntry>>> {
        let wanted: Vec<_> = volumes.iter().map(|volume| (volume, vec![id])).collect();
        match self.store.cache_get(self.context, &wanted).await {
            Ok(cached) => Ok(cached.into_iter().map(Some).collect()),
            Err(limited @ store::Error::RateLimited(_)) => Err(limited.into()),
            Err(error) => {
                warn_of_skill_cache("read", &error);
                Ok(vec![None; volumes.len()])
            }
        }
    }
}
