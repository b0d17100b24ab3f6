//! The document of a new skill.

use serde::Deserialize;

use super::{Code, Description, Language, SkillId, SkillName, Tags};

/// What a caller gives to add a skill. `tags` may be missing.
#[derive(Clone, Debug, Deserialize)]
pub struct NewSkill {
    /// What it is called.
    pub name: SkillName,
    /// What it is for.
    pub description: Description,
    /// Its code.
    pub code: Code,
    /// The language of the code.
    pub language: Language,
    /// What it is filed under.
    #[serde(default)]
    pub tags: Tags,
}

impl NewSkill {
    /// The id that the name makes.
    pub fn id(&self) -> SkillId {
        SkillId::from_name(self.name.as_str())
    }

    /// The document: front matter, the name as heading, the description, and the code in a fence.
    pub fn into_document(self) -> String {
        String::new()
    }
}
