//! Parts of a message, and the text that is made of them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::util::json::{self, Text};

/// The maximum number of parts of a message.
pub const MAX_PARTS: usize = 256;
/// The maximum size of all parts of a message together, in bytes of JSON.
pub const MAX_PARTS_BYTES: usize = 1024 * 1024;
/// The maximum nesting depth of parts; the list of parts is the first level.
pub const MAX_PARTS_DEPTH: usize = 32;
/// The maximum length of the type of a part, in characters.
pub const MAX_PART_TYPE_CHARS: usize = 64;

/// The parts of a message: up to 256 objects with a `type`, stored byte for byte.
#[derive(Clone, Debug, Serialize)]
pub struct Parts(Box<RawValue>);

/// The members of a part that the service reads.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

impl Parts {
    /// Returns the parts as JSON.
    pub(super) fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// Returns the text of the parts: that of the parts of type `text`, in order, separated by empty lines.
    pub(super) fn text(&self) -> String {
        let parts: Vec<&RawValue> = serde_json::from_str(self.0.get()).unwrap_or_default();
        let texts = parts.iter().filter_map(|part| {
            let part: Part<'_> = serde_json::from_str(part.get()).ok()?;
            let Text(text) = serde_json::from_str(part.text?.get()).ok()?;
            (part.kind.0 == "text").then_some(text)
        });
        texts.collect::<Vec<Cow<'_, str>>>().join("\n\n")
    }
}

impl TryFrom<Box<RawValue>> for Parts {
    type Error = String;

    fn try_from(value: Box<RawValue>) -> Result<Self, String> {
        if value.get().len() > MAX_PARTS_BYTES {
            return Err("must not be larger than 1 MB together".to_owned());
        }
        if !json::is_at_most_deep(&value, MAX_PARTS_DEPTH) {
            return Err(format!(
                "must not be nested deeper than {MAX_PARTS_DEPTH} levels"
            ));
        }
        if json::has_nul(&value) {
            return Err("must not contain the NUL character".to_owned());
        }
        let parts: Vec<&RawValue> =
            serde_json::from_str(value.get()).map_err(|_| "must be an array".to_owned())?;
        if parts.len() > MAX_PARTS {
            return Err(format!("must be at most {MAX_PARTS} parts"));
        }
        for (index, part) in parts.iter().enumerate() {
            let has_type = part.get().starts_with('{')
                && serde_json::from_str(part.get()).is_ok_and(|part: Part<'_>| {
                    (1..=MAX_PART_TYPE_CHARS).contains(&part.kind.0.chars().count())
                });
            if !has_type {
                return Err(format!(
                    "must be objects with a `type` of 1 to {MAX_PART_TYPE_CHARS} characters; part {index} is not"
                ));
            }
        }
        Ok(Self(value))
    }
}

// Not `try_from`: serde would buffer the value, and a `RawValue` cannot be read from that buffer.
impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        value.try_into().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Parts, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn text_joins_text_parts_by_an_empty_line() {
        let text = |parts| parse(parts).unwrap().text();
        assert_eq!(
            text(r#"[{"type":"text","text":"a\n"},{"type":"file"},{"text":"b","type":"text"}]"#),
            "a\n\n\nb"
        );
        assert_eq!(
            text(r#"[{"type":"reasoning","text":"a"},{"type":"text"}]"#),
            ""
        );
        assert_eq!(text(r#"[{"type":"text","text":5}]"#), "");
        assert_eq!(text("[]"), "");
    }

    #[test]
    fn parts_are_bounded_and_have_types() {
        let many = |count: usize| format!("[{}]", vec![r#"{"type":"x"}"#; count].join(","));
        let deep = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"[{{"type":"x","data":{open}{close}}}]"#)
        };
        let large = |bytes: usize| format!(r#"[{{"type":"x","a":"{}"}}]"#, "a".repeat(bytes));
        let odd_names = format!(
            r#"[{{"type":"x","__proto__":1,"":2,"{}":3}}]"#,
            "k".repeat(10_000)
        );
        for parts in [many(256), deep(30), large(MAX_PARTS_BYTES - 21), odd_names] {
            assert_eq!(parse(&parts).unwrap().as_raw().get(), parts);
        }
        for parts in [many(257), deep(31), large(MAX_PARTS_BYTES - 20)] {
            assert!(parse(&parts).is_err());
        }
        for parts in [
            "{}",
            "[1]",
            "[[]]",
            "[{}]",
            r#"[{"type":""}]"#,
            r#"[{"type":null}]"#,
            r#"[{"type":"text","text":"\u0000"}]"#,
            &format!(r#"[{{"type":"{}"}}]"#, "t".repeat(65)),
        ] {
            assert!(parse(parts).is_err(), "{parts}");
        }
    }
}
