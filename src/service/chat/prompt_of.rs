//! The prompt of a turn: reads the history and the skills, and puts them into a request to the model.

use futures_util::future::join_all;

use super::prompt::{
    Conversation, DEFAULT_CONTEXT_TOKENS, DEFAULT_OUTPUT_TOKENS, FileKind, HistoryMessage,
    NamedSkill, PromptSkill, chars, context_tokens, rank, room, system_texts, tokens,
};
use super::server_tool::to_model_tool;
use super::started::StartedTurn;
use super::used_skill::UsedSkill;
use crate::domain::chat::tool::ServerTool;
use crate::domain::message::{Branch, MAX_MESSAGES_PER_PAGE, MessageRange, MessageSelection};
use crate::provider::request::ModelRequest;
use crate::service::error::Result;
use crate::service::skills::{ListSkills, SkillDetail, SkillFilter, SkillScope};
use crate::skill::SkillId;

/// The maximum number of skills in the catalogue.
const MAX_CATALOGUE: usize = 100;
/// The maximum number of pages of the history that are read.
const MAX_PAGES: usize = 50;

/// What the prompt was made of.
#[derive(Clone, Debug, Default)]
pub(super) struct PromptInfo {
    /// The skills whose documents are in it.
    pub(super) skills: Vec<UsedSkill>,
    /// The number of messages that the model had no room for.
    pub(super) omitted_messages: usize,
    /// An estimate of its size.
    pub(super) input_tokens: u64,
}

/// Reads what a turn needs and returns the request to the model.
///
/// # Errors
/// If Redis fails.
pub(super) async fn prompt_of(turn: &StartedTurn) -> Result<(ModelRequest, PromptInfo)> {
    let (history, catalogue) = tokio::join!(turn.history(), turn.catalogue());
    let (history, unread) = history?;
    let named = turn.named_skills(&history, &catalogue).await;
    let mut conversation = Conversation::new(&history);
    let documents: Vec<NamedSkill> = named.iter().map(|(skill, _)| skill.clone()).collect();
    let deployment = turn.deps.models.system_prompt.as_deref();
    let system = system_texts(deployment, &conversation.system, &catalogue, &documents);
    let mut tools = turn.request.tools.clone();
    let server_tools = turn.request.server_tools.iter();
    let server_tools =
        server_tools.filter(|tool| **tool != ServerTool::LoadSkill || !catalogue.is_empty());
    tools.extend(server_tools.map(|tool| to_model_tool(*tool)));

    let other_chars = system
        .iter()
        .map(|text| text.text.chars().count())
        .sum::<usize>()
        + tools
            .iter()
            .map(|tool| tool.description.len() + tool.input_schema.get().len())
            .sum::<usize>();
    let context = context_tokens(&turn.model.name, DEFAULT_CONTEXT_TOKENS);
    let output = turn
        .model
        .max_output_tokens
        .unwrap_or(DEFAULT_OUTPUT_TOKENS);
    let omitted_messages = conversation.cut(room(context, output as usize, other_chars)) + unread;
    let input_tokens = conversation.tokens() + tokens(other_chars);
    let kinds = [FileKind::Image, FileKind::Pdf];
    let files = turn.prompt_files(&conversation.files()).await;
    let request = ModelRequest {
        model: turn.model.name.clone(),
        system,
        messages: conversation.into_messages(&kinds, &files),
        tools,
        max_output_tokens: turn.model.max_output_tokens,
    };
    let info = PromptInfo {
        skills: named.into_iter().map(|(_, used)| used).collect(),
        omitted_messages,
        input_tokens: input_tokens as u64,
    };
    Ok((request, info))
}

