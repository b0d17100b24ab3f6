//! Operations on skills: their documents are blobs; Redis caches what the documents contain and counts uses.
//!
//! Only the blobs are authoritative. While Redis is missing or unavailable, skills are read and written all the same:
//! documents are read instead of cached, and usage counts are unknown.

mod documents;
mod filter;
mod list;
mod merge;
mod summaries;
mod write;

use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

use super::error::{Error, Resource, Result};
use super::fallback::{MaybeSample, SamplePolicy};
use super::samples;
use super::sessions::Written;
use super::volume::{VolumeSelection, nearest};
use crate::blob::{Blob, Blobs, Document, Read, paths};
use crate::domain::request_context::RequestContext;
use crate::domain::volume::{Volume, VolumeKind};
use crate::skill::{MAX_DOCUMENT_BYTES, Skill, SkillId};
use crate::store::{self, CacheEntry, Counted, Idempotency, SkillUse, Store, Usage};
use crate::util::time::format_time;

pub use self::filter::SkillFilter;
pub(super) use self::list::{ListRequest, SkillPage};
pub use self::list::{ListSkills, SkillList, SkillScope};
pub use self::write::Replacement;

const NOT_FOUND: Error = Error::NotFound(Resource::Skill);

/// The skills that one request may access.
#[derive(Debug)]
pub struct SkillService<'a> {
    blobs: Blobs,
    store: &'a Store,
    samples: SamplePolicy,
    context: &'a RequestContext,
}

/// A skill as it is answered.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ListedSkill)]
pub struct SkillSummary {
    /// Its id.
    pub id: SkillId,
    /// What its document says.
    #[serde(flatten)]
    pub skill: Skill,
    /// Whose it is.
    pub volume: VolumeKind,
    /// Which user's or team's.
    pub volume_id: String,
    /// How often it was used; `null` where Redis cannot tell.
    #[schema(required)]
    pub usage_count: Option<u64>,
    /// Which share of its uses went well, from 0 to 1; `null` where there is none, or Redis cannot tell.
    #[schema(required, minimum = 0, maximum = 1)]
    pub success_rate: Option<f64>,
    /// How large its document is.
    pub size_bytes: u64,
    /// The entity tag of its document.
    pub etag: String,
    /// The earliest moment at which it is known to have been there, RFC 3339.
    #[schema(required)]
    pub created_at: Option<String>,
    /// When its document was last written, RFC 3339.
    #[schema(required)]
    pub updated_at: Option<String>,
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
    /// If there is no such skill that the caller may read.
    pub async fn get(
        &self,
        volume: Option<VolumeSelection>,
        id: &SkillId,
        known: Option<&str>,
    ) -> Result<MaybeSample<Found>> {
        let volumes = nearest(&self.context.caller, volume)?;
        match self.find(&volumes, id, known).await {
            Ok(found) => Ok(MaybeSample::stored(found.ok_or(NOT_FOUND)?)),
            Err(error) => {
                let sample = samples::skills::find(&volumes, id);
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
    /// If there is no such skill that the caller may read, the caller is read-only, or the `Idempotency-Key` belongs to
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
        for volume in &volumes {
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

    /// Returns what Redis has cached of the skill in each volume; `None` where Redis cannot be asked.
    ///
    /// # Errors
    /// If the caller is rate-limited.
    async fn cached(&self, volumes: &[Volume], id: &SkillId) -> Result<Vec<Option<CacheEntry>>> {
        let wanted: Vec<_> = volumes.iter().map(|volume| (volume, vec![id])).collect();
        match self.store.read_skills(self.context, &wanted).await {
            Ok(cached) => Ok(cached.into_iter().map(Some).collect()),
            Err(limited @ store::Error::RateLimited(_)) => Err(limited.into()),
            Err(_) => Ok(vec![None; volumes.len()]),
        }
    }
}

/// What a document that was read says.
fn from_document(
    volume: &Volume,
    id: &SkillId,
    document: &Document,
    known: Option<CacheEntry>,
) -> SkillSummary {
    let skill = match std::str::from_utf8(&document.body) {
        Ok(text) => Skill::read(text, id),
        Err(_) => Skill::unread(id, "the document is not UTF-8"),
    };
    let blob = Blob {
        pathname: String::new(),
        etag: document.etag.clone(),
        content_type: None,
        size: document.body.len() as u64,
        uploaded_at: document.uploaded_at.clone(),
    };
    let (usage, created_at) = split_cached(known);
    to_summary(volume, id, &blob, skill, usage, created_at)
}

/// How often a skill was used, and since when it is known.
fn split_cached(known: Option<CacheEntry>) -> (Option<Usage>, Option<String>) {
    match known {
        Some(known) => (
            Some(known.usage),
            known.remembered.and_then(|it| it.created_at),
        ),
        None => (None, None),
    }
}

/// A skill out of what its document says, what the store tells of its blob, and what Redis knows.
fn to_summary(
    volume: &Volume,
    id: &SkillId,
    blob: &Blob,
    mut skill: Skill,
    usage: Option<Usage>,
    created_at: Option<String>,
) -> SkillSummary {
    let updated_at = blob.uploaded_at.as_deref().map(to_the_second);
    let written_down = skill.created_at.take();
    SkillSummary {
        id: id.clone(),
        skill,
        volume: volume.kind,
        volume_id: volume.id.as_str().to_owned(),
        usage_count: usage.map(|usage| usage.uses),
        success_rate: usage.and_then(Usage::success_rate),
        size_bytes: blob.size,
        etag: blob.etag.clone(),
        created_at: written_down.or(created_at).or_else(|| updated_at.clone()),
        updated_at,
    }
}

/// A moment without its fraction: what a content host tells has none, and a skill is to be answered with the
/// same moment by every route.
fn to_the_second(time: &str) -> String {
    match DateTime::parse_from_rfc3339(time) {
        Ok(time) => seconds(time.to_utc()),
        Err(_) => time.to_owned(),
    }
}

fn seconds(time: DateTime<Utc>) -> String {
    format_time(time.trunc_subsecs(0))
}
