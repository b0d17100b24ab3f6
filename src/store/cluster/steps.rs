//! One operation on a cluster: the script in the slot of its session, queries before it and the follow-up after it.

use futures_util::future::{join, join_all};
use redis::{FromRedisValue, ParsingError, Value, cmd};
use tokio::time::timeout;

use super::index::IndexEntry;
use super::multi_slot::MultiSlot;
use crate::domain::request_context::RequestContext;
use crate::store::call::{Call, Envelope};
use crate::store::connection::Idempotence;
use crate::store::connection::timeouts::{RESPONSE_TIMEOUT, deadline_exceeded};
use crate::store::error::{Error, Result};
use crate::store::keys;
use crate::store::rate_limit::fail_open;
use crate::store::reply::{read_cluster_reply, record_rate_limit, unknown_reply};
use crate::store::script;
use crate::util::metrics::count_as_one;

/// The changes and queries in other slots that must follow a script: see `scripts/cluster/index.lua`.
enum FollowUp {
    None,
    /// Put the session into the indexes of its scopes.
    Put {
        entry: IndexEntry,
        system_volume: Vec<u8>,
        scopes: Vec<Vec<u8>>,
    },
    /// Remove the session from the indexes of its scopes.
    Remove {
        id: Vec<u8>,
        scopes: Vec<Vec<u8>>,
    },
    /// Query the sets of the caller's volumes for the session, and run the script again.
    QueryMembership {
        id: Vec<u8>,
    },
}

impl FromRedisValue for FollowUp {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut parts = Vec::<Vec<u8>>::from_redis_value(value)?.into_iter();
        let Some(case) = parts.next() else {
            return Ok(Self::None);
        };
        let mut next = || parts.next().ok_or_else(|| unknown_reply("too short"));
        match &*case {
            b"put" => {
                let (id, micros, bucket) = (next()?, next()?, next()?);
                let (system_volume, details, created) = (next()?, next()?, next()?);
                let entry = IndexEntry {
                    id,
                    micros,
                    bucket,
                    details,
                    created,
                };
                Ok(Self::Put {
                    entry,
                    system_volume,
                    scopes: parts.collect(),
                })
            }
            b"remove" => Ok(Self::Remove {
                id: next()?,
                scopes: parts.collect(),
            }),
            b"query-membership" => Ok(Self::QueryMembership { id: next()? }),
            other => Err(unknown_reply(&String::from_utf8_lossy(other))),
        }
    }
}

impl MultiSlot<'_> {
    /// Runs a call for a caller and returns the result of its script. All steps together take no longer than
    /// [`RESPONSE_TIMEOUT`].
    pub(in crate::store) async fn run_multi_slot(
        self,
        context: &RequestContext,
        call: &Call<'_>,
    ) -> Result<Value> {
        let steps = async {
            self.charge_rate_limit(context).await?;
            let (mut returned, mut follow_up) = self.run_once(context, call, "").await?;
            if let FollowUp::QueryMembership { id } = &follow_up {
                let membership = match self.is_in_own_set(id, context).await? {
                    true => "1",
                    false => "0",
                };
                (returned, follow_up) = self.run_once(context, call, membership).await?;
            }
            self.apply_follow_up(follow_up).await?;
            Ok(returned)
        };
        timeout(RESPONSE_TIMEOUT, steps)
            .await
            .map_err(|_| deadline_exceeded())?
    }

    async fn run_once(
        self,
        context: &RequestContext,
        call: &Call<'_>,
        membership: &'static str,
    ) -> Result<(Value, FollowUp)> {
        let envelope = Envelope::cluster(context, None, membership);
        let (returned, follow_up) = read_cluster_reply(self.runner.run(call, &envelope).await?)?;
        Ok((returned, FollowUp::from_redis_value(follow_up)?))
    }

    /// Charges the rate limit of the request in the slot of its caller, unless an earlier call did. Rate limiting fails
    /// open.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub(in crate::store) async fn charge_rate_limit(self, context: &RequestContext) -> Result<()> {
        let Some(limit) = context.rate_limit.take() else {
            return Ok(());
        };
        let call = Call::new(
            &script::RATE_LIMIT,
            vec![keys::rate(&limit.caller).into_bytes()],
        );
        let envelope = Envelope::cluster(context, Some(limit), "");
        let recorded = self
            .runner
            .run(&call, &envelope)
            .await
            .and_then(read_cluster_reply)
            .and_then(|(charged, _)| record_rate_limit(charged, &context.rate_limit));
        fail_open(recorded)
    }

    /// Returns whether a set of the caller's volumes contains a session whose document names no volume.
    async fn is_in_own_set(self, id: &[u8], context: &RequestContext) -> Result<bool> {
        let volumes = context.caller.volumes().unwrap_or_default();
        let scopes: Vec<String> = volumes.iter().map(keys::scope).collect();
        let queried = join_all(scopes.iter().map(async |scope| {
            let mut command = cmd("SISMEMBER");
            command.arg(self.scheme().members(scope)).arg(id);
            let connection = self.runner.connection();
            match connection.command(&command, Idempotence::Safe).await {
                // A value that is not a set contains no id.
                Err(Error::Unreadable(_)) => Ok(false),
                reply => reply,
            }
        }));
        let found: Result<Vec<bool>> = count_as_one(queried).await.into_iter().collect();
        Ok(found?.contains(&true))
    }

    /// Sends the follow-up of an operation to all slots at once. If a part fails, the operation fails; repeating the
    /// operation or reading a list repairs the index.
    async fn apply_follow_up(self, follow_up: FollowUp) -> Result<()> {
        match follow_up {
            FollowUp::None => Ok(()),
            // The second run of a script has the result of the query.
            FollowUp::QueryMembership { .. } => Err(unknown_reply("query-membership").into()),
            FollowUp::Put {
                entry,
                system_volume,
                scopes,
            } => {
                let put = scopes
                    .iter()
                    .map(|scope| self.index_put(scope, &entry, false));
                let put = join_all(put);
                let registered = self.register_system_volume(&system_volume);
                let (registered, put) = count_as_one(join(registered, put)).await;
                put.into_iter().collect::<Result<()>>().and(registered)
            }
            FollowUp::Remove { id, scopes } => {
                let removed = join_all(scopes.iter().map(|scope| self.index_remove(scope, &id)));
                count_as_one(removed).await.into_iter().collect()
            }
        }
    }
}
