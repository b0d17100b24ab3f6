//! Cache of parsed skills, so that a list does not read their documents, and the counts of their uses. The documents
//! themselves are blobs.

use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{FromRedisValue, ParsingError, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::call::Call;
use super::error::Result;
use super::handle::Store;
use super::idempotency::{Idempotency, REPLY_SECONDS};
use super::reply::{Reply, unknown_reply};
use super::script;
use crate::domain::request_context::RequestContext;
use crate::domain::volume::Volume;
use crate::skill::{Skill, SkillId};
use crate::util::json;
use crate::util::once_per_minute::warn_once_a_minute;

/// Time that the skills of a volume stay cached after the last write: 30 days, in seconds.
const CACHE_SECONDS: u64 = 30 * 24 * 60 * 60;
/// Time that a use without an `Idempotency-Key` is recorded, for retries of this process: in seconds.
const USE_SECONDS: u64 = 60;

/// A parsed skill in the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CachedSkill {
    /// Entity tag of the document that was parsed. If the document has a different one, this entry is outdated.
    pub etag: String,
    /// Earliest time at which the document is known to exist, RFC 3339.
    pub created_at: Option<String>,
    /// The parsed document.
    pub skill: Skill,
}

/// Counts of a skill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of uses.
    pub uses: u64,
    /// Number of successful uses.
    pub successes: u64,
}

impl Usage {
    /// Returns the share of successful uses, from 0 to 1; `None` without uses.
    pub fn success_rate(self) -> Option<f64> {
        let float = |count: u64| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
        (self.uses > 0).then(|| float(self.successes) / float(self.uses))
    }
}

/// Cached skill and counts.
#[derive(Clone, Debug, Default)]
pub struct CacheEntry {
    /// The cached skill, if there is one.
    pub cached: Option<CachedSkill>,
    /// The counts, 0 if the skill was never used.
    pub usage: Usage,
}

/// One use of a skill, as a caller reports it.
#[derive(Debug)]
pub struct SkillUse {
    /// Whether the use was successful.
    pub success: bool,
    /// Duration of the use.
    pub duration: Option<Duration>,
}

/// Result of counting a use.
#[derive(Debug)]
pub enum Counted {
    /// The use is counted; these are the counts after it.
    Done(Usage),
    /// An earlier request with the same `Idempotency-Key` counted the use; these are the current counts.
    Replayed(Usage),
    /// The `Idempotency-Key` belongs to a different request.
    IdempotencyMismatch,
}

/// Reply of `scripts/count_usage.lua`.
enum CountReply {
    Counted(Usage),
    Replayed(Usage),
    IdempotencyMismatch,
}

impl FromRedisValue for CountReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "counted" => Ok(Self::Counted(next_usage(&mut reply)?)),
            "replayed" => Ok(Self::Replayed(next_usage(&mut reply)?)),
            "mismatch" => Ok(Self::IdempotencyMismatch),
            other => Err(unknown_reply(other)),
        }
    }
}

impl FromRedisValue for CacheEntry {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let text: Option<Vec<u8>> = reply.next()?;
        Ok(Self {
            cached: text.and_then(|text| parse_cached(&text)),
            usage: next_usage(&mut reply)?,
        })
    }
}

/// Parses a cached skill. A malformed one counts as missing: the document is read instead, and replaces it.
fn parse_cached(text: &[u8]) -> Option<CachedSkill> {
    serde_json::from_slice(text)
        .inspect_err(|error| {
            warn_once_a_minute!(redis.error = %error, "a cached skill is malformed and is read again");
        })
        .ok()
}

fn next_usage(reply: &mut Reply) -> Result<Usage, ParsingError> {
    Ok(Usage {
        uses: reply.next()?,
        successes: reply.next()?,
    })
}

