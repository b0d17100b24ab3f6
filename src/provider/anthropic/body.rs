//! The body of a request.

use bytes::Bytes;

use super::json::{Block, Body, CacheControl, Content, Message, Source, Tool};
use crate::provider::files::{FileKind, kind_of, placeholder};
use crate::provider::request::{
    FileData, ModelMessage, ModelPart, ModelRequest, ModelRole, ReasoningProof,
};

/// The default of `max_tokens`, which the wire requires, by the beginning of the model's name.
const MAX_TOKENS: &[(&str, u32)] = &[
    ("claude-3-haiku", 4096),
    ("claude-3-opus", 4096),
    ("claude-3-sonnet", 4096),
    ("claude-3-7-sonnet", 32_000),
    ("claude-haiku-", 32_000),
    ("claude-opus-", 32_000),
    ("claude-sonnet-", 32_000),
];
/// The default of `max_tokens` of other models.
const OTHER_MAX_TOKENS: u32 = 8192;
/// The number of messages with a cache mark. With the one of the instructions, a request has at most four.
const MAX_MARKED_MESSAGES: usize = 3;

/// Returns the body of a request.
pub(in crate::provider) fn body(request: &ModelRequest) -> serde_json::Result<Bytes> {
    let body = Body {
        model: &request.model,
        max_tokens: request
            .max_output_tokens
            .unwrap_or_else(|| default_max_tokens(&request.model)),
        system: system(request),
        messages: messages(&request.messages),
        tools: request
            .tools
            .iter()
            .map(|tool| Tool {
                name: &tool.name,
                description: &tool.description,
                input_schema: &tool.input_schema,
            })
            .collect(),
        stream: true,
    };
    serde_json::to_vec(&body).map(Bytes::from)
}

fn default_max_tokens(model: &str) -> u32 {
    let name = model.rsplit('/').next().unwrap_or(model);
    let found = MAX_TOKENS.iter().find(|(start, _)| name.starts_with(start));
    found.map_or(OTHER_MAX_TOKENS, |(_, tokens)| *tokens)
}

/// Returns the instructions, with a cache mark at the last stable one.
fn system(request: &ModelRequest) -> Vec<Block<'_>> {
    let texts = request.system.iter().filter(|text| !text.text.is_empty());
    let texts: Vec<_> = texts.collect();
    let marked = texts.iter().rposition(|text| text.is_stable);
    let blocks = texts.iter().enumerate().map(|(index, text)| Block {
        content: Content::Text {
            text: text.text.as_str().into(),
        },
        cache_control: (Some(index) == marked).then_some(CacheControl::Ephemeral),
    });
    blocks.collect()
}

/// Returns the conversation. Neighbours with the same role become one message, so that all results of the calls of one
/// answer are in one message.
fn messages(source: &[ModelMessage]) -> Vec<Message<'_>> {
    let loop_start = start_of_tool_loop(source);
    let stable = source.iter().enumerate().rev();
    let stable = stable.filter(|(_, message)| message.is_stable);
    let first_marked = stable
        .take(MAX_MARKED_MESSAGES)
        .last()
        .map_or(usize::MAX, |(index, _)| index);
    let mut messages: Vec<Message<'_>> = Vec::new();
    for (index, message) in source.iter().enumerate() {
        let parts = message.parts.iter();
        let blocks = parts.filter_map(|part| content(part, index >= loop_start));
        let mut blocks: Vec<Block<'_>> = blocks
            .map(|content| Block {
                content,
                cache_control: None,
            })
            .collect();
        // The wire requires results before other content; the sort is stable.
        blocks.sort_by_key(|block| {
            message.role == ModelRole::User && !matches!(block.content, Content::ToolResult { .. })
        });
        if message.is_stable && index >= first_marked {
            mark(&mut blocks);
        }
        if blocks.is_empty() {
            continue;
        }
        let role = match message.role {
            ModelRole::User => "user",
            ModelRole::Assistant => "assistant",
        };
        match messages.last_mut() {
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => messages.push(Message {
                role,
                content: blocks,
            }),
        }
    }
    messages
}

/// Returns the index of the last message that is more than results of tools. Reasoning after it must be sent back.
fn start_of_tool_loop(messages: &[ModelMessage]) -> usize {
    let is_question = |message: &ModelMessage| {
        let mut parts = message.parts.iter();
        message.role == ModelRole::User
            && parts.any(|part| !matches!(part, ModelPart::ToolResult { .. }))
    };
    messages.iter().rposition(is_question).unwrap_or_default()
}

/// Marks the last block that can have a mark.
fn mark(blocks: &mut [Block<'_>]) {
    let is_thinking = |content: &Content<'_>| {
        matches!(
            content,
            Content::Thinking { .. } | Content::RedactedThinking { .. }
        )
    };
    let mut last = blocks.iter_mut().rev();
    if let Some(block) = last.find(|block| !is_thinking(&block.content)) {
        block.cache_control = Some(CacheControl::Ephemeral);
    }
}

fn content(part: &ModelPart, is_in_tool_loop: bool) -> Option<Content<'_>> {
    Some(match part {
        ModelPart::Text(text) if text.is_empty() => return None,
        ModelPart::Text(text) => Content::Text {
            text: text.as_str().into(),
        },
        ModelPart::Reasoning { .. } if !is_in_tool_loop => return None,
        ModelPart::Reasoning { text, proof } => match proof.as_ref()? {
            ReasoningProof::Signature(signature) => Content::Thinking {
                thinking: text,
                signature,
            },
            ReasoningProof::Redacted(data) => Content::RedactedThinking { data },
        },
        ModelPart::File {
            media_type,
            name,
            data,
        } => file(media_type, name.as_deref(), data),
        ModelPart::ToolCall { id, name, input } => Content::ToolUse { id, name, input },
        ModelPart::ToolResult {
            id,
            output,
            is_error,
            ..
        } => Content::ToolResult {
            tool_use_id: id,
            content: output,
            is_error: *is_error,
        },
    })
}

fn file<'a>(media_type: &'a str, name: Option<&'a str>, data: &'a FileData) -> Content<'a> {
    let source = match data {
        FileData::Base64(data) => Source::Base64 { media_type, data },
        FileData::Url(url) => Source::Url { url },
    };
    match kind_of(media_type) {
        FileKind::Image => Content::Image { source },
        FileKind::Pdf => Content::Document {
            source,
            title: name,
        },
        FileKind::Other => Content::Text {
            text: placeholder(media_type, name).into(),
        },
    }
}
