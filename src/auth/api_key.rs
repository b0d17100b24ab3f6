//! API keys: secrets of servers and scripts. Only their SHA-256 hashes are configured.

use std::collections::HashMap;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use crate::domain::caller::Caller;
use crate::domain::subject;
use crate::domain::volume::{Volume, VolumeId, VolumeKind};
use crate::util::hash::sha256;

/// The prefix of every key, so that secret scanners find leaked ones.
pub(super) const PREFIX: &str = "llmos_";
/// The number of random bytes in a key.
const KEY_BYTES: usize = 32;
/// The end of the scope of a read-only key.
const READ_ONLY: &str = ":read";
/// The longest name of a key, in characters.
const MAX_NAME_CHARS: usize = 64;

/// An entry of `API_KEYS`: `name:sha256-hex:scope`. The scope is `admin`, `user/{id}` or `team/{id}`; the suffix
/// `:read` makes the key read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    name: String,
    hash: [u8; 32],
    volume: Option<Volume>,
    is_read_only: bool,
}

impl ApiKey {
    /// Returns the caller that uses this key.
    pub(super) fn caller(&self) -> Caller {
        Caller::key(&self.name, self.volume.clone(), self.is_read_only)
    }

    /// Returns the name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The accepted keys, by the hash of their secret. The time of a look-up depends on hashes only, which reveal
/// nothing usable about a secret of 256 random bits.
#[derive(Debug)]
pub(super) struct ApiKeys(HashMap<[u8; 32], ApiKey>);

impl ApiKeys {
    pub(super) fn new(keys: &[ApiKey]) -> Self {
        Self(keys.iter().map(|key| (key.hash, key.clone())).collect())
    }

    /// Returns the key with this secret.
    pub(super) fn find(&self, secret: &str) -> Option<&ApiKey> {
        self.0.get(&sha256(secret.as_bytes()))
    }
}

impl FromStr for ApiKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or(());
        let (name, hash_hex, scope) = (next()?, next()?, next()?);
        let is_read_only = match (parts.next(), parts.next()) {
            (None, _) => false,
            (Some("read"), None) => true,
            _ => return Err(()),
        };
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=MAX_NAME_CHARS).contains(&name.len()) || !name.bytes().all(is_allowed) {
            return Err(());
        }
        let mut hash = [0; 32];
        hex::decode_to_slice(hash_hex, &mut hash).map_err(drop)?;
        Ok(Self {
            name: name.to_owned(),
            hash,
            volume: parse_scope(scope)?,
            is_read_only,
        })
    }
}

/// Parses the scope of a key; `None` is `admin`.
fn parse_scope(scope: &str) -> Result<Option<Volume>, ()> {
    let (kind, id) = match scope.split_once('/') {
        None if scope == "admin" => return Ok(None),
        Some(("user", id)) => (VolumeKind::User, id),
        Some(("team", id)) => (VolumeKind::Team, id),
        _ => return Err(()),
    };
    let id = VolumeId::try_from(id.to_owned()).map_err(drop)?;
    Ok(Some(Volume::new(kind, id)))
}

/// Returns a scope with the volume id of a user or team that it names as the identity provider does. An entry cannot
/// contain such a name, because names may contain `:` and `,`.
fn mapped(scope: &str) -> String {
    let (scope, suffix) = match scope.strip_suffix(READ_ONLY) {
        Some(scope) => (scope, READ_ONLY),
        None => (scope, ""),
    };
    let mapped = scope.split_once('/').and_then(|(kind, name)| {
        let is_id = VolumeId::try_from(name.to_owned()).is_ok();
        let id = (!is_id).then(|| subject::volume_id(name).ok())??;
        Some(format!("{kind}/{}", id.as_str()))
    });
    format!("{}{suffix}", mapped.as_deref().unwrap_or(scope))
}

/// Creates a key and the entry of `API_KEYS` that accepts it.
///
/// # Errors
/// If `name` or `scope` is malformed, or the system has no random numbers.
pub fn new_key(name: &str, scope: &str) -> Result<(String, String), &'static str> {
    let mut secret = [0; KEY_BYTES];
    SystemRandom::new()
        .fill(&mut secret)
        .map_err(|_| "the system provides no random bytes")?;
    let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
    let hash = hex::encode(sha256(key.as_bytes()));
    let entry = format!("{name}:{hash}:{}", mapped(scope));
    match entry.parse::<ApiKey>() {
        Ok(_) => Ok((key, entry)),
        Err(()) => Err(
            "NAME must be 1 to 64 characters of A-Z a-z 0-9 . _ -; SCOPE must be admin, user/ID or team/ID, \
             optionally followed by :read for a read-only key",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_key_is_accepted_by_its_own_entry_only() {
        let (key, entry) = new_key("deploy", "user/alice:read").unwrap();
        let (other, other_entry) = new_key("other", "admin").unwrap();
        let keys = ApiKeys::new(&[entry.parse().unwrap(), other_entry.parse().unwrap()]);
        assert_eq!(keys.find(&key).unwrap().name(), "deploy");
        assert_eq!(keys.find(&other).unwrap().name(), "other");
        for wrong in ["", "llmos_", &key[..key.len() - 1], &format!("{key}A")] {
            assert!(keys.find(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn scope_may_name_a_user_as_the_identity_provider_does() {
        for (scope, expected) in [
            ("user/did:privy:1", "user/!did!3Aprivy!3A1"),
            ("team/a/b:read", "team/!a!2Fb:read"),
            ("user/!did!3Aprivy!3A1", "user/!did!3Aprivy!3A1"),
            ("user/alice:read", "user/alice:read"),
            ("admin:read", "admin:read"),
        ] {
            let (_, entry) = new_key("k", scope).unwrap();
            assert_eq!(entry.splitn(3, ':').nth(2), Some(expected));
            assert!(entry.parse::<ApiKey>().is_ok());
        }
        for scope in ["user/", "user/a b", "system/a:b", "other"] {
            assert!(new_key("k", scope).is_err(), "{scope}");
        }
    }

    #[test]
    fn malformed_entries_are_rejected() {
        let hash = "ab".repeat(32);
        for scope in ["admin", "admin:read", "user/a|b@c.d", "team/red:read"] {
            let entry = format!("name:{hash}:{scope}");
            assert!(entry.parse::<ApiKey>().is_ok(), "{entry}");
        }
        for entry in [
            String::new(),
            "name".to_owned(),
            format!("name:{hash}"),
            format!("name:{hash}:"),
            format!(":{hash}:admin"),
            format!("na me:{hash}:admin"),
            format!("name:{}:admin", &hash[2..]),
            format!("name:{}:admin", "é".repeat(32)),
            format!("name:{hash}:system/system"),
            format!("name:{hash}:user/"),
            format!("name:{hash}:user/a/b"),
            format!("name:{hash}:admin:write"),
            format!("name:{hash}:admin:read:read"),
        ] {
            assert!(entry.parse::<ApiKey>().is_err(), "{entry}");
        }
    }
}
