//! Skills as every route returns them, without their documents.

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;

use crate::blob::{Blob, Document};
use crate::domain::volume::{Volume, VolumeKind};
use crate::skill::{Skill, SkillId};
use crate::store::{CacheEntry, Usage};
use crate::util::time::format_time;

/// A skill, without its document.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ListedSkill)]
pub struct SkillSummary {
    /// The id of the skill.
    pub id: SkillId,
    /// The fields of the document.
    #[serde(flatten)]
    pub skill: Skill,
    /// The kind of owner.
    pub volume: VolumeKind,
    /// The user or team; `system` for the system's volume.
    pub volume_id: String,
    /// The number of reported uses; `null` if Redis is missing or unavailable.
    #[schema(required)]
    pub usage_count: Option<u64>,
    /// The share of successful uses, 0–1; `null` without uses, or if Redis is missing or unavailable.
    #[schema(required, minimum = 0, maximum = 1)]
    pub success_rate: Option<f64>,
    /// The size of the document, in bytes.
    pub size_bytes: u64,
    /// The entity tag of the document.
    pub etag: String,
    /// The earliest time at which the skill is known to exist, as in RFC 3339.
    #[schema(required)]
    pub created_at: Option<String>,
    /// The time of the last write of the document, as in RFC 3339.
    #[schema(required)]
    pub updated_at: Option<String>,
}

/// Returns the summary of a document that was read.
pub(super) fn from_document(
    volume: &Volume,
    id: &SkillId,
    document: &Document,
    cached: Option<CacheEntry>,
) -> SkillSummary {
    let skill = match std::str::from_utf8(&document.body) {
        Ok(text) => Skill::read(text, id),
        Err(_) => Skill::unreadable(id, "the document is not UTF-8"),
    };
    let blob = Blob {
        pathname: String::new(),
        etag: document.etag.clone(),
        content_type: None,
        size: document.body.len() as u64,
        uploaded_at: document.uploaded_at.clone(),
    };
    let (usage, created_at) = split_cached(cached);
    to_summary(volume, id, &blob, skill, usage, created_at)
}

/// Returns the usage counts and the earliest known time of a cached skill.
pub(super) fn split_cached(cached: Option<CacheEntry>) -> (Option<Usage>, Option<String>) {
    match cached {
        Some(entry) => (
            Some(entry.usage),
            entry.cached.and_then(|skill| skill.created_at),
        ),
        None => (None, None),
    }
}

/// Returns the summary of a skill: from its document, its blob, and what Redis has cached.
pub(super) fn to_summary(
    volume: &Volume,
    id: &SkillId,
    blob: &Blob,
    mut skill: Skill,
    usage: Option<Usage>,
    created_at: Option<String>,
) -> SkillSummary {
    let updated_at = blob.uploaded_at.as_deref().map(to_the_second);
    let stated = skill.created_at.take();
    skill.warnings.extend(id.warning().map(ToOwned::to_owned));
    SkillSummary {
        id: id.clone(),
        skill,
        volume: volume.kind,
        volume_id: volume.id.as_str().to_owned(),
        usage_count: usage.map(|usage| usage.uses),
        success_rate: usage.and_then(Usage::success_rate),
        size_bytes: blob.size,
        etag: blob.etag.clone(),
        created_at: stated.or(created_at).or_else(|| updated_at.clone()),
        updated_at,
    }
}

/// Truncates a time to seconds: the content host of Blob returns no fractions, and every route must return the same
/// time.
pub(super) fn to_the_second(time: &str) -> String {
    match DateTime::parse_from_rfc3339(time) {
        Ok(time) => seconds(time.to_utc()),
        Err(_) => time.to_owned(),
    }
}

pub(super) fn seconds(time: DateTime<Utc>) -> String {
    format_time(time.trunc_subsecs(0))
}
