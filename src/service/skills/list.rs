//! Lists of skills: Blob lists the documents, Redis returns what is cached of them, and the others are read.

use serde_json::value::RawValue;

use super::merge::{Cursor, Merge};
use super::summaries::ListedSkill;
use super::{SkillFilter, SkillService};
use crate::blob::{MAX_PAGE, paths};
use crate::domain::caller::Caller;
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::volume::{Volume, VolumeId, VolumeKind};
use crate::service::cursor::{decode_cursor, encode_cursor};
use crate::service::error::{Error, Resource, Result};
use crate::service::fallback::MaybeSample;
use crate::service::samples;
use crate::service::volume::{VolumeSelection, readable};
use crate::util::json;

/// The largest number of documents that a filtered list examines per request. Beyond it, the page may be short or
/// empty, and has a cursor.
const MAX_CANDIDATES: usize = 2000;
/// The smallest number of blobs per call of Blob: blobs that are not documents may lie between the documents.
const MIN_PAGE: usize = 100;

/// Which page of which skills to list.
#[derive(Debug)]
pub struct ListSkills {
    /// The volumes.
    pub scope: SkillScope,
    /// The filter.
    pub filter: SkillFilter,
    /// The largest number of skills.
    pub limit: usize,
    /// The `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// The volumes of a list of skills.
#[derive(Debug)]
pub enum SkillScope {
    /// One volume; `None` for the system's.
    Volume(Option<VolumeSelection>),
    /// A user's volume, a team's and the system's. A skill in a more specific volume overrides one with the same id.
    Effective {
        /// The user; `None` for the caller's own volume.
        user: Option<VolumeId>,
        /// The team.
        team: Option<VolumeId>,
    },
}

impl SkillScope {
    /// Returns the volumes, the most specific first.
    ///
    /// # Errors
    /// If the caller may not read one of them.
    fn volumes(self, caller: &Caller) -> Result<Vec<Volume>> {
        let (user, team) = match self {
            Self::Volume(volume) => return Ok(vec![readable(caller, volume, Volume::system())?]),
            Self::Effective { user, team } => (user, team),
        };
        let user = user.map_or_else(
            || caller.default_volume(),
            |id| caller.resolve(VolumeKind::User, id),
        );
        let team = team.map(|id| caller.resolve(VolumeKind::Team, id));
        let volumes = [Some(user), team, Some(Volume::system())];
        let volumes: Vec<Volume> = volumes.into_iter().flatten().collect();
        for volume in &volumes {
            caller.may_read(volume)?;
        }
        Ok(volumes)
    }
}

/// A page of skills, ordered by the names of their documents: `a-b.md` comes before `a.md`.
#[derive(Debug)]
pub struct SkillList {
    /// The skills, each a [`SkillSummary`](super::SkillSummary) as JSON.
    pub skills: Vec<Box<RawValue>>,
    /// The cursor of the next page; `None` on the last one.
    pub next_cursor: Option<String>,
}

/// A list with its volumes and its position resolved.
#[derive(Debug)]
pub(in crate::service) struct ListRequest {
    pub(in crate::service) volumes: Vec<Volume>,
    pub(in crate::service) filter: SkillFilter,
    limit: usize,
    cursor: Option<Cursor>,
}

/// A page before its cursor is encoded.
#[derive(Debug)]
pub(in crate::service) struct SkillPage {
    pub(in crate::service) skills: Vec<Box<RawValue>>,
    pub(in crate::service) next: Option<Cursor>,
}

impl SkillService<'_> {
    /// Lists skills. If all documents are cached, this takes one call of Blob per 1,000 documents and one round trip to
    /// Redis.
    ///
    /// # Errors
    /// If the caller may not read a volume, or the cursor belongs to another list.
    pub async fn list(&self, list: ListSkills) -> Result<MaybeSample<SkillList>> {
        let caller = &self.context.caller;
        let volumes = list.scope.volumes(caller)?;
        let prefixes: String = volumes.iter().map(paths::skills).collect();
        let name = caller.scoped_key(&prefixes);
        let request = ListRequest {
            volumes,
            filter: list.filter,
            limit: list.limit,
            cursor: decode_cursor(&name, list.cursor.as_deref())?,
        };
        let page = match self.list_page(&request).await {
            Ok(page) => MaybeSample::stored(page),
            Err(error) => {
                let sample = self.sample_page(&request);
                let missing = Error::NotFound(Resource::Skill);
                self.samples.sample_or(error, sample, missing)?
            }
        };
        Ok(page.map(|page| SkillList {
            skills: page.skills,
            next_cursor: page.next.map(|next| encode_cursor(&name, &next)),
        }))
    }

    /// Returns the samples of a list. All samples are in the system volume. While Blob is unavailable, the contents of
    /// other volumes are unknown; without a store, they are empty.
    fn sample_page(&self, request: &ListRequest) -> Option<SkillPage> {
        let includes_system = request.volumes.contains(&Volume::system());
        (includes_system || !self.blobs.is_configured()).then(|| samples::skills::list(request))
    }

    async fn list_page(&self, request: &ListRequest) -> Result<SkillPage> {
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
            &self.blobs,
            &request.volumes,
            request.cursor.as_ref(),
            page_size,
        );
        let candidates = merge.take(count).await?;
        let listed = self.load_summaries(&request.volumes, &candidates).await?;

        let (mut skills, mut bytes, mut last) = (Vec::new(), 0, None);
        for (candidate, listed) in candidates.iter().zip(listed) {
            // A document that was not read may match the filter, so it is listed, with its warning.
            let is_wanted =
                |listed: &ListedSkill| !listed.was_read || request.filter.accepts(&listed.skill);
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
}
