//! The tools that the server offers to models.

use crate::provider::request::ModelTool;

/// A tool of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerTool {
    /// Returns the document of a skill.
    LoadSkill,
}

impl ServerTool {
    const ALL: [Self; 1] = [Self::LoadSkill];

    /// Returns the name by which the model calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LoadSkill => "load_skill",
        }
    }

    /// Returns the tool with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// Returns the tool as the model sees it.
    pub(super) fn to_model_tool(self) -> ModelTool {
        let (description, schema) = match self {
            Self::LoadSkill => (
                "Returns the document of a skill, with instructions for a task. Call it before the task.",
                r#"{"type":"object","properties":{"id":{"type":"string","description":"The id of the skill."}},"required":["id"],"additionalProperties":false}"#,
            ),
        };
        ModelTool {
            name: self.name().to_owned(),
            description: description.to_owned(),
            input_schema: serde_json::from_str(schema).expect("the schema is JSON"),
        }
    }
}
