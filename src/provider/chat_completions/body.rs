//! The body of a request.

use std::borrow::Cow;

use bytes::Bytes;

use super::Service;
use super::json::{
    Body, Call, Content, File, Function, ImageUrl, Message, Part, StreamOptions, Tool, ToolCall,
    UsageOptions,
};
use crate::provider::files::{FileKind, kind_of, placeholder};
use crate::provider::request::{FileData, ModelMessage, ModelPart, ModelRequest, ModelRole};

/// Returns the body of a request.
pub(in crate::provider) fn body(
    request: &ModelRequest,
    service: Service,
) -> serde_json::Result<Bytes> {
    let is_openai = service == Service::OpenAi;
    let limit = request.max_output_tokens;
    let body = Body {
        model: &request.model,
        messages: messages(request, service),
        stream: true,
        stream_options: StreamOptions {
            include_usage: true,
            include_obfuscation: is_openai.then_some(false),
        },
        max_completion_tokens: limit.filter(|_| is_openai),
        max_tokens: limit.filter(|_| !is_openai),
        tools: request
            .tools
            .iter()
            .map(|tool| Tool {
                kind: "function",
                function: Function {
                    name: &tool.name,
                    description: &tool.description,
                    parameters: &tool.input_schema,
                },
            })
            .collect(),
        usage: (service == Service::OpenRouter).then_some(UsageOptions { include: true }),
    };
    serde_json::to_vec(&body).map(Bytes::from)
}

fn messages(request: &ModelRequest, service: Service) -> Vec<Message<'_>> {
    let mut messages = Vec::new();
    let system = request.system.iter().map(|text| text.text.as_str());
    let system: Vec<&str> = system.filter(|text| !text.is_empty()).collect();
    if !system.is_empty() {
        messages.push(Message::System {
            content: system.join("\n\n"),
        });
    }
    for message in &request.messages {
        match message.role {
            ModelRole::User => add_user(message, service, &mut messages),
            ModelRole::Assistant => messages.extend(assistant(message)),
        }
    }
    messages
}

/// Adds the results of tools, each as a message of its own, and after them the rest.
fn add_user<'a>(message: &'a ModelMessage, service: Service, messages: &mut Vec<Message<'a>>) {
    let mut parts = Vec::new();
    for part in &message.parts {
        match part {
            ModelPart::ToolResult { id, output, .. } => messages.push(Message::Tool {
                tool_call_id: id,
                content: output,
            }),
            ModelPart::Text(text) if !text.is_empty() => parts.push(Part::Text {
                text: text.as_str().into(),
            }),
            ModelPart::File {
                media_type,
                name,
                data,
            } => parts.push(file(media_type, name.as_deref(), data, service)),
            _ => {}
        }
    }
    let content = match parts.as_slice() {
        [] => return,
        // Some servers accept only a string.
        [
            Part::Text {
                text: Cow::Borrowed(text),
            },
        ] => Content::Text(text),
        _ => Content::Parts(parts),
    };
    messages.push(Message::User { content });
}

/// Returns a message of the model. Its reasoning has no place in this wire.
fn assistant(message: &ModelMessage) -> Option<Message<'_>> {
    let mut texts = Vec::new();
    let mut tool_calls = Vec::new();
    for part in &message.parts {
        match part {
            ModelPart::Text(text) if !text.is_empty() => texts.push(text.as_str()),
            ModelPart::ToolCall { id, name, input } => tool_calls.push(ToolCall {
                id,
                kind: "function",
                function: Call {
                    name,
                    arguments: input.get(),
                },
            }),
            _ => {}
        }
    }
    if texts.is_empty() && tool_calls.is_empty() {
        return None;
    }
    let content = (!texts.is_empty()).then(|| texts.join("\n\n"));
    Some(Message::Assistant {
        content,
        tool_calls,
    })
}

fn file<'a>(
    media_type: &'a str,
    name: Option<&'a str>,
    data: &'a FileData,
    service: Service,
) -> Part<'a> {
    let url = match data {
        FileData::Base64(data) => format!("data:{media_type};base64,{data}"),
        FileData::Url(url) => url.clone(),
    };
    let takes_pdf = matches!(data, FileData::Base64(_)) || service == Service::OpenRouter;
    match kind_of(media_type) {
        FileKind::Image => Part::ImageUrl {
            image_url: ImageUrl { url },
        },
        FileKind::Pdf if takes_pdf => Part::File {
            file: File {
                filename: name.unwrap_or("document.pdf"),
                file_data: url,
            },
        },
        FileKind::Pdf | FileKind::Other => Part::Text {
            text: placeholder(media_type, name).into(),
        },
    }
}
