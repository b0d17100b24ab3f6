//! What a list shows of sessions, each read from its own slot.

use futures_util::future::try_join_all;
use redis::{Cmd, FromRedisValue};

use crate::store::cluster::list::Candidate;
use crate::store::connection::Connection;
use crate::store::error::Result;
use crate::store::script::{self, Reply};
use crate::util::metrics::count_as_one;

/// A session as its own slot has it.
pub(super) struct Entry {
    pub(super) document: Option<Vec<u8>>,
    pub(super) size: usize,
    pub(super) message_count: Option<u64>,
    pub(super) activity: i64,
    pub(super) updated: i64,
    pub(super) bucket: Vec<u8>,
    pub(super) system_volume: Vec<u8>,
}

impl Connection {
    pub(super) async fn entries(
        &self,
        of: &[Candidate<'_>],
        max_bytes: usize,
    ) -> Result<Vec<Option<Entry>>> {
        let read = try_join_all(of.iter().map(|it| self.entry(&it.id, max_bytes)));
        count_as_one(read).await
    }

    pub(super) async fn entry(&self, id: &[u8], max_bytes: usize) -> Result<Option<Entry>> {
        let keys = self.names().of_entry(id);
        let reply: Option<Reply> = self
            .ask(&script::ENTRY, |call| {
                call.arg(keys.len()).arg(&keys).arg(id).arg(max_bytes);
            })
            .await?;
        let Some(mut reply) = reply else {
            return Ok(None);
        };
        Ok(Some(Entry {
            document: reply.next()?,
            size: reply.next()?,
            message_count: reply.next()?,
            activity: reply.next()?,
            updated: reply.next()?,
            bucket: reply.next()?,
            system_volume: reply.next()?,
        }))
    }

    /// Reads those documents that were too large before.
    pub(super) async fn read_large_documents(
        &self,
        of: &[Candidate<'_>],
        entries: &mut [Option<Entry>],
    ) -> Result<()> {
        let is_large =
            |entry: &Option<Entry>| entry.as_ref().is_some_and(|it| it.document.is_none());
        let large: Vec<usize> = (0..entries.len())
            .filter(|it| is_large(&entries[*it]))
            .collect();
        let read = large
            .iter()
            .map(|index| self.entry(&of[*index].id, usize::MAX / 2));
        for (index, entry) in large.iter().zip(count_as_one(try_join_all(read)).await?) {
            entries[*index] = entry;
        }
        Ok(())
    }

    /// Runs a script that only reads, for nobody in particular.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        script: &script::Script,
        add_arguments: impl Fn(&mut Cmd) + Sync,
    ) -> Result<T> {
        let complete = |call: &mut Cmd, _| {
            add_arguments(call);
            script::add_nobody(call);
        };
        let answer = self.run(script, &complete).await?;
        let (returned, _) = script::read_answer_of_step(answer)?;
        Ok(T::from_redis_value(returned)?)
    }
}
