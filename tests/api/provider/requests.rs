//! The requests that providers receive.

use llmos::provider::request::{
    FileData, ModelMessage, ModelPart, ModelRequest, ModelRole, ModelTool, ReasoningProof,
    SystemText,
};
use llmos::provider::{Provider, Wire};
use llmos::util::secret::Secret;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{KEY, answer, message, provider, settings};
use crate::support::{ModelAnswer, ModelCall, ModelServer, Script};

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn words(text: &str) -> ModelPart {
    ModelPart::Text(text.to_owned())
}

fn file(media_type: &str, name: Option<&str>, data: FileData) -> ModelPart {
    ModelPart::File {
        media_type: media_type.to_owned(),
        name: name.map(ToOwned::to_owned),
        data,
    }
}

fn result(id: &str, is_error: bool) -> ModelPart {
    ModelPart::ToolResult {
        id: id.to_owned(),
        name: "weather".to_owned(),
        output: "{\"t\": 1.0}".to_owned(),
        is_error,
    }
}

fn call(id: &str) -> ModelPart {
    ModelPart::ToolCall {
        id: id.to_owned(),
        name: "weather".to_owned(),
        input: raw("{\"z\": 1.0, \"a\": 2}"),
    }
}

fn thought(text: &str, proof: Option<ReasoningProof>) -> ModelPart {
    ModelPart::Reasoning {
        text: text.to_owned(),
        proof,
    }
}

/// A conversation with everything: files, reasoning, and a call whose results are in two messages.
fn conversation() -> ModelRequest {
    let signature = |text: &str| Some(ReasoningProof::Signature(text.to_owned()));
    let base64 = || FileData::Base64("QUJD".to_owned());
    let url = |name: &str| FileData::Url(format!("https://files.example/{name}"));
    let mut messages = vec![
        message(
            ModelRole::User,
            vec![
                words("Look"),
                file("image/png", None, base64()),
                file("application/pdf", Some("a.pdf"), base64()),
                file("image/jpeg", None, url("b.jpg")),
                file("text/csv", Some("c.csv"), base64()),
            ],
        ),
        message(
            ModelRole::Assistant,
            vec![thought("old", signature("s0")), words("Seen")],
        ),
        message(ModelRole::User, vec![words("Weather?")]),
        message(
            ModelRole::Assistant,
            vec![
                thought("new", signature("s1")),
                thought("", Some(ReasoningProof::Redacted("opaque".to_owned()))),
                thought("without proof", None),
                words(""),
                call("c1"),
                call("c2"),
            ],
        ),
        message(ModelRole::User, vec![result("c1", false)]),
        message(ModelRole::User, vec![result("c2", true)]),
    ];
    for message in &mut messages {
        message.is_stable = true;
    }
    let system = |text: &str, is_stable| SystemText {
        text: text.to_owned(),
        is_stable,
    };
    ModelRequest {
        model: "test-model".to_owned(),
        system: vec![
            system("one", true),
            system("two", true),
            system("", true),
            system("now", false),
        ],
        messages,
        tools: vec![ModelTool {
            name: "weather".to_owned(),
            description: "Tells the weather".to_owned(),
            input_schema: raw("{\"type\": \"object\", \"properties\": {\"z\": {}, \"a\": {}}}"),
        }],
        max_output_tokens: None,
    }
}

async fn send(provider: &Provider, server: &ModelServer, request: &ModelRequest) -> ModelCall {
    let answered = answer(provider.wire(), &ModelAnswer::text("fine"));
    server.push(Script::events(answered));
    provider.stream(request).await.unwrap();
    server.calls().pop().unwrap()
}

#[tokio::test]
async fn request_to_anthropic() {
    let server = ModelServer::start().await;
    let call = send(
        &provider(&server, Wire::Anthropic),
        &server,
        &conversation(),
    )
    .await;
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("POST", "/v1/messages")
    );
    assert_eq!(call.header("x-api-key"), Some(KEY));
    assert_eq!(call.header("authorization"), None);
    assert_eq!(call.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(call.header("content-type"), Some("application/json"));
    let mark = json!({"type": "ephemeral"});
    let source = json!({"type": "base64", "media_type": "application/pdf", "data": "QUJD"});
    assert_eq!(
        call.body,
        json!({
            "model": "test-model",
            "max_tokens": 8192,
            "stream": true,
            "system": [
                {"type": "text", "text": "one"},
                {"type": "text", "text": "two", "cache_control": mark},
                {"type": "text", "text": "now"},
            ],
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                    {"type": "document", "source": source, "title": "a.pdf"},
                    {"type": "image", "source": {"type": "url", "url": "https://files.example/b.jpg"}},
                    {"type": "text", "text": "[File: c.csv (text/csv), not readable here]"},
                ]},
                {"role": "assistant", "content": [{"type": "text", "text": "Seen"}]},
                {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "new", "signature": "s1"},
                    {"type": "redacted_thinking", "data": "opaque"},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"z": 1.0, "a": 2}},
                    {"type": "tool_use", "id": "c2", "name": "weather", "input": {"z": 1.0, "a": 2}, "cache_control": mark},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "{\"t\": 1.0}", "cache_control": mark},
                    {"type": "tool_result", "tool_use_id": "c2", "content": "{\"t\": 1.0}", "is_error": true, "cache_control": mark},
                ]},
            ],
            "tools": [{
                "name": "weather",
                "description": "Tells the weather",
                "input_schema": {"type": "object", "properties": {"z": {}, "a": {}}},
            }],
        })
    );
    let marks = call.body.to_string().matches("cache_control").count();
    assert_eq!(marks, 4);
}

