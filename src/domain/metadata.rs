//! Metadata of sessions and messages, and its limits. No I/O.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::util::json;

/// The maximum size of metadata, in bytes of JSON.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
/// The maximum nesting depth of metadata.
pub const MAX_METADATA_DEPTH: usize = 8;

/// Application data of a session or a message: a JSON object of at most 16 KB and 8 levels, stored byte for byte.
#[derive(Clone, Debug, Serialize)]
pub struct Metadata(Box<RawValue>);

impl Metadata {
    /// Applies this metadata to `stored` as a merge patch (RFC 7396).
    ///
    /// # Errors
    /// If the result exceeds a limit. The message names the limit.
    pub fn merged_into(&self, stored: Option<&RawValue>) -> Result<Self, &'static str> {
        json::merge_patch(stored, &self.0).try_into()
    }

    /// Returns metadata that is stored already, whatever its size: the Python version had no limits.
    pub fn from_stored(value: Box<RawValue>) -> Self {
        Self(value)
    }

    /// Returns the metadata as JSON.
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// Returns the metadata as JSON, owned.
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
            return Err("must not contain the NUL character");
        }
        Ok(Self(value))
    }
}

// Not `try_from`: serde would buffer the value, and a `RawValue` cannot be read from that buffer.
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        value.try_into().map_err(serde::de::Error::custom)
    }
}
