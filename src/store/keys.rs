//! The names of the keys that a caller's request leads to; the scripts name those that data leads to.
//!
//! On a cluster the braces of the documented names are there: what belongs together stands in one slot.

use crate::domain::session::SessionId;
use crate::domain::volume::Volume;

/// The scope of all sessions.
pub(super) const ALL: &str = "all";
/// The ids of the system's volumes that hold sessions.
pub(super) const SYSTEM_VOLUMES: &str = "llmos:system-volumes";
/// In which buckets a scope's index stands, as `prelude.lua` has them.
const BUCKETS: [&str; 4] = ["active", "paused", "completed", "other"];

/// The scope of one volume's sessions.
pub(super) fn scope(volume: &Volume) -> String {
    format!("{}:{}", volume.kind.as_str(), volume.id.as_str())
}

/// What a caller's requests are counted under.
pub(super) fn rate(caller: &str) -> String {
    format!("llmos:rate:{caller}")
}

/// How keys are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Without braces: one Redis holds all.
    Plain,
    /// With braces around what tells the slot.
    Tagged,
}

impl Names {
    /// The keys of a script on a session: the document, the messages, and further ones. On a cluster the last
    /// activity follows, which is beside them there.
    pub(super) fn of_session<const N: usize>(
        self,
        id: &SessionId,
        further: [Vec<u8>; N],
    ) -> Vec<Vec<u8>> {
        self.of_session_named(id.as_str().as_bytes(), further)
    }

    /// The same for an id that an index holds, which is no text where another program wrote it.
    pub(super) fn of_entry(self, id: &[u8]) -> Vec<Vec<u8>> {
        self.of_session_named(id, [])
    }

    fn of_session_named<const N: usize>(self, id: &[u8], further: [Vec<u8>; N]) -> Vec<Vec<u8>> {
        let mut keys = vec![
            self.key("session:", id, ""),
            self.key("session:", id, ":messages"),
        ];
        keys.extend(further);
        if self == Self::Tagged {
            keys.push(self.key("llmos:activity:", id, ""));
        }
        keys
    }

    /// The keys of the script that creates a session, with an `Idempotency-Key` or without.
    pub(super) fn of_creation(
        self,
        id: &SessionId,
        volume: &Volume,
        key: Option<&str>,
    ) -> Vec<Vec<u8>> {
        let sets = || [self.members(ALL), self.members(scope(volume))];
        match (self, key) {
            (Self::Plain, None) => self.of_session(id, sets()),
            (Self::Plain, Some(key)) => {
                let [all, own] = sets();
                self.of_session(id, [all, own, self.create_reply(key), self.origin(id)])
            }
            (Self::Tagged, None) => self.of_session(id, []),
            (Self::Tagged, Some(_)) => self.of_session(id, [self.origin(id)]),
        }
    }

    /// The keys of the script that appends messages. On a cluster those that may not be there hold the session up
    /// while its slot moves, so that only those come which are needed.
    pub(super) fn of_append(self, id: &SessionId, has_key: bool) -> Vec<Vec<u8>> {
        if has_key || self == Self::Plain {
            self.of_session(id, [self.replies(id), self.reply_expiries(id)])
        } else {
            self.of_session(id, [])
        }
    }

    /// All keys of a scope's index.
    pub(super) fn of_index(self, scope: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
        let scope = scope.as_ref();
        let mut keys = vec![
            self.members(scope),
            self.indexing(scope),
            self.key("llmos:indexed:", scope, ""),
        ];
        keys.extend(BUCKETS.map(|bucket| self.key("llmos:recent:", scope, &format!(":{bucket}"))));
        keys
    }

    pub(super) fn members(self, scope: impl AsRef<[u8]>) -> Vec<u8> {
        self.key("", scope, ":sessions")
    }

    /// Where indexing a scope goes on.
    pub(super) fn indexing(self, scope: impl AsRef<[u8]>) -> Vec<u8> {
        self.key("llmos:indexing:", scope, "")
    }

