//! What Redis knows of skills: what their documents say, so that a list need not read them, and how often
//! they are used. The documents themselves are blobs.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::Result;
use super::script::{self, Reply, unknown_reply};
use super::{Idempotency, REPLY_SECONDS, Store};
use crate::domain::request_context::RequestContext;
use crate::domain::volume::Volume;
use crate::skill::{Skill, SkillId};
use crate::util::json;

/// How long what a document says is remembered after the last one of its volume was: 30 days, in seconds.
const MEMORY_SECONDS: u64 = 30 * 24 * 60 * 60;
/// How long a use without an `Idempotency-Key` is known as counted, for our own repeated calls: in seconds.
const USE_SECONDS: u64 = 60;

/// What is remembered of a skill's document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CachedSkill {
    /// The entity tag of the document that was read. Where it has another one now, this is outdated.
    pub etag: String,
    /// The earliest moment at which the document is known to have been there, RFC 3339.
    pub created_at: Option<String>,
    /// What it says.
    pub skill: Skill,
}

/// How often a skill was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How often in all.
    pub uses: u64,
    /// How often with success.
    pub successes: u64,
}

impl Usage {
    /// Which share of the uses went well, from 0 to 1; `None` where there is none.
    pub fn success_rate(self) -> Option<f64> {
        let float = |count: u64| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
        (self.uses > 0).then(|| float(self.successes) / float(self.uses))
    }
}

/// All that Redis knows of a skill.
#[derive(Clone, Debug, Default)]
pub struct CacheEntry {
    /// What is remembered, if anything is.
    pub remembered: Option<CachedSkill>,
    /// What is counted.
    pub usage: Usage,
}

/// One use of a skill, as a caller tells of it.
#[derive(Debug)]
pub struct SkillUse {
    /// Whether it went well.
    pub success: bool,
    /// How long it took.
    pub duration: Option<Duration>,
}

/// What became of counting a use.
#[derive(Debug)]
pub enum Counted {
    /// It is counted, and this is the sum.
    Done(Usage),
    /// It was counted before, under the same `Idempotency-Key`.
    Replayed(Usage),
    /// The `Idempotency-Key` belongs to a request that says something else.
    IdempotencyMismatch,
}

impl Store {
    /// What is known of the skills of some volumes, in the order in which they are given. One round trip,
    /// on a cluster one for each volume at the same time.
    pub async fn read_skills(
        &self,
        context: &RequestContext,
        wanted: &[(&Volume, Vec<&SkillId>)],
    ) -> Result<Vec<CacheEntry>> {
        let connection = self.connection()?;
        let names = connection.names();
        let read = async |wanted: &[(&Volume, Vec<&SkillId>)]| -> Result<Vec<Reply>> {
            connection
                .script(&script::READ_SKILLS, context, |call, _| {
                    call.arg(2 * wanted.len());
                    for (volume, _) in wanted {
                        call.arg(names.skills(volume))
                            .arg(names.skill_usage(volume));
                    }
                    for (_, ids) in wanted {
                        call.arg(ids.len());
                        for id in ids {
                            call.arg(id.as_str());
                        }
                    }
                })
                .await
        };
        let replies = try_join_all(names.by_slot(wanted).map(read)).await?;
        replies.into_iter().flatten().map(known_skill).collect()
    }

    /// Remembers what documents of a volume say.
    pub async fn remember_skills(
        &self,
        context: &RequestContext,
        volume: &Volume,
        skills: &[(&SkillId, CachedSkill)],
    ) -> Result<()> {
        let connection = self.connection()?;
        let names = connection.names();
        connection
            .script(&script::REMEMBER_SKILLS, context, |call, _| {
                call.arg(1).arg(names.skills(volume)).arg(MEMORY_SECONDS);
                for (id, remembered) in skills {
                    call.arg(id.as_str()).arg(json::text(remembered));
                }
            })
            .await
    }

    /// Remembers what the document of a new skill says, and forgets what is known of an earlier one of this id.
    pub async fn remember_new_skill(
        &self,
        context: &RequestContext,
        volume: &Volume,
        id: &SkillId,
        remembered: &CachedSkill,
    ) -> Result<()> {
        let connection = self.connection()?;
        let names = connection.names();
        connection
            .script(&script::REMEMBER_NEW_SKILL, context, |call, _| {
                call.arg(2)
                    .arg(names.skills(volume))
                    .arg(names.skill_usage(volume))
                    .arg(MEMORY_SECONDS)
                    .arg(id.as_str())
                    .arg(json::text(remembered));
            })
            .await
    }

    /// Forgets a skill, its counts included.
    pub async fn forget_skill(
        &self,
        context: &RequestContext,
        volume: &Volume,
        id: &SkillId,
    ) -> Result<()> {
        let connection = self.connection()?;
        let names = connection.names();
        connection
            .script(&script::FORGET_SKILL, context, |call, _| {
                call.arg(2)
                    .arg(names.skills(volume))
                    .arg(names.skill_usage(volume))
                    .arg(id.as_str());
            })
            .await
    }

    /// Counts a use of a skill, once for each `Idempotency-Key`.
    pub async fn count_usage(
        &self,
        context: &RequestContext,
        volume: &Volume,
        id: &SkillId,
        usage: &SkillUse,
        idempotency: Option<&Idempotency>,
    ) -> Result<Counted> {
        let connection = self.connection()?;
        let names = connection.names();
        let own_key = Uuid::now_v7().to_string();
        let (key, fingerprint, seconds) = match idempotency {
            Some(idempotency) => (
                &idempotency.key,
                idempotency.fingerprint.as_str(),
                REPLY_SECONDS,
            ),
            None => (&own_key, "", USE_SECONDS),
        };
        let milliseconds = usage.duration.map(|it| it.as_secs_f64() * 1e3);
        let mut reply: Reply = connection
            .script(&script::COUNT_USAGE, context, |call, _| {
                call.arg(2)
                    .arg(names.skill_usage(volume))
                    .arg(names.skill_use(volume, key));
                call.arg(id.as_str())
                    .arg(u8::from(usage.success))
                    .arg(milliseconds.map_or(String::new(), |it| it.to_string()))
                    .arg(fingerprint)
                    .arg(seconds);
            })
            .await?;
        match reply.next::<String>()?.as_str() {
            "counted" => Ok(Counted::Done(usage_in(&mut reply)?)),
            // Without a key of the caller's it is our own call that was repeated.
            "replayed" if idempotency.is_none() => Ok(Counted::Done(usage_in(&mut reply)?)),
            "replayed" => Ok(Counted::Replayed(usage_in(&mut reply)?)),
            "mismatch" => Ok(Counted::IdempotencyMismatch),
            other => Err(unknown_reply(other)),
        }
    }
}

fn known_skill(mut reply: Reply) -> Result<CacheEntry> {
    let text: Option<Vec<u8>> = reply.next()?;
    Ok(CacheEntry {
        // What cannot be read is not remembered: the document is.
        remembered: text.and_then(|text| serde_json::from_slice(&text).ok()),
        usage: usage_in(&mut reply)?,
    })
}

fn usage_in(reply: &mut Reply) -> Result<Usage> {
    Ok(Usage {
        uses: reply.next()?,
        successes: reply.next()?,
    })
}
