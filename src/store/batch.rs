//! Changes many sessions: reads and changes several at once.

use futures_util::future::join_all;

use super::delete::Deleted;
use super::document::{ExceededLimit, StoredSession, would_change};
use super::error::{Error, Result};
use super::handle::Store;
use super::update::Updated;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionId, SessionPatch};
use crate::util::metrics::count_as_one;

/// Number of sessions that are read or changed at once. Redis runs other requests in between.
const AT_ONCE: usize = 100;

/// A change of many sessions.
#[derive(Debug)]
pub enum BatchChange {
    /// The sessions are updated.
    Update(SessionPatch),
    /// The sessions are deleted.
    Delete,
}

/// Result of a change for one session.
#[derive(Debug)]
pub enum Outcome {
    /// The change is stored.
    Changed,
    /// The session had the requested state before.
    Unchanged,
    /// The session does not exist, or the caller may not read it.
    Missing,
    /// The caller may only read the session.
    ReadOnly,
    /// A field would exceed a limit. The field, and the text that names the limit.
    Invalid(ExceededLimit),
    /// Other updates were stored during every attempt.
    Contended,
    /// The stored session is malformed.
    Unreadable(String),
}

/// A session that a change has to be stored for, or the result without it.
enum Planned {
    Change(StoredSession),
    Settled(Outcome),
}

impl Store {
    /// Changes sessions and returns the result for each, in order. With `is_dry_run`, nothing is stored, and the result is
    /// the expected one.
    ///
    /// Takes two round trips for every `AT_ONCE` sessions; one for a deletion without `is_dry_run`. On a cluster each
    /// of them consists of the steps of a single change.
    ///
    /// # Errors
    /// If Redis fails. A part of the changes may be stored then; the call can be repeated.
    pub async fn change_sessions(
        &self,
        context: &RequestContext,
        ids: &[SessionId],
        change: &BatchChange,
        is_dry_run: bool,
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            let changed = match change {
                BatchChange::Delete if !is_dry_run => {
                    let deleted = ids.iter().map(|id| self.delete_one(context, id));
                    count_as_one(join_all(deleted)).await
                }
                change => self.update_all(context, ids, change, is_dry_run).await,
            };
            for outcome in changed {
                outcomes.push(unless_unreadable(outcome)?);
            }
        }
        Ok(outcomes)
    }

    async fn update_all(
        &self,
        context: &RequestContext,
        ids: &[SessionId],
        change: &BatchChange,
        is_dry_run: bool,
    ) -> Vec<Result<Outcome>> {
        let planned = ids.iter().map(|id| self.plan(context, id, change));
        let planned = count_as_one(join_all(planned)).await;
        let changes = ids
            .iter()
            .zip(planned)
            .map(async |(id, planned)| match (planned?, change) {
                (Planned::Settled(outcome), _) => Ok(outcome),
                (Planned::Change(stored), BatchChange::Update(patch)) if !is_dry_run => {
                    let updated = self.update_stored(context, id, stored, patch, None, false);
                    Ok(updated.await?.map_or(Outcome::Missing, Outcome::from))
                }
                (Planned::Change(_), _) => Ok(Outcome::Changed),
            });
        count_as_one(join_all(changes)).await
    }

    /// Reads a session and decides on its change.
    async fn plan(
        &self,
        context: &RequestContext,
        id: &SessionId,
        change: &BatchChange,
    ) -> Result<Planned> {
        let Some((stored, can_write)) = self.read_stored(context, id).await? else {
            return Ok(Planned::Settled(Outcome::Missing));
        };
        if !can_write {
            return Ok(Planned::Settled(Outcome::ReadOnly));
        }
        let BatchChange::Update(patch) = change else {
            return Ok(Planned::Change(stored));
        };
        Ok(match would_change(&stored.document, patch)? {
            Ok(true) => Planned::Change(stored),
            Ok(false) => Planned::Settled(Outcome::Unchanged),
            Err(limit) => Planned::Settled(Outcome::Invalid(limit)),
        })
    }

    async fn delete_one(&self, context: &RequestContext, id: &SessionId) -> Result<Outcome> {
        Ok(match self.delete_session(context, id, None).await? {
            None => Outcome::Missing,
            Some(Deleted::ReadOnly) => Outcome::ReadOnly,
            Some(Deleted::Done | Deleted::Stale(_)) => Outcome::Changed,
        })
    }
}

impl From<Updated> for Outcome {
    fn from(updated: Updated) -> Self {
        match updated {
            Updated::Done(_) => Self::Changed,
            Updated::Applied(_) => Self::Unchanged,
            Updated::Invalid(limit) => Self::Invalid(limit),
            Updated::ReadOnly => Self::ReadOnly,
            Updated::Stale(_) | Updated::Contended => Self::Contended,
        }
    }
}

/// Turns the error of one malformed session into its result. Other errors concern all sessions.
fn unless_unreadable(outcome: Result<Outcome>) -> Result<Outcome> {
    match outcome {
        Err(Error::Unreadable(cause)) => Ok(Outcome::Unreadable(cause)),
        outcome => outcome,
    }
}
