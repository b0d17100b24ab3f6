//! The whole history of a client: compared with the stored one by ids, never taken for the truth.

use super::append::{check_ids, rejection};
use super::{NOT_FOUND, SessionService};
use crate::domain::message::{
    Members, Message, MessageId, NewMessage, has_same_content, is_same_time, touch,
};
use crate::domain::session::SessionId;
use crate::service::error::{Conflict, Current, Error, Resource, Result};
use crate::store::{Append, Appended, MessagesById, Rejected, Replacement};
use crate::util::time::now;

/// The maximum number of messages of a history.
pub const MAX_HISTORY: usize = 200;
/// The maximum number of attempts. Each failed attempt means that another change was stored.
const MAX_ATTEMPTS: usize = 100;

/// What became part of the stored history: ids of messages.
#[derive(Debug, Default, serde::Serialize, utoipa::ToSchema)]
pub struct MergedHistory {
    /// Messages that were not stored yet; they are now.
    pub appended: Vec<String>,
    /// Messages that were changed.
    pub replaced: Vec<String>,
    /// Messages that are stored as they are in the history.
    pub unchanged: Vec<String>,
    /// Messages that differ from the stored ones, which stay: the history does not name their `updated_at`.
    pub conflicts: Vec<String>,
    /// Messages that were deleted; they stay so.
    pub deleted: Vec<String>,
    /// The number of messages of the active branch, without deleted ones.
    pub message_count: u64,
    /// The `seq` of the last message of the session.
    pub last_seq: u64,
}

fn path_of(index: usize, member: &str) -> String {
    format!("messages[{index}].{member}")
}

/// What a history changes.
#[derive(Default)]
struct Plan {
    result: MergedHistory,
    new: Vec<NewMessage>,
    replacements: Vec<Replacement>,
}

impl SessionService<'_> {
    /// Merges the history of a client: new messages are appended in order, messages that are missing in it stay, and
    /// changed ones are replaced where the client has seen the stored ones. With `expected`, the session must have one of
    /// these versions, and the client has seen everything.
    ///
    /// # Errors
    /// If the session is missing, the caller may not change it, or it has another version; or if a member is not
    /// acceptable.
    pub async fn merge_history(
        &self,
        id: &SessionId,
        history: &[NewMessage],
        expected: Option<&[String]>,
    ) -> Result<MergedHistory> {
        for (index, message) in history.iter().enumerate() {
            if message.id.is_none() {
                return Err(Error::field(path_of(index, "id"), "must be given"));
            }
            let checked = message.check_shape();
            checked.map_err(|(member, rule)| Error::field(path_of(index, member), rule))?;
        }
        check_ids(history, path_of)?;
        for _ in 0..MAX_ATTEMPTS {
            let ids: Vec<&MessageId> = history.iter().filter_map(|new| new.id.as_ref()).collect();
            let found = self
                .store
                .find_messages_by_id(self.context, id, &ids)
                .await?;
            let found = found.ok_or(NOT_FOUND)?;
            if !found.can_write {
                return Err(Error::ReadOnly);
            }
            if expected.is_some_and(|known| !known.contains(&found.current.version)) {
                return Err(Error::stale(Current::Session(Box::new(found.current))));
            }
            let plan = plan(history, &found, expected.is_some())?;
            let state = expected.map(|_| found.state.as_str());
            if let Some(merged) = self.carry_out(id, plan, &found, state).await? {
                return Ok(merged);
            }
        }
        Err(Error::Conflict(Conflict::Contended {
            resource: Resource::Session,
            id: id.to_string(),
        }))
    }

    /// Stores what a plan changes, if the session is in this state (where given); `None` if the messages or the state
    /// changed since they were read.
    async fn carry_out(
        &self,
        id: &SessionId,
        plan: Plan,
        found: &MessagesById,
        state: Option<&str>,
    ) -> Result<Option<MergedHistory>> {
        let mut merged = plan.result;
        (merged.message_count, merged.last_seq) = (
            found.current.session.message_count,
            found.current.session.last_seq,
        );
        if plan.new.is_empty() && plan.replacements.is_empty() {
            return Ok(Some(merged));
        }
        let append = Append {
            messages: &plan.new,
            replacements: &plan.replacements,
            state,
            ..Append::default()
        };
        let appended = self.store.append_messages(self.context, id, append).await?;
        match appended.ok_or(NOT_FOUND)? {
            Appended::Done(stored) | Appended::Replayed(stored) => {
                (merged.message_count, merged.last_seq) = (stored.message_count, stored.last_seq);
                Ok(Some(merged))
            }
            Appended::Rejected(rejected) => match *rejected {
                Rejected::Changed(_)
                | Rejected::Exists(_)
                | Rejected::Deleted(_)
                | Rejected::Stale(_) => Ok(None),
                other => Err(rejection(other, id, path_of)),
            },
        }
    }
}

/// Compares a history with the stored messages. `has_seen_all` means that the client has seen their present state.
fn plan(history: &[NewMessage], found: &MessagesById, has_seen_all: bool) -> Result<Plan> {
    let mut plan = Plan::default();
    for (index, (item, stored)) in history.iter().zip(&found.messages).enumerate() {
        let id = item
            .id
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let Some(stored) = stored else {
            // A message that was erased with its session may have been seen before.
            let mut new = item.clone();
            new.updated_at = None;
            let checked = new.check();
            checked.map_err(|(member, rule)| Error::field(path_of(index, member), rule))?;
            plan.new.push(new);
            plan.result.appended.push(id);
            continue;
        };
        if stored.is_left_out {
            return Err(Error::field(
                "messages",
                "must name stored messages of at most 4 MB together; send them in several requests",
            ));
        }
        let members = Members::parse_owned(stored.message.text()).unwrap_or_default();
        plan.add_stored(item, id, &stored.message, &members, has_seen_all);
    }
    Ok(plan)
}

impl Plan {
    fn add_stored(
        &mut self,
        item: &NewMessage,
        id: String,
        stored: &Message,
        members: &Members<'_>,
        has_seen_all: bool,
    ) {
        if members.deleted {
            return self.result.deleted.push(id);
        }
        let mut changed = item.merged_over(members);
        if has_same_content(&changed, members) {
            return self.result.unchanged.push(id);
        }
        let has_seen = item
            .updated_at
            .as_ref()
            .is_some_and(|seen| is_same_time(seen, members));
        if !has_seen_all && !has_seen {
            return self.result.conflicts.push(id);
        }
        touch(&mut changed, members, now());
        let text = changed.to_text(&stored.id());
        self.replacements.push(Replacement::new(stored, text));
        self.result.replaced.push(id);
    }
}
