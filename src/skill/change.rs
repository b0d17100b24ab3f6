//! What a caller changes of a skill.

use serde::{Deserialize, Deserializer};

use super::{Code, Description, Label, Language, Parameters, Tags};
use crate::domain::name::Name;

/// What a caller changes of a skill. What is not there stays; what is `null` is removed.
//
// That is `None`, and `Some(None)`.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(as = SkillChange)]
#[serde(default)]
pub struct SkillPatch {
    /// A new name.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// A new description.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Description, required = false)]
    pub description: Option<Description>,
    /// New code.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Code>)]
    pub code: Option<Option<Code>>,
    /// A new language of the code.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Language>)]
    pub language: Option<Option<Language>>,
    /// New tags.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Tags>)]
    pub tags: Option<Option<Tags>>,
    /// A new category.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Label>)]
    pub category: Option<Option<Label>>,
    /// New keywords.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Tags>)]
    pub keywords: Option<Option<Tags>>,
    /// A new version.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Label>)]
    pub version: Option<Option<Label>>,
    /// A new author.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Label>)]
    pub author: Option<Option<Label>>,
    /// A new type.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Label>)]
    pub r#type: Option<Option<Label>>,
    /// A new mode of execution.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Label>)]
    pub execution_mode: Option<Option<Label>>,
    /// New inputs.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Parameters>)]
    pub inputs: Option<Option<Parameters>>,
    /// New outputs.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Parameters>)]
    pub outputs: Option<Option<Parameters>>,
}

/// Reads what is there, `null` too, as given: without this, `null` would be as good as missing.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Why a document cannot be changed. The messages are fit for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Nothing but a whole new document helps: the front matter cannot be parsed.
    #[error("the stored document cannot be changed in parts: {0}; send a whole document")]
    Unreadable(String),
    /// The document would be over a limit.
    #[error("{0}")]
    TooLarge(&'static str),
}

impl SkillPatch {
    /// Whether nothing is to change.
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
