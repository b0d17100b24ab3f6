//! Updating and deleting sessions.

use super::Store;
use super::document::{State, changed_document};
use super::error::Result;
use super::script::{self, Reply, unknown_reply};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId, SessionPatch};
use crate::util::time::now;

/// How often an update starts again because another one came in between. Each time one of them is stored,
/// so this is how many may come at the same moment.
const MAX_UPDATE_ATTEMPTS: usize = 100;

/// What became of an update.
#[derive(Debug)]
pub enum Updated {
    /// The session is stored, and is now this.
    Done(SessionAndVersion),
    /// Nothing changed: the session is no longer one of the expected versions, but this.
    Stale(SessionAndVersion),
    /// Nothing changed: the metadata that would come out is over a limit, which the text names.
    Invalid(&'static str),
    /// Nothing changed: others updated the session all the time.
    Contended,
    /// Nothing changed: the caller may only read the session.
    ReadOnly,
}

/// What became of a deletion.
#[derive(Debug)]
pub enum Deleted {
    /// The session is gone.
    Done,
    /// Nothing changed: the session is no longer one of the expected versions, but this.
    Stale(Box<SessionAndVersion>),
    /// Nothing changed: the caller may only read the session.
    ReadOnly,
}

impl Store {
    /// Changes a session, if it is still one of the `expected` versions (where they are given);
    /// `None` where there is none that the caller may see.
    ///
    /// Two round trips, and one more for each other update that comes in between.
    pub async fn update_session(
        &self,
        context: &RequestContext,
        id: &SessionId,
        change: &SessionPatch,
        expected: Option<&[String]>,
    ) -> Result<Option<Updated>> {
        let Some((mut state, may_write)) = self.read_state(context, id).await? else {
            return Ok(None);
        };
        if !may_write {
            return Ok(Some(Updated::ReadOnly));
        }
        let connection = self.connection()?;
        let keys = connection.names().of_session(id, []);
        for _ in 0..MAX_UPDATE_ATTEMPTS {
            if expected.is_some_and(|versions| !versions.contains(&state.version())) {
                return Ok(Some(Updated::Stale(state.versioned(id)?)));
            }
            if change.is_empty() {
                return Ok(Some(Updated::Done(state.versioned(id)?)));
            }
            let now = now();
            let document = match changed_document(&state.document, change, now)? {
                Ok(document) => document,
                Err(limit) => return Ok(Some(Updated::Invalid(limit))),
            };
            let reply: Option<Reply> = connection
                .script(&script::UPDATE, context, |call, _| {
                    call.arg(keys.len()).arg(&keys);
                    call.arg(id.as_str())
                        .arg(&state.document)
                        .arg(&document)
                        .arg(now.timestamp_micros())
                        .arg(expected.map_or(String::new(), |_| state.message_count.to_string()));
                })
                .await?;
            let Some(mut reply) = reply else {
                return Ok(None);
            };
            let is_updated = match reply.next::<String>()?.as_str() {
                "updated" => true,
                "changed" => false,
                "read-only" => return Ok(Some(Updated::ReadOnly)),
                other => return Err(unknown_reply(other)),
            };
            state = State {
                document: if is_updated { document } else { reply.next()? },
                message_count: reply.next()?,
                activity: reply.next()?,
            };
            if is_updated {
                return Ok(Some(Updated::Done(state.versioned(id)?)));
            }
        }
        Ok(Some(Updated::Contended))
    }

    /// Deletes a session with all that belongs to it, if it is still one of the `expected` versions (where
    /// they are given); `None` where there is none that the caller may see.
    ///
    /// One round trip, or two with `expected`, and one more where another change came in between.
    pub async fn delete_session(
        &self,
        context: &RequestContext,
        id: &SessionId,
        expected: Option<&[String]>,
    ) -> Result<Option<Deleted>> {
        let mut state = None;
        if let Some(versions) = expected {
            let Some((read, may_write)) = self.read_state(context, id).await? else {
                return Ok(None);
            };
            if !may_write {
                return Ok(Some(Deleted::ReadOnly));
            }
            if !versions.contains(&read.version()) {
                return Ok(Some(Deleted::Stale(Box::new(read.versioned(id)?))));
            }
            state = Some(read);
        }
        let connection = self.connection()?;
        let names = connection.names();
        let further = [
            names.replies(id),
            names.reply_expiries(id),
            names.origin(id),
        ];
        let keys = names.of_session(id, further);
        let reply: String = connection
            .script(&script::DELETE, context, |call, repeated| {
                call.arg(keys.len()).arg(&keys);
                call.arg(id.as_str()).arg(u8::from(repeated));
                if let Some(state) = &state {
                    call.arg(&state.document).arg(state.message_count);
                }
            })
            .await?;
        match reply.as_str() {
            "deleted" => Ok(Some(Deleted::Done)),
            "missing" => Ok(None),
            "read-only" => Ok(Some(Deleted::ReadOnly)),
            "changed" => match self.read_state(context, id).await? {
                Some((state, _)) => Ok(Some(Deleted::Stale(Box::new(state.versioned(id)?)))),
                None => Ok(None),
            },
            other => Err(unknown_reply(other)),
        }
    }
}
