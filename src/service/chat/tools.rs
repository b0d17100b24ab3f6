//! The tools of the server.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::encode::ToolOutput;
use super::produce::StartedTurn;
use crate::provider::request::ModelTool;
use crate::service::fallback::SamplePolicy;
use crate::service::skills::{Found, SkillService};
use crate::skill::SkillId;

/// The longest document that a tool returns, in bytes.
const MAX_OUTPUT_BYTES: usize = 128 * 1024;

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

#[derive(Deserialize)]
struct LoadSkill {
    id: String,
}

impl StartedTurn {
    /// Runs a tool that the model called.
    pub(super) async fn run_tool(&self, name: &str, input: &RawValue) -> ToolOutput {
        match ServerTool::parse(name) {
            Some(ServerTool::LoadSkill) => self.load_skill(input).await,
            None => ToolOutput::Error("There is no such tool.".to_owned()),
        }
    }

    pub(super) fn skills(&self) -> SkillService<'_> {
        let token = self.context.oidc_token.as_ref();
        let blobs = self.deps.blobs.blobs(token.map(|token| token.reveal()));
        let samples = SamplePolicy {
            without_storage: false,
            while_unavailable: false,
        };
        SkillService::new(blobs, &self.deps.store, samples, &self.context)
    }

    async fn load_skill(&self, input: &RawValue) -> ToolOutput {
        let Ok(LoadSkill { id }) = serde_json::from_str(input.get()) else {
            return ToolOutput::Error("The argument `id` must be the id of a skill.".to_owned());
        };
        let Some(id) = SkillId::parse(&id) else {
            return ToolOutput::Error("There is no skill with this id.".to_owned());
        };
        match self
            .skills()
            .get(None, &id, None)
            .await
            .map(|found| found.value)
        {
            Ok(Found::Skill(skill)) => {
                let text = String::from_utf8_lossy(&skill.document);
                let end = text.floor_char_boundary(MAX_OUTPUT_BYTES);
                ToolOutput::Text(text[..end].to_owned())
            }
            Ok(Found::NotModified(_)) | Err(crate::service::error::Error::NotFound(_)) => {
                ToolOutput::Error("There is no skill with this id.".to_owned())
            }
            Err(error) => {
                tracing::warn!(error = %error, "a tool cannot read a skill");
                ToolOutput::Error("The skill cannot be read now.".to_owned())
            }
        }
    }
}
