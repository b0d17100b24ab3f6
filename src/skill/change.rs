//! A patch of a skill's fields.

use serde::{Deserialize, Deserializer};

use super::{Code, Description, Label, Language, Parameters, Tags};
use crate::domain::name::Name;

/// Changes to a skill. Missing members keep their value; `null` removes it.
//
// Missing is `None`; `null` is `Some(None)`.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(as = SkillChange)]
#[serde(default, deny_unknown_fields)]
pub struct SkillPatch {
    /// The new name.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// The new description.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Description, required = false)]
    pub description: Option<Description>,
    /// The new code.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Code>)]
    pub code: Option<Option<Code>>,
    /// The new language of the code.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Language>)]
    pub language: Option<Option<Language>>,
    /// The new tags.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Tags>)]
    pub tags: Option<Option<Tags>>,
    /// The new category.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Label>)]
    pub category: Option<Option<Label>>,
    /// The new keywords.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Tags>)]
    pub keywords: Option<Option<Tags>>,
    /// The new version.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Label>)]
    pub version: Option<Option<Label>>,
    /// The new author.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Label>)]
    pub author: Option<Option<Label>>,
    /// The new type.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Label>)]
    pub r#type: Option<Option<Label>>,
    /// The new execution mode.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Label>)]
    pub execution_mode: Option<Option<Label>>,
    /// The new inputs.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Parameters>)]
    pub inputs: Option<Option<Parameters>>,
    /// The new outputs.
    #[serde(deserialize_with = "deserialize_present")]
    #[schema(value_type = Option<Parameters>)]
    pub outputs: Option<Option<Parameters>>,
}

/// Deserializes a present member to `Some`: by default, serde treats `null` like a missing member.
fn deserialize_present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The reason why a document cannot be patched. The messages are for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The document cannot be edited in place; only a whole new document can replace it.
    #[error("the stored document cannot be patched: {0}; send the whole document instead")]
    Unreadable(String),
    /// The patched document would exceed a limit.
    #[error("{0}")]
    TooLarge(&'static str),
}

impl SkillPatch {
    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.description.is_none()
            && self.code.is_none()
            && self.language.is_none()
            && self.tags.is_none()
            && self.category.is_none()
            && self.keywords.is_none()
            && self.version.is_none()
            && self.author.is_none()
            && self.r#type.is_none()
            && self.execution_mode.is_none()
            && self.inputs.is_none()
            && self.outputs.is_none()
    }
}
