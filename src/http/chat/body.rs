//! The body of a chat request: of the AI SDK, or of this API.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ui_message::{UiMessage, message_id, new_message};
use crate::domain::chat::tool::ServerTool;
use crate::domain::message::MessageId;
use crate::domain::session::SessionId;
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::http::error::{Error, Result};
use crate::http::extract::body::JsonBody;
use crate::provider::request::ModelTool;
use crate::service::chat::encode::MAX_TOOL_NAME_CHARS;
use crate::service::chat::{AskOperation, TurnRequest};
use crate::service::volume::VolumeSelection;
use crate::skill::SkillId;
use crate::util::json::{self, Object};

/// The maximum number of tools of a request.
const MAX_TOOLS: usize = 64;
/// The maximum length of the description of a tool, in characters.
const MAX_DESCRIPTION_CHARS: usize = 10_000;
/// The maximum size of the schema of a tool, in bytes.
const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// The maximum number of skills of a request.
const MAX_SKILLS: usize = 20;

/// The members that have a meaning. With `id`, which clients of the AI SDK send, other members are the application's.
#[derive(Deserialize)]
pub(super) struct ChatBody {
    id: Option<String>,
    session_id: Option<String>,
    message: Option<Box<RawValue>>,
    messages: Option<Vec<Box<RawValue>>>,
    content: Option<Box<RawValue>>,
    trigger: Option<String>,
    #[serde(rename = "messageId")]
    message_id: Option<String>,
    parent_id: Option<String>,
    pub(super) model: Option<String>,
    skills: Option<Vec<String>>,
    max_skills: Option<usize>,
    tools: Option<Vec<Tool>>,
    approvals: Option<bool>,
    pub(super) stream: Option<bool>,
    volume: Option<VolumeKind>,
    volume_id: Option<VolumeId>,
}

/// A tool of the client.
#[derive(Deserialize)]
struct Tool {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(rename = "inputSchema", alias = "parameters", alias = "input_schema")]
    input_schema: Box<RawValue>,
}

impl ChatBody {
    /// Reads a body.
    pub(super) fn read(body: &JsonBody) -> Result<Self> {
        if body.has("id") || body.has("messages") {
            return body.parse_known();
        }
        body.parse()
    }

    /// Returns the id of the session.
    pub(super) fn session(&self) -> Result<SessionId> {
        let (field, id) = match (&self.id, &self.session_id) {
            (Some(id), _) => ("id", id),
            (None, Some(id)) => ("session_id", id),
            (None, None) => return Err(Error::field("session_id", "is required")),
        };
        SessionId::parse(id).ok_or_else(|| Error::field(field, "must be the id of a session"))
    }

    /// Returns the volume of a session that is created.
    pub(super) fn volume(&self) -> Option<VolumeSelection> {
        if self.volume.is_none() && self.volume_id.is_none() {
            return None;
        }
        Some(VolumeSelection {
            kind: self.volume.unwrap_or(VolumeKind::User),
            id: self.volume_id.clone(),
        })
    }

    /// Returns the id that the newest message must have.
    pub(super) fn expected_head(&self) -> Result<Option<MessageId>> {
        let id = self.parent_id.as_deref();
        id.map(|id| message_id("parent_id", id)).transpose()
    }

    /// Returns what is asked.
    pub(super) fn operation(&self) -> Result<AskOperation> {
        let named = self.message_id.as_deref().filter(|id| !id.is_empty());
        let named = named.map(|id| message_id("messageId", id)).transpose()?;
        let (path, last) = self.last_message()?;
        match self.trigger.as_deref() {
            Some("regenerate-message") => {
                let mut candidates: Vec<MessageId> = named.into_iter().collect();
                candidates.extend(last.and_then(|message| message.id));
                return Ok(AskOperation::Regenerate(candidates));
            }
            None | Some("submit-message") => {}
            Some(_) => {
                return Err(Error::field(
                    "trigger",
                    "must be submit-message or regenerate-message",
                ));
            }
        }
        let Some(last) = last else {
            let content = self.content.as_deref();
            let content = content.ok_or_else(|| Error::field("message", "is required"))?;
            let mut message = Object::default();
            message.set("role", json::raw(&"user"));
            message.set("content", content.to_owned());
            return Ok(AskOperation::Submit(new_message(
                "",
                &json::text(&message),
            )?));
        };
        if self.content.is_some() {
            return Err(Error::field("content", "must not stand beside `message`"));
        }
        match (&*last.role, named) {
            ("assistant", _) => {
                let id = last.id.clone();
                let id = id.ok_or_else(|| Error::field(format!("{path}.id"), "is required"))?;
                let parts = last.parts().map_or_else(json::null, ToOwned::to_owned);
                Ok(AskOperation::Continue(id, parts))
            }
            ("user" | "", named) => {
                let message = last.to_new_message(&path)?;
                match named.filter(|named| last.id.as_ref() == Some(named)) {
                    Some(edited) => Ok(AskOperation::Edit(edited, message)),
                    None => Ok(AskOperation::Submit(message)),
                }
            }
            _ => Err(Error::field(
                format!("{path}.role"),
                "must be user or assistant",
            )),
        }
    }

