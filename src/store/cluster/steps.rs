//! An operation on a cluster: the script in its own slot, and what has to be asked before it and done after it in
//! others.

use futures_util::future::{join, join_all};
use redis::{Cmd, Value, cmd};
use tokio::time::timeout;

use crate::domain::rate_limit::RateLimit;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::connection::cluster::late;
use crate::store::connection::{Arguments, Connection, RESPONSE_TIMEOUT, Repeat};
use crate::store::error::{Error, Result};
use crate::store::keys::{self, Names, SYSTEM_VOLUMES};
use crate::store::script::{self, Reply, Script};
use crate::store::{Idempotency, REPLY_SECONDS};
use crate::util::metrics::count_as_one;

impl Connection {
    /// Runs a script for a caller as [`Connection::script`] does, and gives what it returns. All steps together
    /// take no longer than one command may.
    pub(in crate::store) async fn run_in_steps(
        &self,
        script: &Script,
        context: &RequestContext,
        add_arguments: &Arguments<'_>,
    ) -> Result<Value> {
        let steps = async {
            if let Some(limit) = context.rate_limit.take() {
                self.count(context, limit).await?;
            }
            let call = async |standing| {
                let complete = |call: &mut Cmd, is_repeated| {
                    add_arguments(call, is_repeated);
                    script::add_caller_on_cluster(call, context, standing);
                };
                script::read_answer_of_step(self.run(script, &complete).await?)
            };
            let (mut returned, mut follow_up) = call("").await?;
            if let [word, id] = &*follow_up
                && word == b"ask-sets"
            {
                let is_own = self.is_in_own_set(id, context).await?;
                (returned, follow_up) = call(if is_own { "1" } else { "0" }).await?;
            }
            self.follow(&follow_up).await?;
            Ok(returned)
        };
        timeout(RESPONSE_TIMEOUT, steps).await.map_err(|_| late())?
    }

    /// The id for a new session: one that was never used, or on a cluster, where an `Idempotency-Key` leads to another
    /// slot than a session, the one that this key creates a session under; `None` where the request under it said
    /// something else.
    pub(in crate::store) async fn new_id(
        &self,
        context: &RequestContext,
        idempotency: Option<&Idempotency>,
    ) -> Result<Option<SessionId>> {
        let id = SessionId::generate();
        let (Names::Tagged, Some(idempotency)) = (self.names(), idempotency) else {
            return Ok(Some(id));
        };
        let add_arguments = |call: &mut Cmd, _| {
            call.arg(1).arg(self.names().create_reply(&idempotency.key));
            call.arg(&idempotency.fingerprint)
                .arg(id.as_str())
                .arg(REPLY_SECONDS);
        };
        let mut reply: Reply = self
            .script(&script::RESERVE, context, add_arguments)
            .await?;
        match reply.next::<String>()?.as_str() {
            "reserved" => match SessionId::parse(&reply.next::<String>()?) {
                Some(reserved) => Ok(Some(reserved)),
                None => Err(Error::Unreadable("the id in a reply is none".to_owned())),
            },
            "mismatch" => Ok(None),
            other => Err(script::unknown_reply(other)),
        }
    }

    /// Counts a request on its caller's limit. Whatever is wrong with counting, the request passes.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub(in crate::store) async fn count(
        &self,
        context: &RequestContext,
        limit: &RateLimit,
    ) -> Result<()> {
        let complete = |call: &mut Cmd, _| {
            call.arg(1).arg(keys::rate(&limit.caller)).arg("");
            script::add_caller(call, context, Some(limit));
        };
        let noted = self
            .run(&script::ADMIT, &complete)
            .await
            .and_then(script::read_answer_of_step)
            .and_then(|(counted, _)| script::record_rate_limit(counted, &context.rate_limit));
        match noted {
            Err(limited @ Error::RateLimited(_)) => Err(limited),
            _ => Ok(()),
        }
    }

    /// Whether a session, whose document does not tell, stands in a set of the caller's volumes.
    async fn is_in_own_set(&self, id: &[u8], context: &RequestContext) -> Result<bool> {
        let scopes: Vec<String> = context
            .caller
            .volumes()
            .unwrap_or_default()
            .iter()
            .map(keys::scope)
            .collect();
        let asked = join_all(scopes.iter().map(async |scope| {
            let mut command = cmd("SISMEMBER");
            command.arg(self.names().members(scope)).arg(id);
            match self.command(&command, Repeat::Safe).await {
                // What is no set holds nothing.
                Err(Error::Unreadable(_)) => Ok(false),
                answer => answer,
            }
        }));
        let answers: Result<Vec<bool>> = count_as_one(asked).await.into_iter().collect();
        Ok(answers?.contains(&true))
    }

    /// The scopes of the system's volumes: where the Python version, and where skills, keep what is the system's,
    /// and those that were noted.
    pub(super) async fn system_scopes(&self) -> Result<Vec<Vec<u8>>> {
        let mut command = cmd("SMEMBERS");
        command.arg(SYSTEM_VOLUMES);
        let noted: Result<Vec<Vec<u8>>> = self.command(&command, Repeat::Safe).await;
        let mut ids = match noted {
            Err(Error::Unreadable(_)) => Vec::new(),
            noted => noted?,
        };
        ids.extend([b"default".to_vec(), b"system".to_vec()]);
        Ok(ids.iter().map(|id| [b"system:", &**id].concat()).collect())
    }

    /// Sends what has to follow an operation, as `cluster/index.lua` has it, to all slots at once. It counts as done
    /// when all of it is; what fails is done again when the operation is repeated, or by who reads a list.
    async fn follow(&self, follow_up: &[Vec<u8>]) -> Result<()> {
        let Some((word, parts)) = follow_up.split_first() else {
            return Ok(());
        };
        match (&**word, parts) {
            (b"enter", [id, micros, bucket, system_volume, scopes @ ..]) => {
                let entered = join_all(scopes.iter().map(|scope| {
                    self.in_index(&script::ENTER, scope, vec![id, micros, bucket, b""])
                }));
                let noted = self.note_system_volume(system_volume);
                let (noted, entered) = count_as_one(join(noted, entered)).await;
                entered.into_iter().collect::<Result<()>>().and(noted)
            }
            (b"forget", [id, scopes @ ..]) => {
                let forgotten = scopes
                    .iter()
                    .map(|scope| self.in_index(&script::FORGET, scope, vec![id]));
                let forgotten = count_as_one(join_all(forgotten)).await;
                forgotten.into_iter().collect()
            }
            _ => Err(script::unknown_reply(&String::from_utf8_lossy(word))),
        }
    }

    /// Runs a script that changes a scope's index.
    pub(super) async fn in_index(
        &self,
        script: &Script,
        scope: &[u8],
        arguments: Vec<&[u8]>,
    ) -> Result<()> {
        let keys = self.names().of_index(scope);
        let complete = |call: &mut Cmd, _| {
            call.arg(keys.len()).arg(&keys).arg(scope).arg(&arguments);
            script::add_nobody(call);
        };
        self.run(script, &complete).await.map(drop)
    }

    pub(super) async fn note_system_volume(&self, id: &[u8]) -> Result<()> {
        if id.is_empty() {
            return Ok(());
        }
        let complete = |call: &mut Cmd, _| {
            call.arg(1).arg(SYSTEM_VOLUMES).arg(id);
            script::add_nobody(call);
        };
        self.run(&script::NOTE, &complete).await.map(drop)
    }
}
