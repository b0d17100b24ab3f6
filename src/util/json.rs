//! JSON as it was sent: a strict check of a whole text, and objects whose values stay raw text.
//!
//! What callers attach to sessions and messages comes back to the letter (key order, `1.0`, integers
//! beyond 2^53), so it is never parsed into a tree and built again.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// Why a text is refused by [`check`].
pub type Refusal = serde_json::Error;

/// Checks that `text` is one JSON value that every parser understands alike, and returns the names of its members if it is
/// an object.
///
/// # Errors
/// On anything that is not JSON, an object that names a key twice, a string with a lone surrogate, a
/// number no `f64` can hold, and more than `max_depth` objects and arrays within each other. The
/// message is fit for the caller.
pub fn check(text: &[u8], max_depth: usize) -> Result<Vec<String>, Refusal> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let strict = Strict {
        depth: max_depth,
        keeps_names: true,
    };
    let names = strict.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(names)
}

/// Whether `value` holds at most `max_depth` objects and arrays within each other.
pub fn is_at_most_deep(value: &RawValue, max_depth: usize) -> bool {
    check(value.get().as_bytes(), max_depth).is_ok()
}

/// Whether a string in `value` holds the character NUL, which many programs take for its end.
pub fn has_nul(value: &RawValue) -> bool {
    const NUL: &str = "\\u0000";
    let text = value.get();
    text.match_indices(NUL).any(|(at, _)| {
        let backslashes = text[..at]
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\')
            .count();
        backslashes % 2 == 0
    })
}

/// The empty object.
pub fn empty_object() -> Box<RawValue> {
    raw(&serde_json::Map::new())
}

/// `null`.
pub fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// `value` as JSON text. Only for our own types, whose keys are strings: those cannot fail.
pub fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a struct with string keys is always JSON")
}

/// `value` as raw JSON, under the conditions of [`text`].
pub fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("a struct with string keys is always JSON")
}

/// Applies a JSON merge patch (RFC 7396) to `target`.
///
/// Members that the patch does not name keep their text and their place.
pub fn merge_patch(target: Option<&RawValue>, patch: &RawValue) -> Box<RawValue> {
    let Some(changes) = Object::parse(patch.get()) else {
        return patch.to_owned();
    };
    let mut merged = target
        .and_then(|target| Object::parse(target.get()))
        .unwrap_or_default();
    for (key, change) in changes.0 {
        if change.get() == "null" {
            merged.remove(&key);
        } else {
            let value = merge_patch(merged.get(&key), &change);
            merged.set(key, value);
        }
    }
    raw(&merged)
}

/// A JSON object in the order it was written, its values unparsed.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

impl<'a> Object<'a> {
    /// Reads an object; nothing if `text` is not one.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = deserializer.deserialize_map(ObjectVisitor).ok()?;
        deserializer.end().ok()?;
        Some(object)
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        Some(value)
    }

    /// Replaces the value of `key` where it stands, or adds it at the end.
    pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: Box<RawValue>) {
        let key = key.into();
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, place)) => *place = Cow::Owned(value),
            None => self.0.push((key, Cow::Owned(value))),
        }
    }

    fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value.as_ref())?;
        }
        map.end()
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Text(key)) = map.next_key()? {
            members.push((key, Cow::Borrowed(map.next_value::<&'de RawValue>()?)));
        }
        Ok(Object(members))
    }
}

/// A string, borrowed from the input where it has no escapes.
#[derive(serde::Deserialize, PartialEq, Eq, Hash)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Walks over a value and keeps nothing; `depth` is how many levels may still open.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
    /// Whether the names of the members are returned.
    keeps_names: bool,
}

impl Strict {
    fn descend<E: de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self {
                depth,
                keeps_names: false,
            }),
            None => Err(E::custom("nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Vec<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E>(self) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E>(self, _: &str) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
        let inner = self.descend()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let inner = self.descend()?;
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if keys.contains(&key) {
                return Err(de::Error::custom(format_args!(
                    "the key {:?} is there twice",
                    key.0
                )));
            }
            keys.insert(key);
            map.next_value_seed(inner)?;
        }
        let names = keys.into_iter().filter(|_| self.keeps_names);
        Ok(names.map(|Text(name)| name.into_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, why: &str) {
        let refusal = check(text.as_bytes(), 3).unwrap_err().to_string();
        assert!(refusal.contains(why), "{refusal}");
    }

    #[track_caller]
    fn check_merge(target: &str, patch: &str, expected: &str) {
        let target: Box<RawValue> = serde_json::from_str(target).unwrap();
        let patch: Box<RawValue> = serde_json::from_str(patch).unwrap();
        assert_eq!(merge_patch(Some(&target), &patch).get(), expected);
    }

    #[test]
    fn what_readers_understand_differently_is_refused() {
        check_refused(r#"{"a":1,"b":{"c":1,"c":2}}"#, "\"c\" is there twice");
        check_refused(r#"{"a":1,"\u0061":2}"#, "\"a\" is there twice");
        check_refused(r#"["\ud800"]"#, "hex escape");
        check_refused(r#"["\ud800\u0041"]"#, "surrogate");
        check_refused("[1e999]", "out of range");
        check_refused("[NaN]", "expected value");
        check_refused("{} {}", "trailing characters");
        check_refused("", "EOF");
        check_refused("[[[[]]]]", "nested too deeply");
        check_refused(&"[".repeat(1_000_000), "nested too deeply");
        check(br#"{"a":[{"b":1.0,"c":9007199254740993,"d":null}]}"#, 3).unwrap();
    }

    #[test]
    fn a_nul_is_found_and_its_spelling_is_not() {
        for (text, expected) in [
            (r#""\u0000""#, true),
            (r#"{"a\u0000":[]}"#, true),
            (r#""\\\u0000""#, true),
            (r#""\\u0000""#, false),
            (r#""\u0001""#, false),
        ] {
            let value: Box<RawValue> = serde_json::from_str(text).unwrap();
            assert_eq!(has_nul(&value), expected, "{text}");
        }
    }

    #[test]
    fn merge_patch_is_that_of_rfc_7396() {
        check_merge(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check_merge(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
        check_merge(r#"{"a":"b"}"#, r#"{"a":null}"#, "{}");
        check_merge(r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#);
        check_merge(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check_merge(r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#);
        check_merge(
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        );
        check_merge(r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#);
        check_merge(r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#);
        check_merge(r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#);
        check_merge(r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#);
        check_merge("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#);
        check_merge("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#);
    }

    #[test]
    fn a_merge_leaves_numbers_and_order_as_they_were() {
        check_merge(
            r#"{"z":1.0,"a":123456789012345678901234567890,"m":1e2}"#,
            r#"{"b":2.50}"#,
            r#"{"z":1.0,"a":123456789012345678901234567890,"m":1e2,"b":2.50}"#,
        );
    }
}
