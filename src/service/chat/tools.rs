//! Runs the tools of the server.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::encode::ToolOutput;
use super::started::StartedTurn;
use crate::domain::chat::tool::ServerTool;
use crate::service::fallback::SamplePolicy;
use crate::service::skills::{Found, SkillService};
use crate::skill::SkillId;

/// The longest document that a tool returns, in bytes.
const MAX_OUTPUT_BYTES: usize = 128 * 1024;

#[derive(Deserialize)]
struct LoadSkill {
    id: String,
}

impl StartedTurn {
    /// Runs a tool that the model called.
    pub(super) async fn run_tool(&self, name: &str, input: &RawValue) -> ToolOutput {
        match ServerTool::named(name) {
            Some(ServerTool::LoadSkill) => self.load_skill(input).await,
            _ => ToolOutput::Error("There is no such tool.".to_owned()),
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