#[tokio::test]
async fn request_to_chat_completions() {
    let server = ModelServer::start().await;
    let provider = provider(&server, Wire::ChatCompletions);
    let mut request = conversation();
    request.max_output_tokens = Some(100);
    let call = send(&provider, &server, &request).await;
    assert_eq!(call.path, "/v1/chat/completions");
    assert_eq!(
        call.header("authorization"),
        Some(&*format!("Bearer {KEY}"))
    );
    for name in ["x-api-key", "anthropic-version", "http-referer", "x-title"] {
        assert_eq!(call.header(name), None);
    }
    let function = json!({"name": "weather", "arguments": "{\"z\": 1.0, \"a\": 2}"});
    assert_eq!(
        call.body,
        json!({
            "model": "test-model",
            "stream": true,
            "stream_options": {"include_usage": true},
            "max_tokens": 100,
            "messages": [
                {"role": "system", "content": "one\n\ntwo\n\nnow"},
                {"role": "user", "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
                    {"type": "image_url", "image_url": {"url": "https://files.example/b.jpg"}},
                    {"type": "text", "text": "[File: c.csv (text/csv), not readable here]"},
                ]},
                {"role": "assistant", "content": "Seen"},
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "c1", "type": "function", "function": function},
                    {"id": "c2", "type": "function", "function": function},
                ]},
                {"role": "tool", "tool_call_id": "c1", "content": "{\"t\": 1.0}"},
                {"role": "tool", "tool_call_id": "c2", "content": "{\"t\": 1.0}"},
            ],
            "tools": [{"type": "function", "function": {
                "name": "weather",
                "description": "Tells the weather",
                "parameters": {"type": "object", "properties": {"z": {}, "a": {}}},
            }}],
        })
    );
}

#[tokio::test]
async fn anthropic_with_a_token_another_address_and_version() {
    let server = ModelServer::start().await;
    for base_url in [server.base_url(), server.base_url().replace("/v1", "")] {
        let mut settings = settings(&server, Wire::Anthropic);
        settings.base_url = None;
        settings.anthropic.auth_token = Some(Secret::new("test-token".to_owned()));
        settings.anthropic.base_url = Some(Secret::new(base_url));
        settings.anthropic.version = Some("2026-10-21".to_owned());
        let provider = settings.select(None, None).unwrap();
        assert_eq!(provider.name(), "anthropic");
        let mut request = conversation();
        request.model = "claude-opus-4-5".to_owned();
        let call = send(&provider, &server, &request).await;
        assert_eq!(call.path, "/v1/messages");
        assert_eq!(call.header("authorization"), Some("Bearer test-token"));
        assert_eq!(call.header("anthropic-version"), Some("2026-10-21"));
        assert_eq!(call.body["max_tokens"], 32_000);
    }
}

#[tokio::test]
async fn long_conversations_have_at_most_four_marks() {
    let server = ModelServer::start().await;
    let mut request = conversation();
    let stable = |(index, text): (usize, &str)| ModelMessage {
        role: [ModelRole::User, ModelRole::Assistant][index % 2],
        parts: vec![words(text)],
        is_stable: true,
    };
    request.messages = ["x"; 21].into_iter().enumerate().map(stable).collect();
    request
        .messages
        .push(message(ModelRole::User, vec![words("now")]));
    let call = send(&provider(&server, Wire::Anthropic), &server, &request).await;
    let messages = call.body["messages"].as_array().unwrap();
    let is_marked = |message: &Value| message.to_string().contains("cache_control");
    let marked: Vec<usize> = (0..messages.len())
        .filter(|index| is_marked(&messages[*index]))
        .collect();
    // The last two messages have the same role, so they are one.
    assert_eq!(marked, [18, 19, 20]);
    assert!(messages[20]["content"][0].get("cache_control").is_some());
    assert!(messages[20]["content"][1].get("cache_control").is_none());
}
