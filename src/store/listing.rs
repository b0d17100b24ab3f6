//! Lists sessions, one page at a time: reads parts of an index and keeps the sessions that match the filter.

use futures_util::future::try_join_all;

use super::call::Call;
use super::document::micros_of;
use super::error::Result;
use super::handle::Store;
use super::keys::KeyScheme;
use super::page::{Cursor, ListRequest, Part, PartRequest, SessionPage, Source};
use super::parts::read_part;
use super::script;
use crate::domain::message::MAX_PAGE_BYTES;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{Session, SessionId};
use crate::domain::session_filter::{SortKey, SortOrder};
use crate::util::metrics::count_as_one;

/// Maximum number of sessions that a list reads for one page, if the index does not contain what its filter compares.
const MAX_READ: usize = 2000;
/// Minimum number of sessions that such a list reads at first.
const MIN_READ: usize = 200;

impl Store {
    /// Lists sessions in the order of the request.
    ///
    /// Takes one round trip, or two with plain commands (`direct_list.rs`), and one more for every 500 sessions or 1 MB that the Python version wrote since the last
    /// list. If the index does not contain what the filter compares, it takes up to two round trips and reads up to
    /// `MAX_READ` sessions, and the page may be short. On a cluster see `cluster/list.rs`.
    pub async fn list_sessions(
        &self,
        context: &RequestContext,
        request: &ListRequest,
    ) -> Result<SessionPage> {
        if request.filter.pinned == Some(true)
            && let Some(page) = self.list_pinned(context, request).await?
        {
            return Ok(page);
        }
        let size = match request.filter.is_by_state() {
            true => request.limit,
            false => request.limit.max(MIN_READ),
        };
        let mut page = SessionPage::default();
        let mut bytes = 0;
        let mut cursor = request.cursor.clone();
        let first = self.read(context, request, size, cursor.as_ref(), request.with_total);
        let first = first.await?;
        page.total = request.with_total.then_some(first.total);
        let read = first.entries.len();
        self.fill(context, request, &mut page, &mut bytes, cursor, first)
            .await?;
        cursor = page.next.clone();
        if page.len() < request.limit && !request.is_indexed() && cursor.is_some() {
            let size = size_of_second(request.limit, page.len(), read);
            let second = self.read(context, request, size, cursor.as_ref(), false);
            let second = second.await?;
            self.fill(context, request, &mut page, &mut bytes, cursor, second)
                .await?;
        }
        Ok(page)
    }

    async fn read(
        &self,
        context: &RequestContext,
        request: &ListRequest,
        size: usize,
        cursor: Option<&Cursor>,
        with_total: bool,
    ) -> Result<Part> {
        let source = match request.sort {
            SortKey::Updated => Source::Recent,
            SortKey::Created => Source::Created,
        };
        let part = PartRequest {
            list: request,
            source,
            size,
            cursor,
            with_total,
        };
        let part = read_part(self.executor()?, context, &part, self.small_lists()).await?;
        // Only pinned sessions can be too many.
        Ok(part.unwrap_or_default())
    }

    /// Lists pinned sessions from their set; `None` if they are too many.
    async fn list_pinned(
        &self,
        context: &RequestContext,
        request: &ListRequest,
    ) -> Result<Option<SessionPage>> {
        let part = PartRequest {
            list: request,
            source: Source::Pinned,
            size: MAX_READ,
            cursor: None,
            with_total: false,
        };
        let Some(part) = read_part(self.executor()?, context, &part, self.small_lists()).await?
        else {
            return Ok(None);
        };
        let mut page = SessionPage::default();
        for entry in part.entries {
            page.add(context, request, entry);
        }
        let position = |session: &Session| Cursor {
            micros: micros_of(match request.sort {
                SortKey::Updated => &session.updated_at,
                SortKey::Created => &session.created_at,
            }),
            id: session.id.as_str().into(),
        };
        let is_after = |left: &Cursor, right: &Cursor| {
            let (left, right) = ((left.micros, &left.id), (right.micros, &right.id));
            match request.order {
                SortOrder::Desc => left < right,
                SortOrder::Asc => left > right,
            }
        };
        page.sessions
            .sort_by_cached_key(|session| (position(session).micros, position(session).id));
        if request.order == SortOrder::Desc {
            page.sessions.reverse();
        }
        if let Some(cursor) = &request.cursor {
            page.sessions
                .retain(|session| is_after(&position(session), cursor));
        }
        if page.sessions.len() > request.limit {
            page.sessions.truncate(request.limit);
            page.next = page.sessions.last().map(position);
        }
        Ok(Some(page))
    }

    /// Adds the sessions of a part to a page until it is full, and corrects the index of sessions that are in the wrong
    /// bucket.
    async fn fill(
        &self,
        context: &RequestContext,
        request: &ListRequest,
        page: &mut SessionPage,
        bytes: &mut usize,
        start: Option<Cursor>,
        part: Part,
    ) -> Result<()> {
        let (mut misplaced, mut last) = (Vec::new(), start);
        page.next = part.next;
        for entry in part.entries {
            let size = entry.document.len();
            if page.len() == request.limit || page.len() > 0 && *bytes + size > MAX_PAGE_BYTES {
                page.next = last;
                break;
            }
            let (position, before) = (entry.position(), page.len());
            if !page.add(context, request, entry) {
                misplaced.push(position.id.clone());
            }
            if page.len() > before {
                *bytes += size;
            }
            last = Some(position);
        }
        self.reindex(context, &misplaced).await
    }

    /// Moves sessions to their places in the index: another program changed their status. On a cluster lists repair the
    /// index themselves.
    async fn reindex(&self, context: &RequestContext, ids: &[Vec<u8>]) -> Result<()> {
        let executor = self.executor()?;
        if executor.scheme() == KeyScheme::Cluster {
            return Ok(());
        }
        let calls: Vec<Call<'_>> = ids
            .iter()
            .filter_map(|id| SessionId::parse(std::str::from_utf8(id).ok()?))
            .map(|id| {
                let keys = executor.scheme().session_keys(&id, []);
                Call::new(&script::REINDEX, keys).owned(id.to_string())
            })
            .collect();
        let calls = calls
            .iter()
            .map(|call| executor.execute::<bool>(context, call));
        count_as_one(try_join_all(calls)).await.map(drop)
    }
}

/// Returns the number of sessions to read after the first `read` ones, of which `found` match: twice as many as this
/// share requires for a full page.
fn size_of_second(limit: usize, found: usize, read: usize) -> usize {
    let rest = MAX_READ.saturating_sub(read).max(1);
    match (limit - found) * 2 * read / found.max(1) {
        _ if found == 0 => rest,
        expected => expected.max(limit).min(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_part_follows_the_share_of_matching_sessions() {
        for (limit, found, read, expected) in [
            (50, 0, 200, 1800),
            (50, 1, 200, 1800),
            (50, 49, 50, 50),
            (50, 25, 200, 400),
            (200, 100, 200, 400),
            (500, 499, 500, 500),
            (1, 0, 2000, 1),
        ] {
            let size = size_of_second(limit, found, read);
            assert_eq!(size, expected, "{limit} {found} {read}");
        }
    }
}
