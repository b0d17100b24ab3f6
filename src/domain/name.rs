//! Names of sessions and skills. No I/O.

use serde::{Deserialize, Serialize};

/// The maximum length of a name, in characters.
pub const MAX_NAME_CHARS: usize = 200;

/// A name: 1–200 characters after trimming, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a session that was created without one.
impl Default for Name {
    fn default() -> Self {
        Self("New chat".to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let name = text.trim();
        if !(1..=MAX_NAME_CHARS).contains(&name.chars().count()) {
            return Err("must be 1 to 200 characters");
        }
        if name.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(Self(name.to_owned()))
    }
}
