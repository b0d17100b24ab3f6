//! What a caller may put into the fields of a skill.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::yaml::flow_list;
use crate::util::json;

/// The largest description, in bytes.
pub const MAX_DESCRIPTION_BYTES: usize = 8 * 1024;
/// The largest code, in bytes.
pub const MAX_CODE_BYTES: usize = 512 * 1024;
/// The longest run of one character that a fence around code may have to be longer than.
pub const MAX_FENCE_RUN: usize = 1000;
/// The longest name of a language, in characters.
pub const MAX_LANGUAGE_CHARS: usize = 64;
/// How many tags or keywords a skill has at most.
pub const MAX_TAGS: usize = 1000;
/// The longest tag, keyword or label, in characters.
pub const MAX_LABEL_CHARS: usize = 256;
/// The largest list of tags or keywords, in bytes of all of them together.
pub const MAX_TAGS_BYTES: usize = 16 * 1024;
/// The largest list of tags or keywords, in bytes as it is written: only hidden characters make it larger.
const MAX_WRITTEN_TAGS_BYTES: usize = 36 * 1024;
/// The largest description of inputs or outputs, in bytes of JSON.
pub const MAX_PARAMETERS_BYTES: usize = 16 * 1024;
/// How many objects and arrays inputs or outputs may hold within each other.
pub const MAX_PARAMETERS_DEPTH: usize = 16;

/// What a skill is for: up to 8 KB, kept to the letter, without control characters but tabs and line ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Description(String);

impl Description {
    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Description {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > MAX_DESCRIPTION_BYTES {
            return Err("must not be larger than 8 KB");
        }
        if text
            .chars()
            .any(|it| it.is_control() && !matches!(it, '\t' | '\n' | '\r'))
        {
            return Err("must not hold control characters but tabs and line ends");
        }
        Ok(Self(text))
    }
}

/// The code of a skill: up to 512 KB, kept to the letter, without NUL.
///
/// It stands in the document within a fence, which is longer than the longest run of backticks, or of
/// tildes, in the code: one of both must be at most 1,000.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Code(String);

impl Code {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Code {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > MAX_CODE_BYTES {
            return Err("must not be larger than 512 KB");
        }
        if text.contains('\0') {
            return Err("must not hold the character NUL");
        }
        if longest_run(&text, '`').min(longest_run(&text, '~')) > MAX_FENCE_RUN {
            return Err("must not hold more than 1,000 backticks and 1,000 tildes in a row");
        }
        Ok(Self(text))
    }
}

/// How often `character` stands in a row in `text` at most.
pub(super) fn longest_run(text: &str, character: char) -> usize {
    text.split(|it| it != character)
        .map(str::len)
        .max()
        .unwrap_or(0)
}

/// The language of the code: 1–64 of `A–Z a–z 0–9 + # . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Language(String);

impl Language {
    /// The language as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Language {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+#._-".contains(&byte);
        let valid = (1..=MAX_LANGUAGE_CHARS).contains(&text.len()) && text.bytes().all(allowed);
        valid
            .then_some(Self(text))
            .ok_or("must be 1 to 64 of A-Z a-z 0-9 + # . _ -")
    }
}

/// Tags or keywords: up to 1,000, each 1–256 characters without control characters, 16 KB together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Tags(Vec<String>);

impl Tags {
    /// The tags in the order they were given.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for Tags {
    type Error = &'static str;

    fn try_from(tags: Vec<String>) -> Result<Self, Self::Error> {
        if tags.len() > MAX_TAGS {
            return Err("must not be more than 1,000");
        }
        if !tags.iter().all(|tag| is_label(tag)) {
            return Err("must each be 1 to 256 characters, none a control character");
        }
        if tags.iter().map(String::len).sum::<usize>() > MAX_TAGS_BYTES {
            return Err("must not be larger than 16 KB together");
        }
        if flow_list(&tags).len() > MAX_WRITTEN_TAGS_BYTES {
            return Err("must not hold so many characters that have to be escaped");
        }
        Ok(Self(tags))
    }
}

