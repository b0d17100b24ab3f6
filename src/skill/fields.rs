//! The types of a skill's fields, and their limits.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::yaml::write_flow_sequence;
use crate::util::json;

/// The maximum size of a description, in bytes.
pub const MAX_DESCRIPTION_BYTES: usize = 8 * 1024;
/// The maximum size of the code, in bytes.
pub const MAX_CODE_BYTES: usize = 512 * 1024;
/// The maximum number of consecutive fence characters in code: the code fence must be longer than they are.
pub const MAX_FENCE_RUN: usize = 1000;
/// The maximum length of a language, in characters.
pub const MAX_LANGUAGE_CHARS: usize = 64;
/// The maximum number of tags or keywords.
pub const MAX_TAGS: usize = 1000;
/// The maximum length of a tag, keyword or label, in characters.
pub const MAX_LABEL_CHARS: usize = 256;
/// The maximum total size of all tags or keywords, in bytes.
const MAX_TAGS_BYTES: usize = 16 * 1024;
/// The maximum size of tags or keywords as YAML, in bytes. Only escaped characters can exceed it.
const MAX_WRITTEN_TAGS_BYTES: usize = 36 * 1024;
/// The maximum size of inputs or outputs, in bytes of JSON.
const MAX_PARAMETERS_BYTES: usize = 16 * 1024;
/// The maximum nesting depth of inputs or outputs.
const MAX_PARAMETERS_DEPTH: usize = 16;

/// A description: up to 8 KB, stored byte for byte, without control characters other than tabs and line endings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Description(String);

impl Description {
    /// Returns the description as text.
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
            .any(|character| character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
        {
            return Err("must not contain control characters other than tabs and line endings");
        }
        Ok(Self(text))
    }
}

/// The code of a skill: up to 512 KB, stored byte for byte, without NUL.
///
/// The code fence in the document is longer than the longest run of backticks or of tildes in the code. One of these
/// runs must have at most 1,000 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Code(String);

impl Code {
    /// Returns the code as text.
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
            return Err("must not contain the NUL character");
        }
        if longest_run(&text, '`').min(longest_run(&text, '~')) > MAX_FENCE_RUN {
            return Err(
                "must not contain runs of more than 1,000 backticks and of more than 1,000 tildes",
            );
        }
        Ok(Self(text))
    }
}

/// Returns the length of the longest run of `character` in `text`.
pub(super) fn longest_run(text: &str, character: char) -> usize {
    text.split(|other| other != character)
        .map(str::len)
        .max()
        .unwrap_or(0)
}

/// A programming language: 1–64 of `A–Z a–z 0–9 + # . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Language(String);

impl Language {
    /// Returns the language as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Language {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+#._-".contains(&byte);
        let is_valid =
            (1..=MAX_LANGUAGE_CHARS).contains(&text.len()) && text.bytes().all(is_allowed);
        is_valid
            .then_some(Self(text))
            .ok_or("must be 1 to 64 of A-Z a-z 0-9 + # . _ -")
    }
}

/// Tags or keywords: up to 1,000, each 1–256 characters without control characters, 16 KB in total.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Tags(Vec<String>);

impl Tags {
    /// Returns the tags in the given order.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for Tags {
    type Error = &'static str;

    fn try_from(tags: Vec<String>) -> Result<Self, Self::Error> {
        if tags.len() > MAX_TAGS {
            return Err("must not have more than 1,000 items");
        }
        if !tags.iter().all(|tag| is_label(tag)) {
            return Err("must each be 1 to 256 characters without control characters");
        }
        if tags.iter().map(String::len).sum::<usize>() > MAX_TAGS_BYTES {
            return Err("must not be larger than 16 KB in total");
        }
        if write_flow_sequence(&tags).len() > MAX_WRITTEN_TAGS_BYTES {
            return Err("must not contain so many characters that YAML escapes");
        }
        Ok(Self(tags))
    }
}

/// A one-line value, such as a category or a version: 1–256 characters without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(String);

impl Label {
    /// Returns the label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        is_label(&text)
            .then_some(Self(text))
            .ok_or("must be 1 to 256 characters without control characters")
    }
}

fn is_label(text: &str) -> bool {
    (1..=MAX_LABEL_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// The inputs or outputs of a skill: a JSON array of objects of at most 16 KB and 16 levels, kept unchanged.
#[derive(Clone, Debug, Serialize)]
pub struct Parameters(Box<RawValue>);

impl Parameters {
    /// Returns the parameters as JSON.
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
        // The strict check also rejects duplicate keys and unpaired surrogates.
        if !json::is_at_most_deep(&value, MAX_PARAMETERS_DEPTH) {
            return Err("must not be nested deeper than 16 levels or contain duplicate keys");
        }
        if json::has_nul(&value) {
            return Err("must not contain the NUL character");
        }
        Ok(Self(value))
    }
}

// Not `try_from`: serde would buffer the value, and a `RawValue` cannot be read from that buffer.
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
    fn check<T: TryFrom<String, Error = &'static str>>(accepted: &[&str], rejected: &[&str]) {
        for text in accepted {
            assert!(T::try_from((*text).to_owned()).is_ok(), "{text:?}");
        }
        for text in rejected {
            assert!(T::try_from((*text).to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn fields_accept_values_within_their_limits() {
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
    fn tags_are_limited_individually_and_in_total() {
        let tags = |count: usize, tag: &str| Tags::try_from(vec![tag.to_owned(); count]);
        assert!(tags(1000, "0123456789abcdef").is_ok() && tags(64, &"x".repeat(256)).is_ok());
        assert!(tags(1001, "a").is_err() && tags(65, &"x".repeat(256)).is_err());
        assert!(tags(1, "").is_err() && tags(1, "a\n").is_err());
        assert!(tags(900, "\u{e0041}\u{e0041}\u{e0041}\u{e0041}").is_err());
    }

    #[test]
    fn parameters_other_than_an_array_of_objects_are_rejected() {
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
