//! The names of the members that a struct is deserialized from, taken from its `Deserialize` implementation.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// Returns the names of the members of `T`; an empty list if `T` is not a struct.
pub(crate) fn field_names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    match T::deserialize(FieldNames) {
        Err(Found(names)) => names,
        Ok(_) => &[],
    }
}

/// A deserializer without a value: it fails with the names that the struct asks for.
struct FieldNames;

/// The names, as the error of [`FieldNames`].
#[derive(Debug)]
struct Found(&'static [&'static str]);

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Found {}

impl de::Error for Found {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for FieldNames {
    type Error = Found;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Found> {
        Err(Found(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Found> {
        Err(Found(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only the names are read")]
    struct Example {
        a: String,
        #[serde(default, rename = "type")]
        kind: Option<u8>,
    }

    #[derive(serde::Deserialize)]
    #[serde(tag = "type", content = "payload")]
    #[allow(dead_code, reason = "only the names are read")]
    enum Tagged {
        A(Example),
    }

    #[test]
    fn names_are_those_of_the_serialized_form() {
        assert_eq!(field_names::<Example>(), ["a", "type"]);
        assert_eq!(field_names::<Tagged>(), ["type", "payload"]);
        assert_eq!(field_names::<String>(), [""; 0]);
    }
}
