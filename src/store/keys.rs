//! Names of the keys that a request determines. The scripts build the names that stored data determines.
//!
//! On a cluster the braces of the documented names are part of the key, so that related keys share a slot.

use crate::domain::chat::turn::TurnId;
use crate::domain::session::{SessionId, Status};
use crate::domain::volume::Volume;

/// Scope of all sessions.
pub(super) const ALL: &str = "all";
/// Key of the ids of the system volumes that contain sessions.
pub(super) const SYSTEM_VOLUMES: &str = "llmos:system-volumes";
/// The names of the keys of a message index, before the id of the session.
const MESSAGE_INDEX: [&str; 6] = [
    "llmos:message-ids:",
    "llmos:segments:",
    "llmos:path:",
    "llmos:deleted:",
    "llmos:versions:",
    "llmos:branch:",
];
/// Buckets of sessions that are not archived, the same as in `prelude.lua`.
const BUCKETS: [&str; 4] = ["active", "paused", "completed", "other"];
/// Buckets of archived sessions, in the same order.
const ARCHIVED_BUCKETS: [&str; 4] = [
    "archived-active",
    "archived-paused",
    "archived-completed",
    "archived-other",
];

/// Key of the sessions with the status `active`, by their last activity, on a single Redis.
pub(super) const ACTIVE_SESSIONS: &str = "llmos:recent:all:active";

/// Returns the keys of a session's document and messages on a single Redis.
pub(super) fn single_session_keys(id: &SessionId) -> [String; 2] {
    let document = format!("session:{id}");
    let messages = format!("{document}:messages");
    [document, messages]
}

/// Returns the key of the document with an id of an index on a single Redis.
pub(super) fn single_document(id: &[u8]) -> Vec<u8> {
    KeyScheme::Single.key("session:", id, "")
}

/// Returns the key of the sessions of a scope in a bucket, by their last activity, on a single Redis.
pub(super) fn recent(scope: &str, bucket: &str) -> String {
    format!("llmos:recent:{scope}:{bucket}")
}

/// Returns the key of the number of a scope's sessions that are indexed, on a single Redis.
pub(super) fn indexed(scope: &str) -> String {
    format!("llmos:indexed:{scope}")
}

/// Returns the scope of a volume's sessions.
pub(super) fn scope(volume: &Volume) -> String {
    format!("{}:{}", volume.kind.as_str(), volume.id.as_str())
}

/// Returns the names of the buckets that contain the sessions with some statuses (every status, if the list is
/// empty) and, where given, the archived or the other ones.
pub(super) fn buckets(statuses: &[Status], archived: Option<bool>) -> Vec<&'static str> {
    let is_wanted = |bucket: &str| {
        statuses.is_empty() || statuses.iter().any(|status| status.as_str() == bucket)
    };
    let pairs = BUCKETS.into_iter().zip(ARCHIVED_BUCKETS);
    let wanted = pairs.filter(|(bucket, _)| is_wanted(bucket));
    let (current, archive): (Vec<_>, Vec<_>) = wanted.unzip();
    match archived {
        Some(false) => current,
        Some(true) => archive,
        None => [current, archive].concat(),
    }
}

/// Returns the key of a caller's rate limit.
pub(super) fn rate(caller: &str) -> String {
    format!("llmos:rate:{caller}")
}

/// Naming scheme of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyScheme {
    /// Without braces, on a single Redis.
    Single,
    /// With hash tags, on a cluster.
    Cluster,
}

impl KeyScheme {
    /// Returns the keys of a script on a session: the document, the messages and `further`. On a cluster the last
    /// activity follows.
    pub(super) fn session_keys<const N: usize>(
        self,
        id: &SessionId,
        further: [Vec<u8>; N],
    ) -> Vec<Vec<u8>> {
        self.keys_of(id.as_str().as_bytes(), further)
    }

    /// Returns the session keys of an id in an index. Ids that another program wrote may not be UTF-8.
    pub(super) fn entry_keys(self, id: &[u8]) -> Vec<Vec<u8>> {
        self.keys_of(id, [])
    }

    fn keys_of<const N: usize>(self, id: &[u8], further: [Vec<u8>; N]) -> Vec<Vec<u8>> {
        let mut keys = vec![
            self.key("session:", id, ""),
            self.key("session:", id, ":messages"),
        ];
        keys.extend(further);
        if self == Self::Cluster {
            keys.push(self.key("llmos:activity:", id, ""));
        }
        keys
    }

    /// Returns the keys of `create.lua`, with or without an `Idempotency-Key`.
    pub(super) fn create_keys(
        self,
        id: &SessionId,
        volume: &Volume,
        key: Option<&str>,
    ) -> Vec<Vec<u8>> {
        let [ids, ..] = self.message_index_keys(id);
        let sets = || [self.members(ALL), self.members(scope(volume))];
        match (self, key) {
            (Self::Single, None) => {
                let [all, own] = sets();
                self.session_keys(id, [ids, all, own])
            }
            (Self::Single, Some(key)) => {
                let [all, own] = sets();
                let (reply, origin) = (self.create_reply(key), self.origin(id));
                self.session_keys(id, [ids, all, own, reply, origin])
            }
            (Self::Cluster, None) => self.session_keys(id, [ids]),
            (Self::Cluster, Some(_)) => self.session_keys(id, [ids, self.origin(id)]),
        }
    }

