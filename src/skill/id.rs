//! Ids of skills: the stems of their files' names.

use std::fmt;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::is_nfc;

use crate::domain::file_path::turns_direction;
use crate::util::hash::sha256_hex;

/// The longest id that is looked up, in bytes.
pub const MAX_SKILL_ID_BYTES: usize = 200;
/// The longest id that is made from a name, in characters.
pub const MAX_NEW_SKILL_ID_CHARS: usize = 64;

/// Names one skill within its volume: the stem of its document's file.
///
/// Ours are `[a-z0-9]+(-[a-z0-9]+)*`, up to 64 characters. Old files have stems of other shapes, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SkillId(String);

impl SkillId {
    /// Takes an id as a caller or a file's name has it; nothing where no skill can have it.
    ///
    /// An id is 1–200 bytes of text in NFC without `/`, `\`, control characters and those that turn the
    /// direction of text, does not begin or end with a blank, and is neither `.` nor `..`.
    pub fn parse(text: &str) -> Option<Self> {
        let possible = (1..=MAX_SKILL_ID_BYTES).contains(&text.len())
            && !text.chars().any(is_refused)
            && text.trim() == text
            && text != "."
            && text != ".."
            && is_nfc(text);
        possible.then(|| Self(text.to_owned()))
    }

    /// The id of a new skill: `Hello World` becomes `hello-world`.
    ///
    /// Letters lose their accents and their case, and all between ASCII letters and digits becomes one
    /// `-`. A name without either, as `日本`, becomes `skill-` and 8 digits of its hash.
    pub fn from_name(name: &str) -> Self {
        let mut slug = String::new();
        for character in name.nfkd().filter(|it| !is_combining_mark(*it)) {
            if character.is_ascii_alphanumeric() {
                slug.push(character.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() > MAX_NEW_SKILL_ID_CHARS {
                break;
            }
        }
        slug.truncate(MAX_NEW_SKILL_ID_CHARS);
        let slug = slug.trim_end_matches('-');
        if slug.is_empty() {
            return Self(format!("skill-{}", sha256_hex::<4>(&[name.as_bytes()])));
        }
        Self(slug.to_owned())
    }

    /// Whether the id has the shape that new ids have.
    pub fn is_strict(&self) -> bool {
        self.0.len() <= MAX_NEW_SKILL_ID_CHARS
            && self.0.split('-').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SkillId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_refused(character: char) -> bool {
    character == '/' || character == '\\' || character.is_control() || turns_direction(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_slug(name: &str, expected: &str) {
        let id = SkillId::from_name(name);
        assert_eq!(id.as_str(), expected);
        assert!(id.is_strict());
        assert_eq!(SkillId::parse(expected), Some(id));
    }

    #[test]
    fn names_become_ids() {
        check_slug("Hello World", "hello-world");
        check_slug("  Größe & Café__2 ", "gro-e-cafe-2");
        check_slug("ﬁle Ⅳ ４２", "file-iv-42");
        check_slug("a---b", "a-b");
        check_slug("../../etc/passwd", "etc-passwd");
        check_slug(&"ab ".repeat(100), &"ab-".repeat(22)[..64]);
        check_slug(
            &format!("{} b", "x".repeat(63)),
            &format!("{}-b", "x".repeat(63))[..63],
        );
    }

    #[test]
    fn names_without_letters_or_digits_have_ids_too() {
        let ids: Vec<SkillId> = ["---", "日本", "", "日本語"].map(SkillId::from_name).into();
        for (index, id) in ids.iter().enumerate() {
            assert!(id.as_str().starts_with("skill-") && id.as_str().len() == 14);
            assert!(id.is_strict() && !ids[..index].contains(id));
        }
    }

    #[test]
    fn old_ids_of_other_shapes_are_ids() {
        for id in ["data_analysis", "Größe v2.1", "a--b", "-", "日本", "..."] {
            assert!(SkillId::parse(id).is_some(), "{id}");
            assert!(!SkillId::parse(id).unwrap().is_strict(), "{id}");
        }
    }

    #[test]
    fn what_could_leave_its_folder_or_mislead_is_no_id() {
        for id in [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a\0",
            "a\n",
            " a",
            "a ",
            "a\u{202e}b",
            "e\u{301}",
            &"x".repeat(201),
        ] {
            assert!(SkillId::parse(id).is_none(), "{id:?}");
        }
    }
}