impl StartedTurn {
    /// Reads the messages up to the one that is answered, oldest first, and the number of those that are too old.
    async fn history(&self) -> Result<(Vec<HistoryMessage>, usize)> {
        let limit = chars(context_tokens(&self.model.name, DEFAULT_CONTEXT_TOKENS));
        let mut pages: Vec<Vec<HistoryMessage>> = Vec::new();
        let (mut before, mut size, mut unread) = (self.user_seq + 1, 0, 0);
        for _ in 0..MAX_PAGES {
            let selection = MessageSelection {
                range: MessageRange::Before(before),
                limit: MAX_MESSAGES_PER_PAGE,
                branch: Branch::Of(self.user_message_id.clone()),
                with_deleted: false,
            };
            let store = &self.deps.store;
            let found = store
                .find_messages(&self.context, &self.session, &selection)
                .await?;
            let Some(page) = found.flatten() else { break };
            let Some(first) = page.messages.first() else {
                break;
            };
            before = first.seq();
            size += page
                .messages
                .iter()
                .map(|message| message.text().len())
                .sum::<usize>();
            pages.push(
                page.messages
                    .iter()
                    .filter_map(HistoryMessage::of)
                    .collect(),
            );
            if !page.has_more {
                break;
            }
            if size > limit {
                unread = usize::try_from(before - 1).unwrap_or(usize::MAX);
                break;
            }
        }
        let mut history: Vec<HistoryMessage> = pages.into_iter().rev().flatten().collect();
        history.extend(self.answered.clone());
        Ok((history, unread))
    }

    /// Returns the skills that the model can load. Without storage, or while it fails, the list is empty.
    async fn catalogue(&self) -> Vec<PromptSkill> {
        if !self.request.server_tools.contains(&ServerTool::LoadSkill)
            && self.request.max_skills == 0
        {
            return Vec::new();
        }
        let list = ListSkills {
            scope: SkillScope::Effective {
                user: None,
                team: None,
            },
            filter: SkillFilter::default(),
            limit: MAX_CATALOGUE,
            cursor: None,
        };
        match self.skills().list(list).await {
            Ok(list) => {
                let skills = list.value.skills.iter();
                skills
                    .filter_map(|skill| prompt_skill(skill.get()))
                    .collect()
            }
            Err(crate::service::error::Error::Blob(crate::blob::Error::NotConfigured)) => {
                Vec::new()
            }
            Err(error) => {
                tracing::warn!(error = %error, "the skills cannot be listed for a turn");
                Vec::new()
            }
        }
    }

    /// Returns the skills that the request names, and those that fit its message, with their documents.
    async fn named_skills(
        &self,
        history: &[HistoryMessage],
        catalogue: &[PromptSkill],
    ) -> Vec<(NamedSkill, UsedSkill)> {
        let mut ids = self.request.skills.clone();
        let message = history.iter().rev().find(|message| message.role == "user");
        let text = message.map_or("", |message| &message.content);
        for skill in rank(catalogue, text, self.request.max_skills) {
            if let Some(id) = SkillId::parse(&skill.id)
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        let mut named = Vec::new();
        for read in join_all(ids.iter().map(|id| self.skill(id))).await {
            match read {
                Ok(Some(skill)) => named.push(named_skill(&skill)),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "a skill of a turn cannot be read");
                }
            }
        }
        named
    }
}

fn named_skill(detail: &SkillDetail) -> (NamedSkill, UsedSkill) {
    let content = String::from_utf8_lossy(&detail.document).into_owned();
    let used = UsedSkill::of(&detail.skill);
    let json = crate::util::json::text(&detail.skill);
    let skill = prompt_skill(&json).unwrap_or_default();
    (NamedSkill { skill, content }, used)
}

/// Reads a skill of a list.
fn prompt_skill(json: &str) -> Option<PromptSkill> {
    #[derive(serde::Deserialize)]
    struct Listed {
        id: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        description: Option<String>,
        #[serde(default)]
        category: Option<String>,
        #[serde(default)]
        keywords: Option<Vec<String>>,
    }
    let listed: Listed = serde_json::from_str(json).ok()?;
    Some(PromptSkill {
        name: listed.name.unwrap_or_else(|| listed.id.clone()),
        id: listed.id,
        description: listed.description.unwrap_or_default(),
        category: listed.category,
        keywords: listed.keywords.unwrap_or_default(),
    })
}
