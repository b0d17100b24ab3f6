//! The type of the operations on several slots, and its two kinds of steps.

use redis::FromRedisValue;

use crate::store::call::{Call, Envelope};
use crate::store::error::Result;
use crate::store::keys::KeyScheme;
use crate::store::reply::read_cluster_reply;
use crate::store::runner::ScriptRunner;
use crate::store::script::Script;

/// Runs operations on several slots.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct MultiSlot<'a> {
    pub(super) runner: &'a ScriptRunner,
}

impl<'a> MultiSlot<'a> {
    pub(in crate::store) fn new(runner: &'a ScriptRunner) -> Self {
        Self { runner }
    }

    /// Returns the naming scheme of keys.
    pub(super) fn scheme(self) -> KeyScheme {
        self.runner.scheme()
    }

    /// Runs a script that does not depend on the caller, and decodes its result.
    pub(super) async fn query<T: FromRedisValue>(self, call: &Call<'_>) -> Result<T> {
        let reply = self.runner.run(call, &Envelope::internal()).await?;
        let (returned, _) = read_cluster_reply(reply)?;
        Ok(T::from_redis_value(returned)?)
    }

    /// Runs a script that changes the index of a scope.
    pub(super) async fn run_on_index(
        self,
        script: &'static Script,
        scope: &[u8],
        arguments: &[&[u8]],
    ) -> Result<()> {
        let call = Call::new(script, self.scheme().index_keys(scope))
            .arg(scope)
            .args(arguments.iter().copied());
        let reply = self.runner.run(&call, &Envelope::internal()).await;
        reply.map(drop)
    }
}
