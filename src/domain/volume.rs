//! Volumes: whose a session, a skill or a file is, and their ids. No I/O.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest volume id, in characters.
pub const MAX_VOLUME_ID_CHARS: usize = 128;

/// Whose something is: one user's, one team's, or everyone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Volume {
    /// Belongs to one user.
    User,
    /// Belongs to a team.
    Team,
    /// Belongs to the whole deployment.
    System,
}

impl Volume {
    /// The volume as it is written in JSON and in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
            Self::System => "system",
        }
    }
}

// Not derived: that would take `{"user":null}`, too.
impl TryFrom<String> for Volume {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let named = [Self::User, Self::Team, Self::System]
            .into_iter()
            .find(|it| it.as_str() == text);
        named.ok_or("must be user, team or system")
    }
}

/// Which user or team: 1–128 of `A–Z a–z 0–9 . _ - @ | ~ + =`, and neither `.` nor `..`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct VolumeId(String);

impl VolumeId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
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
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@|~+=".contains(&byte);
        let valid = (1..=MAX_VOLUME_ID_CHARS).contains(&text.len())
            && text.bytes().all(allowed)
            && text != "."
            && text != "..";
        valid
            .then_some(Self(text))
            .ok_or("must be 1 to 128 of A-Z a-z 0-9 . _ - @ | ~ + = and not . or ..")
    }
}

/// One volume: whose, and which user's or team's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeRef {
    /// Whose it is.
    pub volume: Volume,
    /// Which user or team; `system` for the one of the whole deployment.
    pub id: VolumeId,
}

/// As pathnames, and the scopes of API keys, have it: `user/alice`.
impl fmt::Display for VolumeRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.volume.as_str(), self.id.as_str())
    }
}

impl VolumeRef {
    /// The one volume that belongs to the whole deployment, as skills and files know it.
    pub fn system() -> Self {
        Self {
            volume: Volume::System,
            id: VolumeId("system".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_ids_cannot_leave_their_place_in_a_key() {
        for id in ["default", "auth0|5f7", "a@b.c", "...", "A-Z_~+="] {
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
        ] {
            assert!(VolumeId::try_from(id.to_owned()).is_err(), "{id}");
        }
    }
}
