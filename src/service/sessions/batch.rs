//! Changes of many sessions.

use super::{ListSessions, ListedSessions, NOT_FOUND, SessionService};
use crate::domain::session::SessionId;
use crate::service::error::{Conflict, Error, Resource, Result};
use crate::store::{BatchChange, Outcome};

/// The largest number of sessions that one request changes.
pub const MAX_SESSIONS_PER_BATCH: usize = 500;

/// The sessions to change.
#[derive(Debug)]
pub enum BatchTarget {
    /// Sessions with these ids, at most [`MAX_SESSIONS_PER_BATCH`].
    Ids(Vec<String>),
    /// The next sessions of a list, at most as many.
    List {
        /// The list.
        list: ListedSessions,
        /// The `next_cursor` of the previous request.
        cursor: Option<String>,
    },
}

/// Result of a change of many sessions.
#[derive(Debug, Default)]
pub struct BatchResult {
    /// The number of sessions that exist and that the caller may read.
    pub matched: usize,
    /// The number of sessions that the request changed.
    pub changed: usize,
    /// The ids of sessions that could not be changed, with the reason.
    pub failed: Vec<(String, Error)>,
    /// The cursor of the next sessions of the list.
    pub next_cursor: Option<String>,
}

impl SessionService<'_> {
    /// Changes sessions. With `is_dry_run`, only counts those that would change. A repeated request changes nothing.
    ///
    /// # Errors
    /// If the caller may not write at all, may not read the volume, or the cursor belongs to another list. Sessions that
    /// cannot be changed are listed in the result.
    pub async fn change_many(
        &self,
        target: BatchTarget,
        change: &BatchChange,
        is_dry_run: bool,
    ) -> Result<BatchResult> {
        if !self.context.caller.can_write() {
            return Err(Error::ReadOnly);
        }
        let mut result = BatchResult::default();
        let ids = match target {
            BatchTarget::Ids(ids) => {
                // The changes run at once, so a rejected one would not stop the others.
                self.store.check_rate_limit(self.context).await?;
                result.known_ids(ids)
            }
            BatchTarget::List { list, cursor } => {
                let page = ListSessions {
                    list,
                    limit: MAX_SESSIONS_PER_BATCH,
                    cursor,
                    with_total: false,
                };
                let page = self.list_stored(page).await?;
                result.next_cursor = page.next_cursor;
                let unreadable = page.unreadable.into_iter();
                result
                    .failed
                    .extend(unreadable.map(|id| (id, Error::Unreadable(String::new()))));
                page.sessions
                    .into_iter()
                    .map(|session| session.id)
                    .collect()
            }
        };
        let changed = self
            .store
            .change_sessions(self.context, &ids, change, is_dry_run);
        for (id, outcome) in ids.iter().zip(changed.await?) {
            result.add(id, outcome);
        }
        Ok(result)
    }
}

impl BatchResult {
    /// Returns the different ids. Adds the invalid ones to the failures: no session can have them.
    fn known_ids(&mut self, texts: Vec<String>) -> Vec<SessionId> {
        let mut ids: Vec<SessionId> = Vec::new();
        for text in texts {
            match SessionId::parse(&text) {
                Some(id) if ids.contains(&id) => {}
                Some(id) => ids.push(id),
                None if self.failed.iter().any(|(failed, _)| *failed == text) => {}
                None => self.failed.push((text, NOT_FOUND)),
            }
        }
        ids
    }

    /// Counts the result of one session.
    fn add(&mut self, id: &SessionId, outcome: Outcome) {
        let error = match outcome {
            Outcome::Missing => {
                self.failed.push((id.to_string(), NOT_FOUND));
                return;
            }
            Outcome::Changed => {
                self.changed += 1;
                None
            }
            Outcome::Unchanged => None,
            Outcome::ReadOnly => Some(Error::ReadOnly),
            Outcome::Invalid((field, limit)) => Some(Error::field(field, limit)),
            Outcome::Contended => Some(Error::Conflict(Conflict::Contended {
                resource: Resource::Session,
                id: id.to_string(),
            })),
            Outcome::Unreadable(cause) => Some(Error::Unreadable(cause)),
        };
        self.matched += 1;
        self.failed
            .extend(error.map(|error| (id.to_string(), error)));
    }
}
