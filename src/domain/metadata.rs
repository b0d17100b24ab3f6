//! Metadata: what callers attach to a session, and its limits. No I/O.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::util::json;

/// The largest metadata, in bytes of JSON.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
/// How many objects and arrays metadata may hold within each other.
pub const MAX_METADATA_DEPTH: usize = 8;

/// What a caller attaches to a session: a JSON object of at most 16 KB and 8 levels, kept to the letter.
#[derive(Clone, Debug, Serialize)]
pub struct Metadata(Box<RawValue>);

impl Metadata {
    /// This metadata as a merge patch (RFC 7396) on `stored`.
    ///
    /// # Errors
    /// If what comes out is over a limit; the text says which.
    pub fn merged_into(&self, stored: Option<&RawValue>) -> Result<Self, &'static str> {
        json::merge_patch(stored, &self.0).try_into()
    }

    /// The metadata as JSON.
    pub fn into_raw(self) -> Box<RawValue> {
        self.0
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self(json::empty_object())
    }
}

impl TryFrom<Box<RawValue>> for Metadata {
    type Error = &'static str;

    fn try_from(value: Box<RawValue>) -> Result<Self, Self::Error> {
        if !value.get().starts_with('{') {
            return Err("must be an object");
        }
        if value.get().len() > MAX_METADATA_BYTES {
            return Err("must not be larger than 16 KB");
        }
        if !json::is_at_most_deep(&value, MAX_METADATA_DEPTH) {
            return Err("must not be nested deeper than 8 levels");
        }
        if json::has_nul(&value) {
            return Err("must not hold the character NUL");
        }
        Ok(Self(value))
    }
}

// Not `try_from`: it would go through a buffer that a raw value cannot be read from.
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        value.try_into().map_err(serde::de::Error::custom)
    }
}
