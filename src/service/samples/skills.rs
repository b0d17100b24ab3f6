//! Sample skills, which reads return while Blob is missing or unavailable.

use bytes::Bytes;

use crate::domain::volume::Volume;
use crate::service::skills::{ListRequest, SkillDetail, SkillPage, SkillSummary};
use crate::skill::{Skill, SkillId};
use crate::util::json;

/// The time at which the samples were written.
const WRITTEN: &str = "2025-12-13T10:00:00Z";

/// The ids and documents, ordered by id.
const SAMPLES: [(&str, &str); 2] = [
    ("skill_001", include_str!("skill_001.md")),
    ("skill_002", include_str!("skill_002.md")),
];

/// Returns the sample with this id, if the volumes include the system volume, which contains all samples.
pub(in crate::service) fn find(volumes: &[Volume], id: &SkillId) -> Option<SkillDetail> {
    let includes_system = volumes.contains(&Volume::system());
    let samples = SAMPLES.iter().filter(|_| includes_system);
    let (name, document) = samples.into_iter().find(|(name, _)| *name == id.as_str())?;
    Some(SkillDetail {
        skill: sample(name, document)?,
        document: Bytes::from_static(document.as_bytes()),
    })
}

/// Returns the samples that match `request`, all on one page.
pub(in crate::service) fn list(request: &ListRequest) -> SkillPage {
    let includes_system = request.volumes.contains(&Volume::system());
    let samples = SAMPLES.iter().filter(|_| includes_system);
    let samples = samples.filter_map(|(id, document)| sample(id, document));
    let fitting = samples.filter(|skill| request.filter.accepts(skill));
    SkillPage {
        skills: fitting.map(|skill| json::raw(&skill)).collect(),
        next: None,
    }
}

fn sample(id: &str, document: &str) -> Option<SkillSummary> {
    let id = SkillId::parse(id)?;
    let system = Volume::system();
    Some(SkillSummary {
        skill: Skill::read(document, &id),
        id,
        volume: system.kind,
        volume_id: system.id.as_str().to_owned(),
        usage_count: Some(0),
        success_rate: None,
        size_bytes: document.len() as u64,
        etag: "sample".to_owned(),
        created_at: Some(WRITTEN.to_owned()),
        updated_at: Some(WRITTEN.to_owned()),
    })
}