    /// Which reply created a session.
    pub(super) fn origin(self, id: &SessionId) -> Vec<u8> {
        self.key("llmos:origin:", id.as_str(), "")
    }

    pub(super) fn replies(self, id: &SessionId) -> Vec<u8> {
        self.key("llmos:replies:", id.as_str(), "")
    }

    pub(super) fn reply_expiries(self, id: &SessionId) -> Vec<u8> {
        self.key("llmos:reply-expiries:", id.as_str(), "")
    }

    pub(super) fn create_reply(self, idempotency_key: &str) -> Vec<u8> {
        self.key("llmos:reply:", idempotency_key, "")
    }

    /// What is remembered of a volume's skills.
    pub(super) fn skills(self, volume: &Volume) -> Vec<u8> {
        self.key("llmos:skills:", scope(volume), "")
    }

    /// What is counted of a volume's skills.
    pub(super) fn skill_usage(self, volume: &Volume) -> Vec<u8> {
        self.key("llmos:skill-usage:", scope(volume), "")
    }

    /// The record of one use of a volume's skill that was counted.
    pub(super) fn skill_use(self, volume: &Volume, key: &str) -> Vec<u8> {
        match self {
            Self::Plain => self.key("llmos:skill-use:", key, ""),
            Self::Tagged => self.key("llmos:skill-use:", scope(volume), &format!(":{key}")),
        }
    }

    /// What is wanted of volumes, in parts that one script can read: all at once, or on a cluster each for itself.
    pub(super) fn by_slot<T>(self, wanted: &[T]) -> impl Iterator<Item = &[T]> {
        let size = match self {
            Self::Plain => wanted.len(),
            Self::Tagged => 1,
        };
        wanted.chunks(size.max(1))
    }

    fn key(self, before: &str, tag: impl AsRef<[u8]>, after: &str) -> Vec<u8> {
        let tag = tag.as_ref();
        let mut key = Vec::with_capacity(before.len() + tag.len() + after.len() + 3);
        key.extend_from_slice(before.as_bytes());
        match self {
            Self::Plain => key.extend_from_slice(tag),
            Self::Tagged => {
                key.push(b'{');
                if would_be_empty(tag) {
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

/// Whether braces around a text would hold nothing, as Redis reads them: from the first `{` to the next `}`. One
/// more `{` gives all keys of such a name one slot, and keeps all names apart.
fn would_be_empty(tag: &[u8]) -> bool {
    let first_other = tag.iter().find(|byte| **byte != b'{');
    first_other == Some(&b'}')
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What Redis takes a key's slot from.
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
    fn keys_of_one_session_share_a_slot_whatever_its_id_is() {
        let mut documents = HashSet::new();
        for id in [
            "sess_1", "}", "{", "{}", "{}}", "{{}", "}}", "{{", "a}b", "a{b}", "{a}", "}a", "{}a",
            "ü}",
        ] {
            let id = SessionId::parse(id).unwrap();
            let names = Names::Tagged;
            let further = [
                names.origin(&id),
                names.replies(&id),
                names.reply_expiries(&id),
            ];
            let keys = names.of_session(&id, further);
            let document = keys[0].clone();
            for other in keys {
                assert_eq!(hashed(&other), hashed(&document), "{id}");
                assert_ne!(hashed(&other), other, "{id}");
            }
            assert!(documents.insert(document), "{id}");
        }
    }

    #[test]
    fn braces_are_there_on_a_cluster_only() {
        let id = SessionId::parse("sess_1").unwrap();
        let messages = |names: Names| names.of_session(&id, [])[1].clone();
        assert_eq!(messages(Names::Plain), b"session:sess_1:messages");
        assert_eq!(messages(Names::Tagged), b"session:{sess_1}:messages");
        assert_eq!(Names::Plain.members(ALL), b"all:sessions");
        assert_eq!(Names::Tagged.members(ALL), b"{all}:sessions");
    }
}
