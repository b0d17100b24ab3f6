//! The skills of a volume: their documents are blobs, and Redis remembers what they say and counts how often
//! they are used.
//!
//! The blobs alone are the truth. Where Redis is missing or down, skills are read and written all the same:
//! documents are read instead of remembered, and nobody knows how often a skill was used.

mod documents;
mod filter;
mod list;
mod merge;
mod write;

use axum::body::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

use crate::blob::{Blob, Blobs, Document, Read, paths};
use crate::domain::request_context::RequestContext;
use crate::domain::volume::{Volume, VolumeKind};
use crate::http::error::Result;
use crate::skill::{MAX_DOCUMENT_BYTES, Skill, SkillId};
use crate::store::{self, CacheEntry, Counted, Idempotency, SkillUse, Store, Usage};
use crate::util::time::format_time;

pub use self::filter::SkillFilter;
pub use self::list::{ListRequest, SkillPage};
pub use self::merge::{Cursor, Position};
pub use self::write::{Created, Deleted, Replaced, Replacement};

/// The skills as one request reaches them.
#[derive(Debug)]
pub struct SkillService<'a> {
    blobs: &'a Blobs,
    store: &'a Store,
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
    /// Its document, as it is stored.
    pub document: Bytes,
}

/// What became of looking for a skill.
#[derive(Debug)]
pub enum Found {
    /// There is none.
    Missing,
    /// The caller has it already, under this entity tag.
    NotModified(String),
    /// This is it.
    Skill(Box<SkillDetail>),
}

impl<'a> SkillService<'a> {
    /// The skills behind `blobs`, with what `store` knows of them. Whether the caller may do what is asked for
    /// is not looked at.
    pub fn new(blobs: &'a Blobs, store: &'a Store, context: &'a RequestContext) -> Self {
        Self {
            blobs,
            store,
            context,
        }
    }

    /// The skill in the first of the volumes that has it, unless the caller has it already: `known` is an
    /// `If-None-Match` header. One round trip to Redis, and then one request to Blob for each volume.
    pub async fn find(
        &self,
        volumes: &[Volume],
        id: &SkillId,
        known: Option<&str>,
    ) -> Result<Found> {
        let at_redis = self.known(volumes, id).await?;
        for (volume, at_redis) in volumes.iter().zip(at_redis) {
            let pathname = paths::skill(volume, id);
            let read = self.blobs.read_unless(&pathname, MAX_DOCUMENT_BYTES, known);
            match read.await? {
                Read::Missing => {}
                Read::NotModified(etag) => return Ok(Found::NotModified(etag)),
                Read::Found(document) => {
                    let skill = of_document(volume, id, &document, at_redis);
                    let document = document.body;
                    return Ok(Found::Skill(Box::new(SkillDetail { skill, document })));
                }
            }
        }
        Ok(Found::Missing)
    }

    /// Counts a use of the skill in the first of the volumes that has it; `None` where there is none.
    pub async fn count_usage(
        &self,
        volumes: &[Volume],
        id: &SkillId,
        usage: &SkillUse,
        idempotency: Option<&Idempotency>,
    ) -> Result<Option<Counted>> {
        for volume in volumes {
            if self.blobs.head(&paths::skill(volume, id)).await?.is_some() {
                let counted = self
                    .store
                    .count_usage(self.context, volume, id, usage, idempotency);
                return Ok(Some(counted.await?));
            }
        }
        Ok(None)
    }

    /// What Redis knows of the skill of this id in each volume; `None` where it cannot tell.
    ///
    /// # Errors
    /// If the caller made too many requests.
    async fn known(&self, volumes: &[Volume], id: &SkillId) -> Result<Vec<Option<CacheEntry>>> {
        let wanted: Vec<_> = volumes.iter().map(|volume| (volume, vec![id])).collect();
        match self.store.cache_get(self.context, &wanted).await {
            Ok(known) => Ok(known.into_iter().map(Some).collect()),
            Err(limited @ store::Error::RateLimited(_)) => Err(limited.into()),
            Err(_) => Ok(vec![None; volumes.len()]),
        }
    }
}

/// What a document that was read says.
fn of_document(
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
    let (usage, created_at) = split(known);
    assemble(volume, id, &blob, skill, usage, created_at)
}

/// How often a skill was used, and since when it is known.
fn split(known: Option<CacheEntry>) -> (Option<Usage>, Option<String>) {
    match known {
        Some(known) => (Some(known.usage), known.cached.and_then(|it| it.created_at)),
        None => (None, None),
    }
}

/// A skill out of what its document says, what the store tells of its blob, and what Redis knows.
fn assemble(
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
