//! What a request asks of a turn, beside its message.

use std::collections::BTreeSet;

use crate::domain::chat::tool::ServerTool;
use crate::provider::request::ModelTool;
use crate::service::chat::encode::ToolNames;
use crate::skill::SkillId;

/// The tools, skills and options of a turn.
#[derive(Clone, Debug, Default)]
pub struct TurnRequest {
    /// The tools of the client.
    pub tools: Vec<ModelTool>,
    /// The tools of the server that the model may call.
    pub server_tools: BTreeSet<ServerTool>,
    /// The skills whose documents the model gets.
    pub skills: Vec<SkillId>,
    /// The number of skills that are chosen by the text of the message.
    pub max_skills: usize,
    /// Whether the client can ask a person to approve the call of a tool.
    pub approvals: bool,
}

impl TurnRequest {
    pub(super) fn tool_names(&self) -> ToolNames {
        let server = self.server_tools.iter().map(|tool| tool.name().to_owned());
        let client = self.tools.iter().map(|tool| tool.name.clone());
        ToolNames {
            server: server.collect(),
            client: client.collect(),
        }
    }
}
