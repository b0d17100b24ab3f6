//! Reads the next sessions of one scope from its index, and indexes sessions that the Python version wrote.

use futures_util::future::try_join_all;
use redis::{FromRedisValue, ParsingError, Value};

use super::entry::Candidate;
use super::multi_slot::MultiSlot;
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::page::{PartRequest, Source};
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::metrics::count_as_one;

/// Reply of `scripts/cluster/candidates.lua`.
enum CandidatesReply {
    /// Id, microseconds and bucket of each session, and the number of sessions in the buckets.
    Candidates(Vec<(Vec<u8>, i64, Vec<u8>)>, u64),
    TooMany,
    Unindexed {
        position: Vec<u8>,
        ids: Vec<Vec<u8>>,
    },
}

impl FromRedisValue for CandidatesReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "candidates" => Ok(Self::Candidates(reply.next()?, reply.next()?)),
            "too-many" => Ok(Self::TooMany),
            "unindexed" => Ok(Self::Unindexed {
                position: reply.next()?,
                ids: reply.next()?,
            }),
            other => Err(unknown_reply(other)),
        }
    }
}

/// The next sessions of a scope.
pub(super) enum InScope<'a> {
    /// One more than the limit, and the number of sessions in the buckets.
    Found(Vec<Candidate<'a>>, u64),
    /// There are more pinned sessions than the limit.
    TooMany,
    /// Members of the set of the scope were indexed instead.
    Indexed,
}

impl MultiSlot<'_> {
    /// Returns the next sessions of a scope.
    pub(super) async fn candidates<'a>(
        self,
        request: &PartRequest<'_>,
        scope: &'a [u8],
    ) -> Result<InScope<'a>> {
        let call = Call::new(&script::LIST, self.scheme().index_keys(scope));
        let call = request.add_to(call, false).arg(scope);
        match self.query(&call).await? {
            CandidatesReply::TooMany => Ok(InScope::TooMany),
            CandidatesReply::Candidates(found, total) => {
                let found = found.into_iter().map(|(id, micros, bucket)| Candidate {
                    scope,
                    id,
                    micros,
                    bucket,
                });
                Ok(InScope::Found(found.collect(), total))
            }
            CandidatesReply::Unindexed { position, ids } => {
                let with_details = request.source != Source::Recent;
                self.index_members(scope, position, with_details, ids)
                    .await?;
                Ok(InScope::Indexed)
            }
        }
    }

    /// Indexes members of a scope's set. Indexing continues at `position`. `with_details` means that all members whose
    /// details are missing are visited.
    async fn index_members(
        self,
        scope: &[u8],
        position: Vec<u8>,
        with_details: bool,
        ids: Vec<Vec<u8>>,
    ) -> Result<()> {
        let entries = try_join_all(ids.iter().map(|id| self.entry(id, 0)));
        let entries = count_as_one(entries).await?;
        let with_details: &[u8] = if with_details { b"1" } else { b"0" };
        let mut arguments = vec![position, with_details.to_owned()];
        for (id, entry) in ids.into_iter().zip(&entries) {
            arguments.push(id);
            arguments.extend(match entry {
                // The time of the last append is stored beside the document.
                Some(entry) => [
                    entry.bucket.clone(),
                    entry.latest().to_string().into_bytes(),
                    entry.created.to_string().into_bytes(),
                    entry.pinned.clone(),
                ],
                None => [const { Vec::new() }; 4],
            });
        }
        let mut volumes: Vec<&[u8]> = entries
            .iter()
            .flatten()
            .map(|entry| &*entry.system_volume)
            .collect();
        volumes.sort_unstable();
        volumes.dedup();
        let registered = try_join_all(
            volumes
                .into_iter()
                .map(|id| self.register_system_volume(id)),
        );
        count_as_one(registered).await?;
        let arguments: Vec<&[u8]> = arguments.iter().map(|argument| &**argument).collect();
        self.run_on_index(&script::INDEX_MEMBERS, scope, &arguments)
            .await
    }
}
