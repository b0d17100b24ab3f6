//! Stops turns, and tells how far they are.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ChatService;
use super::salvage::{end_dead_turn, end_turn};
use crate::domain::chat::turn::{Turn, TurnId};
use crate::domain::session::SessionId;
use crate::service::error::{Error, Resource, Result};
use crate::store::TurnState;

/// The time that a producer has to stop.
const STOP_LIMIT: Duration = Duration::from_secs(6);
/// The pause between two looks at the turn.
const PAUSE: Duration = Duration::from_millis(100);

/// The result of stopping.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// The turn; the one that the request named, if the session has another one.
    pub turn_id: Option<TurnId>,
    /// Its status; `unknown` if it is not the turn of the session.
    pub status: &'static str,
}

impl ChatService<'_> {
    /// Stops a turn, the current one without `turn`, and waits until it has ended.
    ///
    /// # Errors
    /// If the session is missing or the caller may not change it.
    pub async fn stop(&self, session: &SessionId, turn: Option<&TurnId>) -> Result<Stopped> {
        let store = &self.deps.store;
        let state = store.stop_turn(self.context, session, turn).await?;
        let stopped = match checked(state)? {
            Some(current) if turn.is_none_or(|turn| *turn == current.id) => current,
            _ => {
                return Ok(Stopped {
                    turn_id: turn.cloned(),
                    status: "unknown",
                });
            }
        };
        if let Some(live) = self.deps.turns.get(&stopped.id) {
            live.stop.notify_one();
        }
        self.wait_for_end(session, stopped).await
    }

    async fn wait_for_end(&self, session: &SessionId, mut turn: Turn) -> Result<Stopped> {
        let store = &self.deps.store;
        let started = Instant::now();
        let id = turn.id.clone();
        while turn.status.is_active() {
            let is_over = started.elapsed() >= STOP_LIMIT;
            let silence = turn.now - turn.beat;
            let limit = i64::try_from(STOP_LIMIT.as_millis()).unwrap_or(i64::MAX);
            if is_over && silence < limit {
                break;
            }
            if is_over || silence >= limit {
                end_turn(store, session, &turn, true).await?;
            } else {
                sleep(PAUSE).await;
            }
            match self.find_turn(session, &id).await? {
                Some(current) => turn = current,
                None => break,
            }
        }
        Ok(Stopped {
            turn_id: Some(id),
            status: turn.status.as_str(),
        })
    }

    /// Returns the current or last turn of a session. A turn that has lost its producer is ended first.
    ///
    /// # Errors
    /// If the session is missing or the caller may not read it.
    pub async fn turn(&self, session: &SessionId) -> Result<Option<Turn>> {
        let store = &self.deps.store;
        let found = checked(store.find_turn(self.context, session).await?)?;
        match found {
            Some(turn) if end_dead_turn(store, session, &turn).await? => {
                checked(store.find_turn(self.context, session).await?)
            }
            found => Ok(found),
        }
    }
}

fn checked(state: Option<TurnState>) -> Result<Option<Turn>> {
    match state {
        None => Err(Error::NotFound(Resource::Session)),
        Some(TurnState::ReadOnly) => Err(Error::ReadOnly),
        Some(TurnState::None) => Ok(None),
        Some(TurnState::Turn(turn)) => Ok(Some(*turn)),
    }
}
