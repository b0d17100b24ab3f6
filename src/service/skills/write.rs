//! Adding, changing and deleting skills: each is one conditional write of one document.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use chrono::Utc;
use tokio::time::sleep;

use super::documents::shortened;
use super::{SkillService, SkillSummary, assemble, of_document, seconds, split, to_the_second};
use crate::blob::{Blob, Document, Put, PutBody, PutOptions, WriteCondition, jittered, paths};
use crate::domain::volume::Volume;
use crate::http::error::Result;
use crate::service::warnings::{warn_of_head_after_put, warn_of_skill_cache};
use crate::skill::{ChangeError, MAX_DOCUMENT_BYTES, Skill, SkillId, SkillPatch};
use crate::store::{CacheEntry, CachedSkill, Usage};

/// What documents are stored as.
const CONTENT_TYPE: &str = "text/markdown; charset=utf-8";
/// How long caches may keep a document, in seconds: the least that Vercel takes. We read past them.
const CACHE_SECONDS: u32 = 60;
/// How long a change starts again whenever another one came in between.
const CONTENTION_LIMIT: Duration = Duration::from_secs(5);
/// The pause before the first start again; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause: a few writes' time.
const LONGEST_PAUSE: Duration = Duration::from_millis(640);

/// What became of adding a skill.
#[derive(Debug)]
pub enum Created {
    /// The skill is stored.
    Done(SkillSummary),
    /// Nothing changed: there is a skill of this id, with this very document.
    Same(SkillSummary),
    /// Nothing changed: there is another skill of this id.
    Taken,
}

/// What is to become of a document.
#[derive(Debug)]
pub enum Replacement {
    /// This one takes its place.
    Document(String),
    /// Parts of it change.
    Change(Box<SkillPatch>),
}

/// What became of changing a skill.
#[derive(Debug)]
pub enum Replaced {
    /// The skill is stored, and is now this.
    Done(SkillSummary),
    /// Nothing changed: the skill is no longer one of the expected versions, but this.
    Stale(SkillSummary),
    /// Nothing changed: the document does not take the change.
    Refused(ChangeError),
    /// Nothing changed: others changed the skill all the time.
    Contended,
}

/// What became of deleting a skill.
#[derive(Debug)]
pub enum Deleted {
    /// The skill is gone.
    Done,
    /// Nothing changed: the skill is no longer one of the expected versions, but this.
    Stale(Box<SkillSummary>),
}

