//! Reads the next sessions of one scope from its index, and indexes sessions that the Python version wrote.

use futures_util::future::try_join_all;
use redis::{FromRedisValue, ParsingError, Value};

use super::entry::Candidate;
use super::multi_slot::MultiSlot;
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::page::ListRequest;
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;
use crate::util::metrics::count_as_one;

/// Reply of `scripts/cluster/candidates.lua`.
enum CandidatesReply {
    /// Id, microseconds and bucket of each session.
    Candidates(Vec<(Vec<u8>, i64, Vec<u8>)>),
    Unindexed {
        position: Vec<u8>,
        ids: Vec<Vec<u8>>,
    },
}

impl FromRedisValue for CandidatesReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "candidates" => Ok(Self::Candidates(reply.next()?)),
            "unindexed" => Ok(Self::Unindexed {
                position: reply.next()?,
                ids: reply.next()?,
            }),
            other => Err(unknown_reply(other)),
        }
    }
}

impl MultiSlot<'_> {
    /// Returns the next sessions of a scope, one more than the limit; `None` if members of its set were indexed
    /// instead.
    pub(super) async fn candidates<'a>(
        self,
        request: &ListRequest,
        scope: &'a [u8],
    ) -> Result<Option<Vec<Candidate<'a>>>> {
        let call = Call::new(&script::LIST, self.scheme().index_keys(scope));
        let call = request.add_to(call, false).arg(scope);
        match self.query(&call).await? {
            CandidatesReply::Candidates(found) => {
                let found = found.into_iter().map(|(id, micros, bucket)| Candidate {
                    scope,
                    id,
                    micros,
                    bucket,
                });
                Ok(Some(found.collect()))
            }
            CandidatesReply::Unindexed { position, ids } => {
                self.index_members(scope, position, ids).await?;
                Ok(None)
            }
        }
    }

    /// Indexes members of a scope's set. Indexing continues at `position`.
    async fn index_members(self, scope: &[u8], position: Vec<u8>, ids: Vec<Vec<u8>>) -> Result<()> {
        let entries = try_join_all(ids.iter().map(|id| self.entry(id, 0)));
        let entries = count_as_one(entries).await?;
        let mut arguments = vec![position];
        for (id, entry) in ids.into_iter().zip(&entries) {
            let (bucket, micros) = match entry {
                // The time of the last append is stored beside the document.
                Some(entry) if entry.activity > 0 => (entry.bucket.clone(), entry.activity),
                Some(entry) => (entry.bucket.clone(), entry.updated),
                None => (Vec::new(), 0),
            };
            arguments.extend([id, bucket, micros.to_string().into_bytes()]);
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