    /// Returns the further keys of `append.lua`: those of replies. While a slot moves, Redis rejects calls with keys that
    /// do not exist, so on a cluster they are passed only with an `Idempotency-Key`.
    pub(super) fn reply_keys(self, id: &SessionId, has_key: bool) -> Vec<Vec<u8>> {
        if has_key || self == Self::Single {
            vec![self.replies(id), self.reply_expiries(id)]
        } else {
            Vec::new()
        }
    }

    /// Returns the keys of a script that starts with `messages.lua`: the document and the messages, with the message index
    /// if it is needed, and `further`. On a cluster the last activity follows.
    pub(super) fn message_keys(
        self,
        id: &SessionId,
        with_index: bool,
        further: Vec<Vec<u8>>,
    ) -> Vec<Vec<u8>> {
        let mut keys = self.session_keys(id, []);
        let activity = keys.split_off(2);
        if with_index {
            keys.extend(self.message_index_keys(id));
        }
        keys.extend(further);
        keys.extend(activity);
        keys
    }

    /// Returns the keys of the message index, in the order in which `messages.lua` expects them.
    pub(super) fn message_index_keys(self, id: &SessionId) -> [Vec<u8>; 6] {
        MESSAGE_INDEX.map(|before| self.key(before, id.as_str(), ""))
    }

    /// Returns the keys that `delete.lua` deletes.
    pub(super) fn all_session_keys(self, id: &SessionId) -> Vec<Vec<u8>> {
        let [a, b, c, d, e, f] = self.message_index_keys(id);
        let replies = [self.replies(id), self.reply_expiries(id), self.origin(id)];
        let [x, y, z] = replies;
        self.session_keys(id, [x, y, z, a, b, c, d, e, f, self.turn(id)])
    }

    /// Returns all keys of a scope's index, as the scripts in `scripts/cluster/` expect them.
    pub(super) fn index_keys(self, scope: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
        let scope = scope.as_ref();
        let mut keys = vec![
            self.members(scope),
            self.indexing(scope),
            self.key("llmos:indexed:", scope, ""),
        ];
        let recent = |bucket| self.key("llmos:recent:", scope, &format!(":{bucket}"));
        keys.extend(buckets(&[], None).into_iter().map(recent));
        keys.push(self.key("llmos:created:", scope, ""));
        keys.push(self.key("llmos:pinned:", scope, ""));
        keys
    }

    /// Returns the key of the set of a scope's sessions.
    pub(super) fn members(self, scope: impl AsRef<[u8]>) -> Vec<u8> {
        self.key("", scope, ":sessions")
    }

    /// Returns the key of the position at which indexing continues.
    pub(super) fn indexing(self, scope: impl AsRef<[u8]>) -> Vec<u8> {
        self.key("llmos:indexing:", scope, "")
    }

    /// Returns the key of the reply that created a session. On a single Redis, its value is the name of that reply's key.
    pub(super) fn origin(self, id: &SessionId) -> Vec<u8> {
        self.key("llmos:origin:", id.as_str(), "")
    }

    /// Returns the key of the replies by `Idempotency-Key` of a session.
    pub(super) fn replies(self, id: &SessionId) -> Vec<u8> {
        self.key("llmos:replies:", id.as_str(), "")
    }

    /// Returns the key of the expiry times of these replies.
    pub(super) fn reply_expiries(self, id: &SessionId) -> Vec<u8> {
        self.key("llmos:reply-expiries:", id.as_str(), "")
    }

    /// Returns the key of the turn of a session.
    pub(super) fn turn(self, id: &SessionId) -> Vec<u8> {
        self.key("llmos:turn:", id.as_str(), "")
    }

    /// Returns the key of the log of a turn.
    pub(super) fn turn_log(self, id: &SessionId, turn: &TurnId) -> Vec<u8> {
        self.key("llmos:turn-log:", id.as_str(), &format!(":{turn}"))
    }

    /// Returns the key of the turn that an `Idempotency-Key` began.
    pub(super) fn turn_key(self, id: &SessionId, key: &str) -> Vec<u8> {
        self.key("llmos:turn-key:", id.as_str(), &format!(":{key}"))
    }

    /// Returns the key of the reply to a create request.
    pub(super) fn create_reply(self, idempotency_key: &str) -> Vec<u8> {
        self.key("llmos:reply:", idempotency_key, "")
    }

    /// Returns the key of the cached skills of a volume.
    pub(super) fn skills(self, volume: &Volume) -> Vec<u8> {
        self.key("llmos:skills:", scope(volume), "")
    }