    /// Returns the last message and its path.
    fn last_message(&self) -> Result<(String, Option<UiMessage<'_>>)> {
        let (path, message) = match (&self.messages, &self.message) {
            (Some(messages), _) => {
                let index = messages.len().checked_sub(1);
                let index = index.ok_or_else(|| Error::field("messages", "must not be empty"))?;
                (format!("messages[{index}]"), &messages[index])
            }
            (None, Some(message)) => ("message".to_owned(), message),
            (None, None) => return Ok((String::new(), None)),
        };
        let read = UiMessage::read(&path, message)?;
        Ok((path, Some(read)))
    }

    /// Returns the tools, skills and options.
    pub(super) fn turn_request(&self, file_tools: &BTreeSet<ServerTool>) -> Result<TurnRequest> {
        let tools = self.tools.iter().flatten().enumerate();
        let tools = tools.map(|(index, tool)| tool.to_model_tool(&format!("tools[{index}]")));
        let tools: Vec<ModelTool> = tools.collect::<Result<_>>()?;
        if tools.len() > MAX_TOOLS {
            return Err(Error::field(
                "tools",
                format!("must be at most {MAX_TOOLS}"),
            ));
        }
        for (index, tool) in tools.iter().enumerate() {
            if tools[..index].iter().any(|other| other.name == tool.name) {
                let field = format!("tools[{index}].name");
                return Err(Error::field(
                    field,
                    "must be another one than that of an earlier tool",
                ));
            }
        }
        let skills = self.skills.iter().flatten().enumerate();
        let skills = skills.map(|(index, id)| {
            let field = format!("skills[{index}]");
            SkillId::parse(id).ok_or_else(|| Error::field(field, "must be the id of a skill"))
        });
        let skills: Vec<SkillId> = skills.collect::<Result<_>>()?;
        let max_skills = self.max_skills.unwrap_or(0);
        if skills.len() > MAX_SKILLS || max_skills > MAX_SKILLS {
            return Err(Error::field(
                "skills",
                format!("must be at most {MAX_SKILLS}"),
            ));
        }
        Ok(TurnRequest {
            tools,
            server_tools: file_tools
                .iter()
                .copied()
                .chain([ServerTool::LoadSkill])
                .collect(),
            skills,
            max_skills,
            approvals: self.approvals.unwrap_or(false),
        })
    }
}

impl Tool {
    fn to_model_tool(&self, path: &str) -> Result<ModelTool> {
        let is_name = (1..=MAX_TOOL_NAME_CHARS).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !is_name || ServerTool::named(&self.name).is_some() {
            let rule = "must be 1–59 of A-Z a-z 0-9 _ -, and not the name of a tool of the server";
            return Err(Error::field(format!("{path}.name"), rule));
        }
        if self.description.chars().count() > MAX_DESCRIPTION_CHARS {
            return Err(Error::field(
                format!("{path}.description"),
                "must be at most 10,000 characters",
            ));
        }
        let schema = self.input_schema.get();
        if schema.len() > MAX_SCHEMA_BYTES || Object::parse(schema).is_none() {
            return Err(Error::field(
                format!("{path}.inputSchema"),
                "must be an object of at most 64 KB",
            ));
        }
        Ok(ModelTool {
            name: self.name.clone(),
            description: self.description.clone(),
            input_schema: self.input_schema.clone(),
        })
    }
}