impl Store {
    /// Reads the cache entries of skills, in the given order. Takes one round trip; on a cluster one per volume, in
    /// parallel.
    pub async fn cache_get(
        &self,
        context: &RequestContext,
        wanted: &[(&Volume, Vec<&SkillId>)],
    ) -> Result<Vec<CacheEntry>> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let read = async |wanted: &[(&Volume, Vec<&SkillId>)]| -> Result<Vec<CacheEntry>> {
            let keys = wanted
                .iter()
                .flat_map(|(volume, _)| [scheme.skills(volume), scheme.skill_usage(volume)])
                .collect();
            let mut call = Call::new(&script::CACHE_GET, keys);
            for (_, ids) in wanted {
                call = call
                    .number(ids.len())
                    .args(ids.iter().map(|id| id.as_str()));
            }
            executor.execute(context, &call).await
        };
        let entries = try_join_all(scheme.by_slot(wanted).map(read)).await?;
        Ok(entries.into_iter().flatten().collect())
    }

    /// Caches skills of a volume.
    pub async fn cache_put(
        &self,
        context: &RequestContext,
        volume: &Volume,
        skills: &[(&SkillId, CachedSkill)],
    ) -> Result<()> {
        let executor = self.executor()?;
        let keys = vec![executor.scheme().skills(volume)];
        let mut call = Call::new(&script::CACHE_PUT, keys).number(CACHE_SECONDS);
        for (id, cached) in skills {
            call = call.arg(id.as_str()).owned(json::text(cached));
        }
        executor.execute(context, &call).await
    }

    /// Caches a new skill, and deletes the counts of an earlier skill with this id.
    pub async fn cache_put_new(
        &self,
        context: &RequestContext,
        volume: &Volume,
        id: &SkillId,
        cached: &CachedSkill,
    ) -> Result<()> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let keys = vec![scheme.skills(volume), scheme.skill_usage(volume)];
        let call = Call::new(&script::CACHE_PUT_NEW, keys)
            .number(CACHE_SECONDS)
            .arg(id.as_str())
            .owned(json::text(cached));
        executor.execute(context, &call).await
    }

    /// Deletes a skill from the cache, with its counts.
    pub async fn cache_delete(
        &self,
        context: &RequestContext,
        volume: &Volume,
        id: &SkillId,
    ) -> Result<()> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let keys = vec![scheme.skills(volume), scheme.skill_usage(volume)];
        let call = Call::new(&script::CACHE_DELETE, keys).arg(id.as_str());
        executor.execute(context, &call).await
    }

    /// Counts a use of a skill, once per `Idempotency-Key`.
    pub async fn count_usage(
        &self,
        context: &RequestContext,
        volume: &Volume,
        id: &SkillId,
        usage: &SkillUse,
        idempotency: Option<&Idempotency>,
    ) -> Result<Counted> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let own_key = Uuid::now_v7().to_string();
        let (key, fingerprint, seconds) = match idempotency {
            Some(idempotency) => (
                &idempotency.key,
                idempotency.fingerprint.as_str(),
                REPLY_SECONDS,
            ),
            None => (&own_key, "", USE_SECONDS),
        };
        let milliseconds = usage
            .duration
            .map(|duration| (duration.as_secs_f64() * 1e3).to_string());
        let keys = vec![scheme.skill_usage(volume), scheme.skill_use(volume, key)];
        let call = Call::new(&script::COUNT_USAGE, keys)
            .arg(id.as_str())
            .flag(usage.success)
            .owned(milliseconds.unwrap_or_default())
            .arg(fingerprint)
            .number(seconds);
        match executor.execute(context, &call).await? {
            CountReply::Counted(usage) => Ok(Counted::Done(usage)),
            // Without a key of the caller, only a retry of this call is replayed.
            CountReply::Replayed(usage) if idempotency.is_none() => Ok(Counted::Done(usage)),
            CountReply::Replayed(usage) => Ok(Counted::Replayed(usage)),
            CountReply::IdempotencyMismatch => Ok(Counted::IdempotencyMismatch),
        }
    }
}
