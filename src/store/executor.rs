//! Executes the calls of the store: on a single Redis as one script, on a cluster as steps in several slots.

use redis::{FromRedisValue, Value};

use super::call::{Call, Envelope};
use super::cluster::multi_slot::MultiSlot;
use super::connection::Connection;
use super::error::Result;
use super::keys::KeyScheme;
use super::rate_limit::fail_open;
use super::reply::read_reply;
use super::runner::ScriptRunner;
use super::script;
use crate::domain::request_context::RequestContext;

/// Executes calls on behalf of callers. The first call of a request charges the rate limit of its caller.
#[derive(Debug)]
pub(super) struct Executor {
    runner: ScriptRunner,
}

impl Executor {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            runner: ScriptRunner::new(connection),
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        self.runner.connection()
    }

    /// Returns the naming scheme of keys.
    pub(super) fn scheme(&self) -> KeyScheme {
        self.runner.scheme()
    }

    /// Returns the operations on several slots. Only on a cluster.
    pub(super) fn multi_slot(&self) -> MultiSlot<'_> {
        MultiSlot::new(&self.runner)
    }

    /// Executes a call and decodes the result of its script.
    pub(super) async fn execute<T: FromRedisValue>(
        &self,
        context: &RequestContext,
        call: &Call<'_>,
    ) -> Result<T> {
        let returned = self.execute_untyped(context, call).await?;
        Ok(T::from_redis_value(returned)?)
    }

    /// Not generic, so that it is compiled once and not for each result type.
    async fn execute_untyped(&self, context: &RequestContext, call: &Call<'_>) -> Result<Value> {
        match self.scheme() {
            KeyScheme::Single => {
                let envelope = Envelope::single(context, context.rate_limit.take());
                let reply = self.runner.run(call, &envelope).await?;
                read_reply(reply, &context.rate_limit)
            }
            // On the heap: the steps of a cluster would make the future of every request four times as large.
            KeyScheme::Cluster => Box::pin(self.multi_slot().run_multi_slot(context, call)).await,
        }
    }

    /// Charges the rate limit of the request, unless an earlier call did. Rate limiting fails open.
    ///
    /// # Errors
    /// [`Error::RateLimited`](super::error::Error::RateLimited).
    pub(super) async fn check_rate_limit(&self, context: &RequestContext) -> Result<()> {
        match self.scheme() {
            KeyScheme::Single => {
                let call = Call::new(&script::RATE_LIMIT, Vec::new());
                fail_open(self.execute(context, &call).await)
            }
            KeyScheme::Cluster => self.multi_slot().charge_rate_limit(context).await,
        }
    }
}
