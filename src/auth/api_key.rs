//! API keys: secrets for servers and scripts, of which only the hash is configured.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use crate::domain::caller::Caller;
use crate::domain::volume::{Volume, VolumeId, VolumeKind};
use crate::util::hash::hex;

/// What every key begins with, so that those who search for leaked secrets find it.
const PREFIX: &str = "llmos_";
/// How many random bytes a key has.
const KEY_BYTES: usize = 32;
/// The longest name of a key, in characters.
const MAX_NAME_CHARS: usize = 64;

/// A key that is accepted: `name:sha256-hex:scope`, scope being `admin`, `user/{id}` or `team/{id}`, with
/// `:read` behind it for a key that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    name: String,
    hash: [u8; 32],
    volume: Option<Volume>,
    is_read_only: bool,
}

impl ApiKey {
    /// The one of `keys` that `credential` is. All are compared, each to its last byte, so that the time it
    /// takes tells nothing of them.
    pub(super) fn find<'a>(keys: &'a [Self], credential: &str) -> Option<&'a Self> {
        let hash = digest(&SHA256, credential.as_bytes());
        keys.iter().fold(None, |found, key| {
            let is_equal: bool = key.hash.ct_eq(hash.as_ref()).into();
            if is_equal { Some(key) } else { found }
        })
    }

    /// Who calls with it.
    pub(super) fn caller(&self) -> Caller {
        Caller::key(&self.name, self.volume.clone(), self.is_read_only)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ApiKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or(());
        let (name, hash, scope) = (next()?, next()?, next()?);
        let is_read_only = match (parts.next(), parts.next()) {
            (None, _) => false,
            (Some("read"), None) => true,
            _ => return Err(()),
        };
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=MAX_NAME_CHARS).contains(&name.len()) || !name.bytes().all(is_allowed) {
            return Err(());
        }
        Ok(Self {
            name: name.to_owned(),
            hash: unhex(hash).ok_or(())?,
            volume: volume_of(scope)?,
            is_read_only,
        })
    }
}

fn volume_of(scope: &str) -> Result<Option<Volume>, ()> {
    let (volume, id) = match scope.split_once('/') {
        None if scope == "admin" => return Ok(None),
        Some(("user", id)) => (VolumeKind::User, id),
        Some(("team", id)) => (VolumeKind::Team, id),
        _ => return Err(()),
    };
    let id = VolumeId::try_from(id.to_owned()).map_err(drop)?;
    Ok(Some(Volume::new(volume, id)))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |index: usize| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok();
    let bytes: Option<Vec<u8>> = is_hex.then(|| (0..32).map_while(byte).collect());
    bytes?.try_into().ok()
}

/// A fresh key, and the entry for `API_KEYS` that accepts it.
///
/// # Errors
/// If `name` or `scope` is none that an entry can have, or the system has no randomness.
pub fn new_key(name: &str, scope: &str) -> Result<(String, String), &'static str> {
    let mut secret = [0; KEY_BYTES];
    SystemRandom::new()
        .fill(&mut secret)
        .map_err(|_| "the system gives no random bytes")?;
    let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
    let hash = hex(digest(&SHA256, key.as_bytes()).as_ref());
    let entry = format!("{name}:{hash}:{scope}");
    match entry.parse::<ApiKey>() {
        Ok(_) => Ok((key, entry)),
        Err(()) => Err(
            "NAME has 1 to 64 of A-Z a-z 0-9 . _ -; SCOPE is admin, user/ID or team/ID, \
             with :read behind it for a key that changes nothing",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_accepted_by_its_entry_and_by_no_other() {
        let (key, entry) = new_key("deploy", "user/alice:read").unwrap();
        let (other, other_entry) = new_key("other", "admin").unwrap();
        let keys: Vec<ApiKey> = [entry, other_entry]
            .iter()
            .map(|it| it.parse().unwrap())
            .collect();
        assert_eq!(ApiKey::find(&keys, &key).unwrap().name(), "deploy");
        assert_eq!(ApiKey::find(&keys, &other).unwrap().name(), "other");
        for wrong in ["", "llmos_", &key[..key.len() - 1], &format!("{key}A")] {
            assert!(ApiKey::find(&keys, wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn entries_of_another_form_are_refused() {
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
