//! The names of the keys that a caller's request leads to; `prelude.lua` names those that data leads to.

use crate::session::SessionId;
use crate::volume::VolumeRef;

/// The scope of all sessions.
pub(super) const ALL: &str = "all";

/// The scope of one volume's sessions.
pub(super) fn scope(volume: &VolumeRef) -> String {
    format!("{}:{}", volume.volume.as_str(), volume.id.as_str())
}

pub(super) fn document(id: &SessionId) -> String {
    format!("session:{id}")
}

pub(super) fn messages(id: &SessionId) -> String {
    format!("session:{id}:messages")
}

pub(super) fn members(scope: &str) -> String {
    format!("{scope}:sessions")
}

/// Where indexing a scope goes on.
pub(super) fn indexing(scope: &str) -> String {
    format!("llmos:indexing:{scope}")
}

/// Which reply created a session.
pub(super) fn origin(id: &SessionId) -> String {
    format!("llmos:origin:{id}")
}

pub(super) fn replies(id: &SessionId) -> String {
    format!("llmos:replies:{id}")
}

pub(super) fn reply_expiries(id: &SessionId) -> String {
    format!("llmos:reply-expiries:{id}")
}

pub(super) fn create_reply(idempotency_key: &str) -> String {
    format!("llmos:reply:{idempotency_key}")
}

/// What is remembered of a volume's skills.
pub(super) fn skills(volume: &VolumeRef) -> String {
    format!("llmos:skills:{}", scope(volume))
}

/// What is counted of a volume's skills.
pub(super) fn skill_usage(volume: &VolumeRef) -> String {
    format!("llmos:skill-usage:{}", scope(volume))
}

/// The record of one use that was counted.
pub(super) fn skill_use(key: &str) -> String {
    format!("llmos:skill-use:{key}")
}

/// What a caller's requests are counted under.
pub(super) fn rate(caller: &str) -> String {
    format!("llmos:rate:{caller}")
}
