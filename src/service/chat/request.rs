//! What a request asks of chat.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::domain::chat::tool::ServerTool;
use crate::domain::message::{MessageId, NewMessage};
use crate::domain::session::SessionId;
use crate::provider::request::ModelTool;
use crate::service::chat::encode::ToolNames;
use crate::service::volume::VolumeSelection;
use crate::skill::SkillId;
use crate::store::Idempotency;
use crate::util::secret::Secret;

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

/// A request to the model.
#[derive(Debug)]
pub struct Ask {
    /// The session.
    pub session: SessionId,
    /// The volume in which the session is created if it is not there; the caller's own without one.
    pub volume: Option<VolumeSelection>,
    /// What is asked.
    pub operation: AskOperation,
    /// The model; the default one without.
    pub model: Option<String>,
    /// A key of the caller for the provider.
    pub key: Option<Secret>,
    /// Tools, skills and options.
    pub request: TurnRequest,
    /// The id that the newest message must have.
    pub expected_head: Option<MessageId>,
    /// The `Idempotency-Key`.
    pub idempotency: Option<Idempotency>,
}

/// What is asked.
#[derive(Debug)]
pub enum AskOperation {
    /// A new message of the user is answered.
    Submit(NewMessage),
    /// A new version of a message of the user is answered.
    Edit(MessageId, NewMessage),
    /// A message is answered again: the first of these that exists, or the one that it answers; else the newest one.
    Regenerate(Vec<MessageId>),
    /// A message of the model goes on; these are its parts with the outputs of tools.
    Continue(MessageId, Box<RawValue>),
}