    /// Returns the key of the counts of a volume's skills.
    pub(super) fn skill_usage(self, volume: &Volume) -> Vec<u8> {
        self.key("llmos:skill-usage:", scope(volume), "")
    }

    /// Returns the key of the record of one counted use of a skill.
    pub(super) fn skill_use(self, volume: &Volume, key: &str) -> Vec<u8> {
        match self {
            Self::Single => self.key("llmos:skill-use:", key, ""),
            Self::Cluster => self.key("llmos:skill-use:", scope(volume), &format!(":{key}")),
        }
    }

    /// Returns the key of the reserved turns of a caller.
    pub(super) fn client_turns(self, client: &str) -> Vec<u8> {
        self.key("llmos:client-turns:", client, "")
    }

    /// Returns the key of the sums of a caller by day.
    pub(super) fn client_usage(self, client: &str) -> Vec<u8> {
        self.key("llmos:client-usage:", client, "")
    }

    /// Returns the key of the sums of a volume by day.
    pub(super) fn volume_usage(self, scope: &str) -> Vec<u8> {
        self.key("llmos:usage:", scope, "")
    }

    /// Returns the key of the sums of a volume by model on one day.
    pub(super) fn model_usage(self, scope: &str, day: &str) -> Vec<u8> {
        self.key("llmos:usage-models:", scope, &format!(":{day}"))
    }

    /// Returns the key of the sums of a volume by session on one day.
    pub(super) fn session_usage(self, scope: &str, day: &str) -> Vec<u8> {
        self.key("llmos:usage-sessions:", scope, &format!(":{day}"))
    }

    /// Returns the key that tells that a turn is in the sums of its volume.
    pub(super) fn counted_turn(self, scope: &str, turn: &TurnId) -> Vec<u8> {
        self.key("llmos:counted-turn:", scope, &format!(":{turn}"))
    }

    /// Splits items, one per volume, into parts that one script can read: all items, or one each on a cluster.
    pub(super) fn by_slot<T>(self, items: &[T]) -> impl Iterator<Item = &[T]> {
        let size = match self {
            Self::Single => items.len(),
            Self::Cluster => 1,
        };
        items.chunks(size.max(1))
    }

    fn key(self, before: &str, tag: impl AsRef<[u8]>, after: &str) -> Vec<u8> {
        let tag = tag.as_ref();
        let mut key = Vec::with_capacity(before.len() + tag.len() + after.len() + 3);
        key.extend_from_slice(before.as_bytes());
        match self {
            Self::Single => key.extend_from_slice(tag),
            Self::Cluster => {
                key.push(b'{');
                if is_empty_tag(tag) {
                    key.push(b'{');
                }
                key.extend_from_slice(tag);
                key.push(b'}');
            }
        }
        key.extend_from_slice(after.as_bytes());
        key
    }
}

/// Returns whether Redis would find an empty hash tag in braces around a text: it reads from the first `{` to the next
/// `}`. One more `{` gives all keys of such a name one slot, and names stay distinct.
fn is_empty_tag(tag: &[u8]) -> bool {
    let first_other = tag.iter().find(|byte| **byte != b'{');
    first_other == Some(&b'}')
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Returns the part of a key that Redis hashes to its slot.
    fn hashed(key: &[u8]) -> &[u8] {
        let Some(open) = key.iter().position(|byte| *byte == b'{') else {
            return key;
        };
        let after = &key[open + 1..];
        match after.iter().position(|byte| *byte == b'}') {
            Some(length @ 1..) => &after[..length],
            _ => key,
        }
    }

    #[test]
    fn keys_of_one_session_share_a_slot() {
        let mut documents = HashSet::new();
        for id in [
            "sess_1", "}", "{", "{}", "{}}", "{{}", "}}", "{{", "a}b", "a{b}", "{a}", "}a", "{}a",
            "ü}",
        ] {
            let id = SessionId::parse(id).unwrap();
            let scheme = KeyScheme::Cluster;
            let keys = scheme.all_session_keys(&id);
            let document = keys[0].clone();
            for other in keys {
                assert_eq!(hashed(&other), hashed(&document), "{id}");
                assert_ne!(hashed(&other), other, "{id}");
            }
            assert!(documents.insert(document), "{id}");
        }
    }

    #[test]
    fn keys_have_braces_on_a_cluster_only() {
        let id = SessionId::parse("sess_1").unwrap();
        let messages = |scheme: KeyScheme| scheme.session_keys(&id, [])[1].clone();
        assert_eq!(messages(KeyScheme::Single), b"session:sess_1:messages");
        assert_eq!(messages(KeyScheme::Cluster), b"session:{sess_1}:messages");
        assert_eq!(KeyScheme::Single.members(ALL), b"all:sessions");
        assert_eq!(KeyScheme::Cluster.members(ALL), b"{all}:sessions");
    }
}
