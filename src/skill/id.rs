//! Ids of skills. No I/O.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::util::hash::sha256_hex;
use crate::util::unicode::{is_combining_mark, is_nfc, to_nfc, to_nfkd};

/// The maximum length of an id, in bytes.
pub const MAX_SKILL_ID_BYTES: usize = 600;
/// The maximum length of an id that is derived from a name, in characters.
const MAX_NEW_SKILL_ID_CHARS: usize = 64;

/// The id of a skill, unique in its volume: the file name of its document without `.md`.
///
/// A new id matches `[a-z0-9]+(-[a-z0-9]+)*` and has at most 64 characters. Ids of older files can have other forms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SkillId(String);

impl SkillId {
    /// Parses an id; `None` if no document can have it.
    ///
    /// An id is 1–600 bytes of text without `/` and NUL, and is neither `.` nor `..`. Other programs may have stored any
    /// of them.
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = (1..=MAX_SKILL_ID_BYTES).contains(&text.len())
            && !text.contains(['/', '\0'])
            && text != "."
            && text != "..";
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Returns the id in Unicode normal form C; `None` if it is.
    pub fn normalized(&self) -> Option<Self> {
        (!is_nfc(&self.0)).then(|| Self(to_nfc(&self.0).into_owned()))
    }

    /// Returns why a client may not show or type the id as it is; `None` for ids of this service and of the Python
    /// version.
    pub fn warning(&self) -> Option<&'static str> {
        let is_plain_character = |character| matches!(character, ' '..='~') && character != '\\';
        let is_plain = self.0.trim() == self.0 && self.0.chars().all(is_plain_character);
        (!is_plain).then_some(
            "the id has characters that ids of this service do not have; use it exactly as it is listed",
        )
    }

    /// Derives the id of a new skill from its name: `Hello World` becomes `hello-world`.
    ///
    /// Accents are removed, letters become lower case, and other characters between ASCII letters and digits become
    /// one `-`. A name without ASCII letters and digits, such as `日本`, becomes `skill-` and 8 digits of its hash.
    pub fn from_name(name: &str) -> Self {
        let mut slug = String::new();
        for character in to_nfkd(name).filter(|character| !is_combining_mark(*character)) {
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

    /// Returns whether the id has the form of new ids.
    pub fn is_strict(&self) -> bool {
        self.0.len() <= MAX_NEW_SKILL_ID_CHARS
            && self.0.split('-').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            })
    }

    /// Returns the id with a number at its end, such as `hello-world-2`, in the form of new ids.
    pub fn with_number(&self, number: usize) -> Self {
        let suffix = format!("-{number}");
        let end = self.0.len().min(MAX_NEW_SKILL_ID_CHARS - suffix.len());
        let start = self.0.get(..end).unwrap_or_default();
        Self(format!("{}{suffix}", start.trim_end_matches('-')))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of a new skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewId {
    /// The id.
    pub id: SkillId,
    /// Whether the client chose it. If not, it is derived from the name, and another id may replace it.
    pub is_chosen: bool,
}

impl NewId {
    /// Returns the id that a client chose.
    pub fn chosen(id: SkillId) -> Self {
        Self {
            id,
            is_chosen: true,
        }
    }

    /// Returns the id that is derived from a name.
    pub fn from_name(name: &str) -> Self {
        Self {
            id: SkillId::from_name(name),
            is_chosen: false,
        }
    }
}

/// An id that a client chooses for a new skill, in the form of new ids.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ChosenId(SkillId);

impl ChosenId {
    /// Returns the id.
    pub fn into_id(self) -> SkillId {
        self.0
    }
}

impl TryFrom<String> for ChosenId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let id = SkillId::parse(&text).filter(SkillId::is_strict);
        id.map(Self)
            .ok_or("must be 1 to 64 of a-z and 0-9, with single - between them")
    }
}

impl fmt::Display for SkillId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
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
    fn id_is_derived_from_the_name() {
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
    fn name_without_ascii_letters_and_digits_gets_a_hash_id() {
        let ids: Vec<SkillId> = ["---", "日本", "", "日本語"].map(SkillId::from_name).into();
        for (index, id) in ids.iter().enumerate() {
            assert!(id.as_str().starts_with("skill-") && id.as_str().len() == 14);
            assert!(id.is_strict() && !ids[..index].contains(id));
        }
    }

    #[test]
    fn numbered_id_is_strict_and_keeps_its_limit() {
        let numbered = |name: &str, number| SkillId::from_name(name).with_number(number);
        assert_eq!(numbered("C++", 2).as_str(), "c-2");
        assert_eq!(numbered("日本", 10).as_str().len(), 17);
        let long = numbered(&"x".repeat(64), 10);
        assert_eq!(long.as_str(), format!("{}-10", "x".repeat(61)));
        assert!(numbered(&format!("{} b", "x".repeat(60)), 10).is_strict());
    }

    #[test]
    fn chosen_id_has_the_form_of_new_ids() {
        let parse = |text: &str| ChosenId::try_from(text.to_owned()).map(ChosenId::into_id);
        assert_eq!(parse("c-sharp"), Ok(SkillId("c-sharp".to_owned())));
        for text in [
            "",
            "C",
            "c_sharp",
            "c--sharp",
            "-c",
            "c#",
            "c/d",
            "..",
            &"x".repeat(65),
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn older_id_forms_parse_and_are_not_strict() {
        for id in ["data_analysis", "v2.1 x", "a--b", "-", "..."] {
            let id = SkillId::parse(id).unwrap();
            assert!(!id.is_strict() && id.warning().is_none(), "{id}");
        }
    }

    #[test]
    fn id_of_another_program_parses_and_has_a_warning() {
        for id in [
            "Größe v2.1",
            "日本",
            "a\\b",
            "a\n",
            " a",
            "a ",
            "a\u{202e}b",
            "a\u{200f}",
            "e\u{301}",
        ] {
            let id = SkillId::parse(id).unwrap();
            assert!(!id.is_strict() && id.warning().is_some(), "{id}");
        }
        let normal = |id| SkillId::parse(id).unwrap().normalized();
        assert_eq!(normal("e\u{301}"), SkillId::parse("\u{e9}"));
        assert_eq!(normal("\u{e9}"), None);
    }

    #[test]
    fn id_that_is_not_one_segment_is_rejected() {
        for id in ["", ".", "..", "a/b", "a\0", &"x".repeat(601)] {
            assert!(SkillId::parse(id).is_none(), "{id:?}");
        }
    }
}
