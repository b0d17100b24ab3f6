//! Values of the members of OpenAI's Chat Completions messages: content, calls of tools, and names.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::new::Content;
use super::openai_part::{Convert, NewPart, content_part, is_label, tool_call};
use super::parts::Parts;
use crate::util::json;

/// The maximum number of parts of a content, and of calls of tools.
pub const MAX_CHAT_ITEMS: usize = 128;
/// The id of the call of a tool, or the name of an author.
#[derive(Clone, Debug)]
pub struct Label(pub(super) String);

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !is_label(&text) {
            return Err(serde::de::Error::custom(
                "must be a string of 1 to 256 characters without control characters",
            ));
        }
        Ok(Self(text))
    }
}

/// A list in this shape, and the parts that it becomes.
#[derive(Clone, Debug)]
pub struct ChatItems {
    pub(super) raw: Box<RawValue>,
    pub(super) parts: Vec<NewPart>,
    /// The text of the parts.
    pub(super) content: Content,
}

impl ChatItems {
    fn parse(raw: Box<RawValue>, convert: Convert) -> Result<Self, String> {
        let items: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|_| "must be an array".to_owned())?;
        if items.len() > MAX_CHAT_ITEMS {
            return Err(format!("must have at most {MAX_CHAT_ITEMS} items"));
        }
        let items = items.into_iter().enumerate();
        let parts = items.map(|(index, item)| {
            convert(item).map_err(|rule| format!("must be valid; item {index} {rule}"))
        });
        let parts: Vec<NewPart> = parts.collect::<Result<_, _>>()?;
        let content = Content::of_parts(&to_parts(&parts)?);
        Ok(Self {
            raw,
            parts,
            content,
        })
    }
}

/// Returns parts as they are stored.
pub(super) fn to_parts(parts: &[NewPart]) -> Result<Parts, String> {
    let parts: Vec<Box<RawValue>> = parts.iter().map(NewPart::to_raw).collect();
    json::raw(&parts).try_into()
}

/// The `content` of a new message.
#[derive(Clone, Debug, Default)]
pub enum SentContent {
    /// The member is missing.
    #[default]
    Missing,
    /// `null`, as beside calls of tools.
    Null,
    /// A text.
    Text(Content),
    /// Content parts.
    List(ChatItems),
}

impl<'de> Deserialize<'de> for SentContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let value = Box::<RawValue>::deserialize(deserializer)?;
        match value.get().as_bytes().first() {
            Some(b'[') => ChatItems::parse(value, content_part)
                .map(Self::List)
                .map_err(D::Error::custom),
            Some(b'n') => Ok(Self::Null),
            _ => Content::try_from(value)
                .map(Self::Text)
                .map_err(D::Error::custom),
        }
    }
}

/// The `tool_calls` of a new message.
#[derive(Clone, Debug)]
pub struct ToolCalls(pub(super) ChatItems);

impl<'de> Deserialize<'de> for ToolCalls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        let calls = ChatItems::parse(value, tool_call).map_err(serde::de::Error::custom)?;
        Ok(Self(calls))
    }
}

/// The `annotations` of a new message: objects, kept as they are.
#[derive(Clone, Debug)]
pub struct Annotations {
    pub(super) raw: Box<RawValue>,
    pub(super) is_empty: bool,
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
        let is_valid = raw.get().starts_with('[')
            && items.len() <= MAX_CHAT_ITEMS
            && items.iter().all(|item| item.get().starts_with('{'));
        if !is_valid {
            return Err(serde::de::Error::custom(format!(
                "must be an array of at most {MAX_CHAT_ITEMS} objects"
            )));
        }
        let is_empty = items.is_empty();
        Ok(Self { raw, is_empty })
    }
}

/// A value of a member that must be `null`; `Chat` rejects it by name.
#[derive(Clone, Debug)]
pub(super) struct Unsupported;

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
