//! JSON as raw text: a strict check of a whole text, and objects whose values stay unparsed.
//!
//! The service returns JSON of callers unchanged (key order, `1.0`, integers beyond 2^53), so it is never parsed into
//! a tree and serialized again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// Checks that `text` is one JSON value that all parsers interpret alike (I-JSON, RFC 7493), and returns the names of its
/// members if it is an object.
///
/// # Errors
/// If the text is not JSON, or has a duplicate key, a lone surrogate, a number beyond `f64`, or more than `max_depth`
/// nested objects and arrays. The message can be shown to the caller.
pub fn check(text: &[u8], max_depth: usize) -> serde_json::Result<Vec<String>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let strict = Strict {
        depth: max_depth,
        keeps_names: true,
    };
    let names = strict.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(names)
}

/// Returns whether `value` has at most `max_depth` nested objects and arrays.
pub fn is_at_most_deep(value: &RawValue, max_depth: usize) -> bool {
    check(value.get().as_bytes(), max_depth).is_ok()
}

/// Returns whether a string in `value` contains NUL, which many programs treat as the end of a string.
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

/// Returns whether two JSON texts have the same value. Numbers are the same only if they are written alike.
pub(crate) fn is_same_value(left: &str, right: &str) -> bool {
    match (
        serde_json::from_str::<Comparable<'_>>(left),
        serde_json::from_str::<Comparable<'_>>(right),
    ) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

/// Returns the length of the JSON string at the start of `text`, with its quotes.
pub(crate) fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return index + 1,
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

/// Returns the empty object.
pub fn empty_object() -> Box<RawValue> {
    raw(&serde_json::Map::new())
}

/// Returns `null`.
pub fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// Serializes `value`. Only for types of this crate, whose serialization cannot fail because their keys are strings.
pub fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a struct with string keys is always JSON")
}

/// Serializes `value` as raw JSON, under the conditions of [`text`].
pub fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("a struct with string keys is always JSON")
}

/// Returns the text of a JSON string; `None` for another value.
pub(crate) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let Text(text) = serde_json::from_str(value.get()).ok()?;
    Some(text)
}

/// Applies a JSON merge patch (RFC 7396) to `target`.
///
/// Members that the patch does not contain keep their text and their position.
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

/// A JSON object with its members in their original order and its values unparsed.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

impl<'a> Object<'a> {
    /// Parses an object; `None` if `text` is not one.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let object = deserializer.deserialize_map(ObjectVisitor).ok()?;
        deserializer.end().ok()?;
        Some(object)
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        Some(value)
    }

    /// Returns the names of the members.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// Replaces the value of `key` in place, or appends it.
    pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: Box<RawValue>) {
        let key = key.into();
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, existing)) => *existing = Cow::Owned(value),
            None => self.0.push((key, Cow::Owned(value))),
        }
    }

    /// Returns the object without borrowed text.
    pub(crate) fn into_owned(self) -> Object<'static> {
        let owned = self.0.into_iter().map(|(key, value)| {
            let value = Cow::Owned(value.into_owned());
            (Cow::Owned(key.into_owned()), value)
        });
        Object(owned.collect())
    }

    /// Removes the member `key`.
    pub(crate) fn remove(&mut self, key: &str) {
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

/// A string, borrowed from the input if it has no escapes.
#[derive(serde::Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A value to compare: members of objects in the order of their names, numbers as text.
#[derive(PartialEq)]
enum Comparable<'a> {
    Object(BTreeMap<Cow<'a, str>, Self>),
    Array(Vec<Self>),
    Text(Cow<'a, str>),
    Literal(&'a str),
}

impl<'de> de::Deserialize<'de> for Comparable<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&'de RawValue>::deserialize(deserializer)?.get();
        let parsed = match text.as_bytes().first() {
            Some(b'{') => serde_json::from_str::<BTreeMap<Text<'_>, Self>>(text).map(|members| {
                Self::Object(
                    members
                        .into_iter()
                        .map(|(Text(name), value)| (name, value))
                        .collect(),
                )
            }),
            Some(b'[') => serde_json::from_str(text).map(Self::Array),
            Some(b'"') => serde_json::from_str(text).map(|Text(text)| Self::Text(text)),
            _ => Ok(Self::Literal(text)),
        };
        parsed.map_err(de::Error::custom)
    }
}

/// A check of a value that keeps nothing. `depth` is the number of levels that may still open.
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
                return Err(de::Error::custom(format_args!("duplicate key {:?}", key.0)));
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
    fn check_rejected(text: &str, expected: &str) {
        let error = check(text.as_bytes(), 3).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[track_caller]
    fn check_merge(target: &str, patch: &str, expected: &str) {
        let target: Box<RawValue> = serde_json::from_str(target).unwrap();
        let patch: Box<RawValue> = serde_json::from_str(patch).unwrap();
        assert_eq!(merge_patch(Some(&target), &patch).get(), expected);
    }

    #[test]
    fn ambiguous_or_malformed_json_is_rejected() {
        check_rejected(r#"{"a":1,"b":{"c":1,"c":2}}"#, "duplicate key \"c\"");
        check_rejected(r#"{"a":1,"\u0061":2}"#, "duplicate key \"a\"");
        check_rejected(r#"["\ud800"]"#, "hex escape");
        check_rejected(r#"["\ud800\u0041"]"#, "surrogate");
        check_rejected("[1e999]", "out of range");
        check_rejected("[NaN]", "expected value");
        check_rejected("{} {}", "trailing characters");
        check_rejected("", "EOF");
        check_rejected("[[[[]]]]", "nested too deeply");
        check_rejected(&"[".repeat(1_000_000), "nested too deeply");
        check(br#"{"a":[{"b":1.0,"c":9007199254740993,"d":null}]}"#, 3).unwrap();
    }

    #[test]
    fn nul_is_found_and_an_escaped_backslash_before_u0000_is_not_nul() {
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
    fn merge_patch_matches_the_examples_of_rfc_7396() {
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
    fn merge_patch_preserves_numbers_and_order() {
        check_merge(
            r#"{"z":1.0,"a":123456789012345678901234567890,"m":1e2}"#,
            r#"{"b":2.50}"#,
            r#"{"z":1.0,"a":123456789012345678901234567890,"m":1e2,"b":2.50}"#,
        );
    }
}