impl SkillService<'_> {
    /// Adds a skill, if its id is free.
    pub async fn create(&self, volume: &Volume, id: &SkillId, document: String) -> Result<Created> {
        let put = self
            .put(volume, id, &document, WriteCondition::IfMissing)
            .await?;
        if let Put::Done(blob) = put {
            let written = self.written(id, &document, blob, None).await;
            // What is known is of an earlier one of this id, which somebody else deleted.
            let remembered =
                self.store
                    .remember_new_skill(self.context, volume, id, &written.remembered);
            let remembered = remembered.await;
            let remembered = remembered.inspect_err(|error| warn_of_skill_cache("add", error));
            let usage = remembered.ok().map(|()| Usage::default());
            return Ok(Created::Done(written.answer(volume, id, usage)));
        }
        match self.read(volume, id).await? {
            Some((found, known)) if found.body == document.as_bytes() => {
                Ok(Created::Same(of_document(volume, id, &found, known)))
            }
            _ => Ok(Created::Taken),
        }
    }

    /// Changes a skill, if it is still one of the `expected` versions (where they are given); `None` where
    /// there is none.
    pub async fn replace(
        &self,
        volume: &Volume,
        id: &SkillId,
        replacement: &Replacement,
        expected: Option<&[String]>,
    ) -> Result<Option<Replaced>> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let Some((found, known)) = self.read(volume, id).await? else {
                return Ok(None);
            };
            if expected.is_some_and(|versions| !versions.contains(&found.etag)) {
                return Ok(Some(Replaced::Stale(of_document(
                    volume, id, &found, known,
                ))));
            }
            let document = match replacement {
                Replacement::Document(document) => document.clone(),
                Replacement::Change(change) => match changed(&found, change) {
                    Ok(document) => document,
                    Err(refusal) => return Ok(Some(Replaced::Refused(refusal))),
                },
            };
            if document.as_bytes() == found.body {
                return Ok(Some(Replaced::Done(of_document(volume, id, &found, known))));
            }
            let condition = WriteCondition::IfMatch(found.etag);
            if let Put::Done(blob) = self.put(volume, id, &document, condition).await? {
                let (usage, created_at) = split(known);
                // What is overwritten was there at the latest when it was written.
                let created_at = created_at.or(found.uploaded_at);
                let written = self.written(id, &document, blob, created_at).await;
                let memory = [(id, written.remembered.clone())];
                // Only the next list is slower where this fails; and then nobody knows how often it was used.
                let remembered = self.store.remember_skills(self.context, volume, &memory);
                let is_remembered = remembered
                    .await
                    .inspect_err(|error| warn_of_skill_cache("replace", error))
                    .is_ok();
                let usage = usage.filter(|_| is_remembered);
                return Ok(Some(Replaced::Done(written.answer(volume, id, usage))));
            }
            if started.elapsed() + pause > CONTENTION_LIMIT {
                return Ok(Some(Replaced::Contended));
            }
            sleep(jittered(pause)).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Deletes a skill, if it is still one of the `expected` versions (where they are given); `None` where
    /// there is none.
    pub async fn delete(
        &self,
        volume: &Volume,
        id: &SkillId,
        expected: Option<&[String]>,
    ) -> Result<Option<Deleted>> {
        let pathname = paths::skill(volume, id);
        let Some(found) = self.blobs.head(&pathname).await? else {
            return Ok(None);
        };
        let is_stale = expected.is_some_and(|versions| !versions.contains(&found.etag));
        let if_match = expected.map(|_| found.etag.as_str());
        if is_stale || !self.blobs.delete(&[&pathname], if_match).await? {
            match self.read(volume, id).await? {
                Some((found, known)) => {
                    let skill = of_document(volume, id, &found, known);
                    return Ok(Some(Deleted::Stale(Box::new(skill))));
                }
                None if is_stale => return Ok(None),
                // It was there as expected and is gone: by our own call, where its first answer was lost.
                None => {}
            }
        }
        // What stays behind is only what was counted.
        if let Err(error) = self.store.forget_skill(self.context, volume, id).await {
            warn_of_skill_cache("delete", &error);
        }
        Ok(Some(Deleted::Done))
    }

    /// A document, and what Redis knows of it.
    async fn read(
        &self,
        volume: &Volume,
        id: &SkillId,
    ) -> Result<Option<(Document, Option<CacheEntry>)>> {
        let known = self.known(std::slice::from_ref(volume), id).await?.pop();
        let pathname = paths::skill(volume, id);
        let read = self.blobs.read(&pathname, MAX_DOCUMENT_BYTES).await?;
        Ok(read.map(|document| (document, known.flatten())))
    }

    async fn put(
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

    /// What there is to tell of a skill that was just stored.
    async fn written(
        &self,
        id: &SkillId,
        document: &str,
        stored: Blob,
        created_at: Option<String>,
    ) -> Written {
        // A put does not tell when it was. It is done: that nobody can be asked is no reason to say it failed.
        let head = self.blobs.head(&stored.pathname).await;
        let head = head.inspect_err(warn_of_head_after_put).ok().flatten();
        let blob = head
            .filter(|head| head.etag == stored.etag)
            .unwrap_or(Blob {
                size: document.len() as u64,
                uploaded_at: Some(seconds(Utc::now())),
                ..stored
            });
        let skill = Skill::read(document, id);
        let created_at = created_at.or_else(|| blob.uploaded_at.clone());
        let remembered = CachedSkill {
            etag: blob.etag.clone(),
            created_at: created_at.as_deref().map(to_the_second),
            skill: shortened(skill.clone()),
        };
        Written {
            blob,
            skill,
            remembered,
        }
    }
}

/// A skill that was just stored.
struct Written {
    blob: Blob,
    skill: Skill,
    /// What the next list is to know of it.
    remembered: CachedSkill,
}

impl Written {
    fn answer(self, volume: &Volume, id: &SkillId, usage: Option<Usage>) -> SkillSummary {
        let created_at = self.remembered.created_at;
        assemble(volume, id, &self.blob, self.skill, usage, created_at)
    }
}

fn changed(found: &Document, change: &SkillPatch) -> Result<String, ChangeError> {
    let document = std::str::from_utf8(&found.body)
        .map_err(|_| ChangeError::Unreadable("it is not UTF-8".to_owned()))?;
    change.apply(document)
}
