//! Volumes: the owners of sessions, skills and files, and their ids. No I/O.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest plain volume id, in characters.
pub const MAX_VOLUME_ID_CHARS: usize = 128;
/// The longest mapped volume id, in characters: pathnames of skills and files in its volume still fit into the 950
/// characters of Blob.
pub const MAX_MAPPED_ID_CHARS: usize = 768;
/// The first character of mapped volume ids. Plain ones do not contain it.
pub const MAPPED: char = '!';

/// The kind of a volume's owner: one user, one team, or the whole deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum VolumeKind {
    /// Belongs to one user.
    User,
    /// Belongs to a team.
    Team,
    /// Belongs to the whole deployment.
    System,
}

impl VolumeKind {
    /// Returns the name of the kind in JSON, keys and pathnames.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
            Self::System => "system",
        }
    }
}

// Not derived: a derived implementation also accepts `{"user":null}`.
impl TryFrom<String> for VolumeKind {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let kind = [Self::User, Self::Team, Self::System]
            .into_iter()
            .find(|kind| kind.as_str() == text);
        kind.ok_or("must be user, team or system")
    }
}

/// The id of a user or team. Plain ids are 1–128 of `A–Z a–z 0–9 . _ - @ | ~ + =`, except `.` and `..`. Mapped ids begin
/// with `!`, and [`subject`](super::subject) makes them from other names of identity providers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct VolumeId(String);

impl VolumeId {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether plain ids may contain the character.
    pub(super) fn is_plain_char(character: char) -> bool {
        character.is_ascii_alphanumeric() || "._-@|~+=".contains(character)
    }
}

impl Default for VolumeId {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl TryFrom<String> for VolumeId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_valid = match text.strip_prefix(MAPPED) {
            Some(mapped) => {
                (1..MAX_MAPPED_ID_CHARS).contains(&mapped.len())
                    && mapped
                        .chars()
                        .all(|it| it == MAPPED || Self::is_plain_char(it))
            }
            None => {
                (1..=MAX_VOLUME_ID_CHARS).contains(&text.len())
                    && text.chars().all(Self::is_plain_char)
                    && text != "."
                    && text != ".."
            }
        };
        is_valid.then_some(Self(text)).ok_or(
            "must be 1 to 128 of A-Z a-z 0-9 . _ - @ | ~ + = and not . or .., or an id that begins with ! as in /api/me",
        )
    }
}

/// A volume: the kind of its owner, and the owner's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The kind of the owner.
    pub kind: VolumeKind,
    /// The user or team; `system` for the volume of the whole deployment.
    pub id: VolumeId,
}

/// Writes `user/alice`, as pathnames and the scopes of API keys do.
impl fmt::Display for Volume {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind.as_str(), self.id.as_str())
    }
}

impl Volume {
    /// Returns a volume.
    pub fn new(kind: VolumeKind, id: VolumeId) -> Self {
        Self { kind, id }
    }

    /// Returns the volume of the whole deployment, `system/system`, which contains its skills and files.
    pub fn system() -> Self {
        Self::new(VolumeKind::System, VolumeId("system".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_id_that_could_alter_a_key_is_rejected() {
        let longest = format!("!{}", "x".repeat(767));
        for id in [
            "default",
            "auth0|5f7",
            "a@b.c",
            "...",
            "A-Z_~+=",
            "!a!2Fb",
            "!..",
            &longest,
        ] {
            assert!(VolumeId::try_from(id.to_owned()).is_ok(), "{id}");
        }
        for id in [
            "",
            ".",
            "..",
            "a:b",
            "a/b",
            "a b",
            "é",
            "a\n",
            &"x".repeat(129),
            "!",
            "a!2Fb",
            "!a/b",
            "!a:b",
            "!é",
            "!a b",
            &format!("{longest}x"),
        ] {
            assert!(VolumeId::try_from(id.to_owned()).is_err(), "{id}");
        }
    }
}
