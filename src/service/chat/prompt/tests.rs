use serde_json::{Value, json};

use super::*;
use crate::domain::message::{Message, NewMessage};
use crate::provider::request::{FileData, ModelMessage, ModelPart, ModelRole, ReasoningProof};

/// Stores messages, and reads them as history.
pub(super) fn history(messages: &[Value]) -> Vec<HistoryMessage> {
    let read = |(index, message): (usize, &Value)| {
        let new: NewMessage = serde_json::from_str(&message.to_string()).unwrap();
        let stored = new.to_stored(crate::util::time::now());
        HistoryMessage::of(&stored.with_seq(index as u64 + 1)).unwrap()
    };
    messages.iter().enumerate().map(read).collect()
}

pub(super) fn part_text(part: &ModelPart) -> String {
    match part {
        ModelPart::Text(text) => text.clone(),
        ModelPart::Reasoning { text, proof } => match proof {
            Some(ReasoningProof::Signature(proof)) => format!("think {text} {proof}"),
            Some(ReasoningProof::Redacted(proof)) => format!("redacted {proof}"),
            None => format!("think {text}"),
        },
        ModelPart::File {
            media_type, data, ..
        } => match data {
            FileData::Base64(data) => format!("{media_type} {data}"),
            FileData::Url(url) => format!("{media_type} {url}"),
        },
        ModelPart::ToolCall { id, name, input } => format!("call {id} {name} {input}"),
        ModelPart::ToolResult {
            id,
            output,
            is_error,
            ..
        } => {
            let kind = if *is_error { "error" } else { "result" };
            format!("{kind} {id} {output}")
        }
    }
}

pub(super) fn texts(messages: &[ModelMessage]) -> Vec<(ModelRole, Vec<String>)> {
    let text = |message: &ModelMessage| {
        let parts = message.parts.iter().map(part_text).collect();
        (message.role, parts)
    };
    messages.iter().map(text).collect()
}

#[track_caller]
fn check(messages: &[Value], expected: &[(ModelRole, &[&str])]) {
    let conversation = Conversation::new(&history(messages));
    let found = texts(&conversation.into_messages(&[], &Files::new()));
    let owned = |(role, parts): &(ModelRole, &[&str])| {
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        (*role, parts)
    };
    let expected: Vec<(ModelRole, Vec<String>)> = expected.iter().map(owned).collect();
    assert_eq!(found, expected);
}

pub(super) fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

const USER: ModelRole = ModelRole::User;
const ASSISTANT: ModelRole = ModelRole::Assistant;

#[test]
fn steps_become_calls_and_results() {
    let parts = json!([
        {"type": "step-start"},
        {"type": "reasoning", "text": "hm", "providerMetadata": {"anthropic": {"signature": "s"}}},
        {"type": "reasoning", "text": "", "providerMetadata": {"anthropic": {"redactedData": "x"}}},
        {"type": "reasoning", "text": ""},
        {"type": "text", "text": "Look:"},
        {"type": "tool-f", "toolCallId": "a", "state": "output-available", "input": {"x": 1}, "output": "one"},
        {"type": "dynamic-tool", "toolName": "g", "toolCallId": "b", "state": "output-error", "input": "{", "errorText": "bad"},
        {"type": "tool-f", "toolCallId": "c", "state": "input-streaming", "input": {}},
        {"type": "data-x", "data": 1},
        {"type": "step-start"},
        {"type": "text", "text": " "},
        {"type": "tool-f", "toolCallId": "d", "state": "output-available", "input": {}, "output": {"y": 1.0}},
        {"type": "step-start"},
        {"type": "text", "text": "Done"},
    ]);
    let messages = [user("Hi"), json!({"role": "assistant", "parts": parts})];
    check(
        &messages,
        &[
            (USER, &["Hi"]),
            (
                ASSISTANT,
                &[
                    "think hm s",
                    "redacted x",
                    "Look:",
                    "call a f {\"x\":1}",
                    "call b g {}",
                ],
            ),
            (USER, &["result a one", "error b bad"]),
            (ASSISTANT, &["call d f {}"]),
            (USER, &["result d {\"y\":1.0}"]),
            (ASSISTANT, &["Done"]),
        ],
    );
}

