//! Lists of sessions.

use super::{NOT_FOUND, SessionService};
use crate::domain::session::{Session, Status};
use crate::service::cursor::{decode_cursor, encode_cursor};
use crate::service::error::Result;
use crate::service::fallback::MaybeSample;
use crate::service::samples;
use crate::service::volume::VolumeSelection;
use crate::store::ListRequest;

/// The largest page of sessions.
pub const MAX_SESSIONS_PER_PAGE: usize = 200;

/// Which page of which sessions to list.
#[derive(Debug)]
pub struct ListSessions {
    /// The volume; `None` for every volume that the caller may read.
    pub volume: Option<VolumeSelection>,
    /// The status.
    pub status: Option<Status>,
    /// The largest number of sessions, 1–[`MAX_SESSIONS_PER_PAGE`].
    pub limit: usize,
    /// The `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// A page of sessions, latest activity first.
#[derive(Debug)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// The cursor of the next page; `None` on the last one.
    pub next_cursor: Option<String>,
    /// The ids of sessions whose documents cannot be parsed.
    pub unreadable: Vec<String>,
}

impl SessionService<'_> {
    /// Lists sessions, latest activity first.
    ///
    /// # Errors
    /// If the caller may not read the volume, or the cursor belongs to another list.
    pub async fn list(&self, list: ListSessions) -> Result<MaybeSample<SessionList>> {
        let caller = &self.context.caller;
        let volume = list.volume.map(|selection| selection.resolve(caller));
        if let Some(volume) = &volume {
            caller.may_read(volume)?;
        }
        let name = volume.as_ref().map(ToString::to_string).unwrap_or_default();
        let name = caller.scoped_key(&format!("sessions/{name}"));
        let request = ListRequest {
            volume,
            status: list.status,
            limit: list.limit,
            cursor: decode_cursor(&name, list.cursor.as_deref())?,
        };
        let page = match self.store.list_sessions(self.context, &request).await {
            Ok(page) => MaybeSample::stored(page),
            Err(error) => {
                let sample = samples::sessions::list_sessions(caller, &request);
                self.samples
                    .sample_or(error.into(), Some(sample), NOT_FOUND)?
            }
        };
        Ok(page.map(|page| SessionList {
            sessions: page.sessions,
            next_cursor: page.next.map(|next| encode_cursor(&name, &next)),
            unreadable: page.unreadable,
        }))
    }
}