/// One line about a skill, as its category or version: 1–256 characters, none a control character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(String);

impl Label {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        is_label(&text)
            .then_some(Self(text))
            .ok_or("must be 1 to 256 characters, none a control character")
    }
}

fn is_label(text: &str) -> bool {
    (1..=MAX_LABEL_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// The inputs or outputs of a skill: a JSON array of objects of at most 16 KB and 16 levels, kept to the
/// letter.
#[derive(Clone, Debug, Serialize)]
pub struct Parameters(Box<RawValue>);

impl Parameters {
    /// The parameters as JSON.
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }
}

impl TryFrom<Box<RawValue>> for Parameters {
    type Error = &'static str;

    fn try_from(value: Box<RawValue>) -> Result<Self, Self::Error> {
        if value.get().len() > MAX_PARAMETERS_BYTES {
            return Err("must not be larger than 16 KB");
        }
        let items: Vec<&RawValue> =
            serde_json::from_str(value.get()).map_err(|_| "must be an array of objects")?;
        if !items.iter().all(|item| item.get().starts_with('{')) {
            return Err("must be an array of objects");
        }
        // Beside the depth, this refuses keys that are there twice and strings with half a character.
        if !json::is_at_most_deep(&value, MAX_PARAMETERS_DEPTH) {
            return Err("must not be nested deeper than 16 levels or hold a key twice");
        }
        if json::has_nul(&value) {
            return Err("must not hold the character NUL");
        }
        Ok(Self(value))
    }
}

// Not `try_from`: it would go through a buffer that a raw value cannot be read from.
impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        value.try_into().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::Name;

    #[track_caller]
    fn check<T: TryFrom<String, Error = &'static str>>(accepted: &[&str], refused: &[&str]) {
        for text in accepted {
            assert!(T::try_from((*text).to_owned()).is_ok(), "{text:?}");
        }
        for text in refused {
            assert!(T::try_from((*text).to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn fields_take_what_their_limits_say() {
        check::<Name>(
            &["a", " ü ", &"é".repeat(200)],
            &["", "  ", "a\nb", "a\0", &"é".repeat(201)],
        );
        check::<Description>(
            &["", "a\n\tb\r\n", &"x".repeat(8192)],
            &["a\0", "\u{1b}", "\u{85}", &"x".repeat(8193)],
        );
        check::<Code>(
            &["", "\u{1b}\r", &"`".repeat(5000)],
            &["\0", &"x".repeat(MAX_CODE_BYTES + 1)],
        );
        check::<Code>(&[], &[&("`".repeat(1001) + &"~".repeat(1001))]);
        check::<Language>(
            &["c++", "C#", "objective-c", ".net"],
            &["", "a b", "a\n", "é", &"x".repeat(65)],
        );
        check::<Label>(&["1.10", &"é".repeat(256)], &["", "a\n", &"é".repeat(257)]);
    }

    #[test]
    fn tags_are_counted_each_and_together() {
        let tags = |count: usize, tag: &str| Tags::try_from(vec![tag.to_owned(); count]);
        assert!(tags(1000, "0123456789abcdef").is_ok() && tags(64, &"x".repeat(256)).is_ok());
        assert!(tags(1001, "a").is_err() && tags(65, &"x".repeat(256)).is_err());
        assert!(tags(1, "").is_err() && tags(1, "a\n").is_err());
        assert!(tags(900, "\u{e0041}\u{e0041}\u{e0041}\u{e0041}").is_err());
    }

    #[test]
    fn parameters_are_an_array_of_objects() {
        let parse = |json: &str| serde_json::from_str::<Parameters>(json);
        assert!(parse("[]").is_ok() && parse(r#"[{"name":"a","default":[1.0,null]}, {}]"#).is_ok());
        for json in [
            "{}",
            "[1]",
            "null",
            "[{},[]]",
            r#"[{"a":1,"a":2}]"#,
            r#"[{"a":"\u0000"}]"#,
            r#"[{"a":"\ud800"}]"#,
            &format!("[{{\"a\":{}{}}}]", "[".repeat(16), "]".repeat(16)),
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