#[test]
fn every_call_has_a_result() {
    let call = |id: &str, state: &str, approval: Value| json!({"type": "tool-f", "toolCallId": id, "state": state, "input": {}, "approval": approval});
    let parts = json!([
        {"type": "tool-f", "toolCallId": "a", "state": "input-available", "input": {}},
        call("b", "approval-requested", json!({"id": "1"})),
        call("c", "approval-responded", json!({"id": "2", "approved": true})),
        call("d", "approval-responded", json!({"id": "3", "approved": false})),
        call("e", "output-denied", json!({"id": "4", "approved": false, "reason": "too dear"})),
    ]);
    let messages = [
        user("Hi"),
        json!({"role": "assistant", "parts": parts}),
        user("So?"),
    ];
    let calls = ["a", "b", "c", "d", "e"].map(|id| format!("call {id} f {{}}"));
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    let results = [
        "error a The call was not run.",
        "error b The call was not run.",
        "error c The call was not run.",
        "error d The person denied the call.",
        "error e too dear",
        "So?",
    ];
    check(
        &messages,
        &[(USER, &["Hi"]), (ASSISTANT, &calls), (USER, &results)],
    );
}

#[test]
fn tool_messages_are_results_of_their_calls() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"q\": 1}"}});
    let messages = [
        user("Hi"),
        json!({"role": "assistant", "content": null, "tool_calls": [call("a"), call("b"), call("c")]}),
        json!({"role": "tool", "tool_call_id": "a", "content": "one"}),
        json!({"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "2"}]}),
        json!({"role": "tool", "tool_call_id": "z", "content": "late"}),
        json!({"role": "tool", "content": "alone"}),
    ];
    let results = [
        "result a one",
        "result b two\n2",
        "error c The call was not run.",
        "[Result of a tool]\nlate",
        "[Result of a tool]\nalone",
    ];
    let calls = [
        "call a f {\"q\": 1}",
        "call b f {\"q\": 1}",
        "call c f {\"q\": 1}",
    ];
    check(
        &messages,
        &[(USER, &["Hi"]), (ASSISTANT, &calls), (USER, &results)],
    );
}

#[test]
fn roles_alternate_and_begin_with_a_user() {
    let messages = [
        json!({"role": "system", "content": "Be brief."}),
        json!({"role": "developer", "parts": [{"type": "text", "text": "Be kind."}]}),
        json!({"role": "assistant", "content": "Hello"}),
        user("a"),
        json!({"role": "assistant", "parts": [{"type": "data-x", "data": 1}]}),
        json!({"role": "system", "content": "Now in French."}),
        json!({"role": "user", "parts": [{"type": "data-x", "data": 1}]}),
    ];
    let conversation = Conversation::new(&history(&messages));
    assert_eq!(conversation.system, ["Be brief.", "Be kind."]);
    let first = "[The conversation begins with a message of the assistant.]";
    let last = [
        "a",
        "<system-message>\nNow in French.\n</system-message>",
        "[A message without text]",
    ];
    check(
        &messages,
        &[(USER, &[first]), (ASSISTANT, &["Hello"]), (USER, &last)],
    );
}

#[test]
fn deleted_and_malformed_messages_are_left_out() {
    for text in [
        r#"{"id":"a","role":"user","content":"","timestamp":"t","traces":null,"artifacts":null,"deleted":true}"#,
        "{",
        "",
    ] {
        let message = Message::from_stored(text.as_bytes().to_vec(), 1);
        assert!(HistoryMessage::of(&message).is_none(), "{text}");
    }
}
