//! Chunks as they are read from the log. Members that are not known are ignored.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::util::json::Text;

/// The members of all chunks that change a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadChunk<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) delta: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) tool_call_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) tool_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) input_text_delta: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) error_text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) approval_id: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) output: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) provider_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) message_metadata: Option<&'a RawValue>,
    pub(super) provider_executed: Option<bool>,
    pub(super) dynamic: Option<bool>,
    pub(super) transient: Option<bool>,
}

/// Reads a value that may be `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> ReadChunk<'a> {
    /// Reads a chunk; `None` if it is malformed.
    pub(super) fn parse(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}
