//! Runs the tools of the server.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::encode::ToolOutput;
use super::started::StartedTurn;
use super::tool_text::bounded;
use super::used_skill::UsedSkill;
use crate::domain::chat::tool::ServerTool;
use crate::service::error::{Error, Result};
use crate::service::fallback::SamplePolicy;
use crate::service::skills::{Found, SkillDetail, SkillService};
use crate::skill::SkillId;

#[derive(Deserialize)]
struct LoadSkill {
    id: String,
}

/// The result of a tool, and the skill that it loaded.
pub(super) type Ran = (ToolOutput, Option<UsedSkill>);

impl StartedTurn {
    /// Runs a tool that the model called.
    pub(super) async fn run_tool(&self, name: &str, input: &RawValue) -> Ran {
        let output = match ServerTool::named(name) {
            Some(ServerTool::LoadSkill) => return self.load_skill(input).await,
            Some(ServerTool::ReadFile) => self.read_file(input).await,
            Some(ServerTool::ListFiles) => self.list_files(input).await,
            Some(ServerTool::WriteFile) => self.write_file(input).await,
            None => ToolOutput::Error("There is no such tool.".to_owned()),
        };
        (output, None)
    }

    pub(super) fn skills(&self) -> SkillService<'_> {
        let samples = SamplePolicy {
            without_storage: false,
            while_unavailable: false,
        };
        SkillService::new(self.blobs(), &self.deps.store, samples, &self.context)
    }

    /// Reads a skill with its document.
    pub(super) async fn skill(&self, id: &SkillId) -> Result<Option<Box<SkillDetail>>> {
        let found = self.skills().get(None, id, None).await?;
        Ok(match found.value {
            Found::Skill(skill) => Some(skill),
            Found::NotModified(_) => None,
        })
    }

    async fn load_skill(&self, input: &RawValue) -> Ran {
        let error = |text: &str| (ToolOutput::Error(text.to_owned()), None);
        let Ok(LoadSkill { id }) = serde_json::from_str(input.get()) else {
            return error("The argument `id` must be the id of a skill.");
        };
        let Some(id) = SkillId::parse(&id) else {
            return error("There is no skill with this id.");
        };
        match self.skill(&id).await {
            Ok(Some(skill)) => {
                let text = String::from_utf8_lossy(&skill.document);
                let used = UsedSkill::of(&skill.skill);
                (ToolOutput::Text(bounded(&text)), Some(used))
            }
            Ok(None) | Err(Error::NotFound(_)) => error("There is no skill with this id."),
            Err(failure) => {
                tracing::warn!(error = %failure, "a tool cannot read a skill");
                error("The skill cannot be read now.")
            }
        }
    }
}
