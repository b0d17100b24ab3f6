//! The state of a session that a caller expects: `If-Match` with the session's entity tag.

use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId};
use crate::store::error::Result;
use crate::store::handle::Store;

/// The result of comparing a session with the versions that a caller expects.
pub(super) enum Expected {
    /// What the scripts compare, `last seq:activity`; empty if the caller expects no version.
    State(String),
    /// The session has another version, which is this one.
    Stale(Box<SessionAndVersion>),
}

impl Store {
    /// Reads the session if the caller expects one of `versions`; `None` if it does not exist or the caller may not read
    /// it.
    pub(super) async fn expected_state(
        &self,
        context: &RequestContext,
        id: &SessionId,
        versions: Option<&[String]>,
    ) -> Result<Option<Expected>> {
        let Some(versions) = versions else {
            return Ok(Some(Expected::State(String::new())));
        };
        let Some((stored, _)) = self.read_stored(context, id).await? else {
            return Ok(None);
        };
        Ok(Some(if versions.contains(&stored.version()) {
            Expected::State(stored.state())
        } else {
            Expected::Stale(Box::new(stored.versioned(id)?))
        }))
    }

    /// Returns the present version of a session that a script found in another state than expected.
    pub(super) async fn stale_session(
        &self,
        context: &RequestContext,
        id: &SessionId,
    ) -> Result<Option<Box<SessionAndVersion>>> {
        let stored = self.read_stored(context, id).await?;
        stored
            .map(|(stored, _)| stored.versioned(id).map(Box::new))
            .transpose()
    }
}
