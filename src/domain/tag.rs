//! Tags of sessions, and their limits. No I/O.

use serde::{Deserialize, Serialize};

use crate::util::unicode::to_nfc;

/// The maximum number of tags of a session.
pub const MAX_TAGS: usize = 32;
/// The maximum length of a tag, in characters.
pub const MAX_TAG_CHARS: usize = 64;

/// The message for more tags than [`MAX_TAGS`].
const TOO_MANY: &str = "must have at most 32 tags";

/// A tag: 1–64 characters after trimming, in Unicode normal form C, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Tag(String);

impl TryFrom<String> for Tag {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let tag = to_nfc(text.trim());
        if !(1..=MAX_TAG_CHARS).contains(&tag.chars().count()) {
            return Err("must be 1 to 64 characters");
        }
        if tag.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(Self(tag.into_owned()))
    }
}

/// The tags of a session: 0–32 different ones, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Tag>")]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// Returns whether there are no tags.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether this is one of the tags.
    pub fn contains(&self, tag: &Tag) -> bool {
        self.0.contains(tag)
    }

    /// Returns the tags in order.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter()
    }
}

/// Drops repeated tags.
impl TryFrom<Vec<Tag>> for Tags {
    type Error = &'static str;

    fn try_from(tags: Vec<Tag>) -> Result<Self, Self::Error> {
        let mut different: Vec<Tag> = Vec::new();
        for tag in tags {
            if different.contains(&tag) {
                continue;
            }
            if different.len() == MAX_TAGS {
                return Err(TOO_MANY);
            }
            different.push(tag);
        }
        Ok(Self(different))
    }
}

/// A change of the tags of a session.
#[derive(Clone, Debug)]
pub enum TagsChange {
    /// The session has these tags afterwards.
    Replace(Tags),
    /// Some tags are removed, then others are added.
    Edit {
        /// The tags to add.
        add: Tags,
        /// The tags to remove.
        remove: Tags,
    },
}

impl TagsChange {
    /// Returns the tags after the change.
    ///
    /// # Errors
    /// If they are more than [`MAX_TAGS`]. The message names the limit.
    pub fn applied_to(&self, tags: &Tags) -> Result<Tags, &'static str> {
        match self {
            Self::Replace(tags) => Ok(tags.clone()),
            Self::Edit { add, remove } => {
                let kept = tags.iter().filter(|tag| !remove.contains(tag));
                kept.chain(add.iter())
                    .cloned()
                    .collect::<Vec<_>>()
                    .try_into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(texts: &[&str]) -> Result<Tags, String> {
        serde_json::from_value(serde_json::json!(texts)).map_err(|error| error.to_string())
    }

    #[test]
    fn tags_are_trimmed_composed_and_different() {
        // "é" as one character and as two.
        let parsed = tags(&[" work ", "caf\u{e9}", "cafe\u{301}", "work"]).unwrap();
        assert_eq!(
            serde_json::to_string(&parsed).unwrap(),
            "[\"work\",\"caf\u{e9}\"]"
        );
    }

    #[test]
    fn invalid_tags_are_rejected() {
        for text in ["", "  ", &"x".repeat(65), "a\nb", "a\0b", "a\u{85}b"] {
            assert!(tags(&[text]).is_err(), "{text:?}");
        }
        assert!(tags(&[&"é".repeat(64)]).is_ok());
        let many: Vec<String> = (0..33).map(|number| number.to_string()).collect();
        let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(tags(&many).unwrap_err(), TOO_MANY);
        many[32] = "0";
        assert_eq!(tags(&many).unwrap().iter().count(), 32);
    }

    #[test]
    fn edit_removes_then_adds_within_the_limit() {
        let edit = |add: &[&str], remove: &[&str]| TagsChange::Edit {
            add: tags(add).unwrap(),
            remove: tags(remove).unwrap(),
        };
        let before = tags(&["a", "b", "c"]).unwrap();
        let after = edit(&["d", "a"], &["b", "x"]).applied_to(&before);
        assert_eq!(after, Ok(tags(&["a", "c", "d"]).unwrap()));
        let full: Vec<String> = (0..32).map(|number| number.to_string()).collect();
        let full: Vec<&str> = full.iter().map(String::as_str).collect();
        let full = tags(&full).unwrap();
        assert_eq!(edit(&["new"], &[]).applied_to(&full), Err(TOO_MANY));
        assert!(edit(&["new"], &["7"]).applied_to(&full).is_ok());
        assert_eq!(edit(&[], &[]).applied_to(&full), Ok(full));
    }
}
