//! Lists of sessions.

use super::{NOT_FOUND, SessionService};
use crate::domain::caller::Caller;
use crate::domain::session::Session;
use crate::domain::session_filter::{SessionFilter, SortKey, SortOrder};
use crate::service::cursor::{decode_cursor, encode_cursor};
use crate::service::error::Result;
use crate::service::fallback::MaybeSample;
use crate::service::samples;
use crate::service::volume::VolumeSelection;
use crate::store::{ListRequest, SessionPage};
use crate::util::json;

/// The largest page of sessions.
pub const MAX_SESSIONS_PER_PAGE: usize = 200;

/// Which sessions to list, and in which order.
#[derive(Debug)]
pub struct ListedSessions {
    /// The volume; `None` for every volume that the caller may read.
    pub volume: Option<VolumeSelection>,
    /// The filter.
    pub filter: SessionFilter,
    /// The time that orders the list.
    pub sort: SortKey,
    /// The direction of the list.
    pub order: SortOrder,
}

/// Which page of which sessions to list.
#[derive(Debug)]
pub struct ListSessions {
    /// The list.
    pub list: ListedSessions,
    /// The largest number of sessions.
    pub limit: usize,
    /// The `next_cursor` of the previous page.
    pub cursor: Option<String>,
    /// Whether to count all sessions of the list, for filters by status and archived sessions only.
    pub with_total: bool,
}

/// A page of sessions.
#[derive(Debug)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// The cursor of the next page; `None` on the last one.
    pub next_cursor: Option<String>,
    /// The ids of sessions whose documents cannot be parsed.
    pub unreadable: Vec<String>,
    /// The number of sessions of the list, if it was requested.
    pub total: Option<u64>,
}

/// Returns the name of a list, which its cursors belong to.
fn name_of(caller: &Caller, request: &ListRequest) -> String {
    let mut name = request
        .volume
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let parts = (request.filter.canonical(), request.sort, request.order);
    if parts != Default::default() {
        name = format!("{name}/{}", json::text(&parts));
    }
    caller.scoped_key(&format!("sessions/{name}"))
}

impl SessionService<'_> {
    /// Lists sessions.
    ///
    /// # Errors
    /// If the caller may not read the volume, or the cursor belongs to another list.
    pub async fn list(&self, list: ListSessions) -> Result<MaybeSample<SessionList>> {
        let (name, request) = self.list_request(list)?;
        let page = match self.store.list_sessions(self.context, &request).await {
            Ok(page) => MaybeSample::stored(page),
            Err(error) => {
                let sample = samples::sessions::list_sessions(&self.context.caller, &request);
                self.samples
                    .sample_or(error.into(), Some(sample), NOT_FOUND)?
            }
        };
        Ok(page.map(|page| SessionList::new(&name, page)))
    }

    /// Lists stored sessions, never samples.
    pub(super) async fn list_stored(&self, list: ListSessions) -> Result<SessionList> {
        let (name, request) = self.list_request(list)?;
        let page = self.store.list_sessions(self.context, &request).await?;
        Ok(SessionList::new(&name, page))
    }

    /// Returns the name of a list and the request for its page.
    fn list_request(&self, list: ListSessions) -> Result<(String, ListRequest)> {
        let caller = &self.context.caller;
        let ListedSessions {
            volume,
            filter,
            sort,
            order,
        } = list.list;
        let volume = volume.map(|selection| selection.resolve(caller));
        if let Some(volume) = &volume {
            caller.may_read(volume)?;
        }
        let mut request = ListRequest {
            filter,
            sort,
            order,
            with_total: list.with_total,
            ..ListRequest::latest(volume, list.limit)
        };
        let name = name_of(caller, &request);
        request.cursor = decode_cursor(&name, list.cursor.as_deref())?;
        Ok((name, request))
    }
}

impl SessionList {
    fn new(name: &str, page: SessionPage) -> Self {
        Self {
            sessions: page.sessions,
            next_cursor: page.next.map(|next| encode_cursor(name, &next)),
            unreadable: page.unreadable,
            total: page.total,
        }
    }
}
