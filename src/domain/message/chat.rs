//! Messages in the shape of OpenAI's Chat Completions.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::chat_part::{Item, content_part, refusal, tool_call};
use super::ui::FINISHED;
use super::view::{Part, View, text};
use crate::util::json::{self, Object};

/// Renders messages, in order.
///
/// A message that came in this shape is returned value for value. The parts of a UIMessage become content parts, calls of
/// tools and `tool` messages, as `convertToModelMessages` of the AI SDK converts them; parts without a counterpart, such as
/// reasoning, are left out.
pub(super) fn render(messages: &[View<'_>]) -> Vec<String> {
    let tools = messages.iter().filter(|view| view.role() == "tool");
    let answered = tools.flat_map(View::results).map(|result| result.call_id);
    let mut chat = Chat {
        answered: answered.collect(),
        messages: Vec::with_capacity(messages.len()),
    };
    for view in messages {
        chat.add(view);
    }
    chat.messages
}

/// Messages that are being rendered.
struct Chat {
    /// The ids of the calls that a `tool` message answers.
    answered: HashSet<String>,
    messages: Vec<String>,
}

impl Chat {
    fn add(&mut self, view: &View<'_>) {
        let parts = view.parts();
        let openai = parts.first().map(Part::openai).unwrap_or_default();
        let said = openai.get("message").map(RawValue::get);
        let said = said.and_then(Object::parse);
        if view.role() == "tool" {
            return self.add_results(view, said.as_ref());
        }
        if parts.is_empty() {
            return self.push(view.role(), Some(raw(&view.content())), None);
        }
        if let Some(said) = said {
            self.add_said(view.role(), &parts, &said);
        } else if view.role() == "assistant" {
            self.add_steps(&parts);
        } else {
            let mut items = content_parts(&parts);
            // Other roles have texts only.
            items.retain(|item| view.role() == "user" || item.text.is_some());
            let is_list = view.role() == "user" && items.len() > 1;
            self.push(view.role(), Some(content(&items, is_list)), None);
        }
    }

    fn push(&mut self, role: &str, content: Option<Box<RawValue>>, said: Option<&Object<'_>>) {
        let mut message = begin(role, said);
        if let Some(content) = content {
            message.set("content", content);
        }
        self.messages.push(json::text(&message));
    }

    /// Adds a `tool` message: one for each result.
    fn add_results(&mut self, view: &View<'_>, said: Option<&Object<'_>>) {
        let results = view.results();
        if results.is_empty() {
            return self.push("tool", Some(raw(&view.content())), said);
        }
        for result in results {
            let mut message = begin("tool", said);
            message.set("tool_call_id", json::raw(&result.call_id));
            message.set("content", tool_content(&result.output, true));
            self.messages.push(json::text(&message));
        }
    }

    /// Adds a message that came in this shape. `said` has its members beside its parts.
    fn add_said(&mut self, role: &str, parts: &[Part<'_>], said: &Object<'_>) {
        let mut message = begin(role, Some(said));
        let items = content_parts(parts);
        match said.get("content").map(RawValue::get) {
            None if items.is_empty() => {}
            Some("null") if items.is_empty() => message.set("content", json::null()),
            shape => message.set("content", content(&items, shape == Some("\"list\""))),
        }
        if let Some(refusal) = parts.iter().find_map(refusal) {
            message.set("refusal", refusal);
        }
        let calls: Vec<Box<RawValue>> = parts.iter().filter_map(tool_call).collect();
        if !calls.is_empty() {
            message.set("tool_calls", json::raw(&calls));
        }
        self.messages.push(json::text(&message));
        self.add_outputs(parts);
    }

    /// Adds the message of an assistant: one for each step, and the results of its tools.
    fn add_steps(&mut self, parts: &[Part<'_>]) {
        let before = self.messages.len();
        let is_border = |part: &Part<'_>| ["step-start", "steering-message"].contains(&part.kind());
        for step in parts.split_inclusive(is_border) {
            let mut items = content_parts(step);
            items.retain(|item| item.text.is_some());
            let started = |part: &&Part<'_>| part.state() != "input-streaming";
            let calls: Vec<Box<RawValue>> =
                step.iter().filter(started).filter_map(tool_call).collect();
            if !items.is_empty() || !calls.is_empty() {
                let mut message = begin("assistant", None);
                let content = (!items.is_empty()).then(|| content(&items, false));
                message.set("content", content.unwrap_or_else(json::null));
                if !calls.is_empty() {
                    message.set("tool_calls", json::raw(&calls));
                }
                self.messages.push(json::text(&message));
            }
            self.add_outputs(step);
            // A message of a person between two steps.
            let steering = step.last().filter(|part| part.kind() == "steering-message");
            if let Some(parts) = steering.and_then(|part| part.get("parts")) {
                let items = content_parts(&Part::list(parts));
                self.push("user", Some(content(&items, items.len() > 1)), None);
            }
        }
        if self.messages.len() == before {
            self.push("assistant", Some(raw("\"\"")), None);
        }
    }

    /// Adds the results of finished tools that no `tool` message has.
    fn add_outputs(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            let Some((_, id)) = part.call().filter(|(_, id)| !self.answered.contains(id)) else {
                continue;
            };
            let state = part.state();
            if !FINISHED.contains(&&*state) && !is_denied(part) {
                continue;
            }
            let content = match state.as_str() {
                "output-available" => {
                    tool_content(part.get("output").unwrap_or(RawValue::NULL), false)
                }
                "output-error" => json::raw(&part.text("errorText").unwrap_or_default()),
                _ => json::raw(&denial(part)),
            };
            let mut message = begin("tool", None);
            message.set("tool_call_id", json::raw(&id));
            message.set("content", content);
            self.messages.push(json::text(&message));
        }
    }
}

/// Returns a message with its role, and with the members that it said beside its parts.
fn begin(role: &str, said: Option<&Object<'_>>) -> Object<'static> {
    let mut message = Object::default();
    message.set("role", json::raw(&role));
    let kept = [
        "name",
        "refusal",
        "tool_calls",
        "annotations",
        "audio",
        "function_call",
    ];
    for name in kept {
        if let Some(value) = said.and_then(|said| said.get(name)) {
            message.set(name, value.to_owned());
        }
    }
    message
}

/// Returns the parts of a message that are its content.
fn content_parts(parts: &[Part<'_>]) -> Vec<Item> {
    parts.iter().filter_map(content_part).collect()
}

/// Returns the content of a message: a list, or the text where there is nothing else.
///
/// Texts are joined as in the member `content` of the native shape; only a list keeps several apart.
fn content(items: &[Item], is_list: bool) -> Box<RawValue> {
    let texts: Option<Vec<&str>> = items.iter().map(|item| item.text.as_deref()).collect();
    match texts {
        Some(texts) if !is_list => json::raw(&texts.join("\n\n")),
        _ => {
            let items: Vec<&RawValue> = items.iter().map(|item| &*item.json).collect();
            json::raw(&items)
        }
    }
}

/// Returns whether a person denied the call of a tool.
fn is_denied(part: &Part<'_>) -> bool {
    let approval = part.get("approval").map(RawValue::get);
    let approval = approval.and_then(Object::parse);
    approval.is_some_and(|it| it.get("approved").map(RawValue::get) == Some("false"))
}

/// Returns the text of a denial.
fn denial(part: &Part<'_>) -> String {
    let approval = part.get("approval").map(RawValue::get);
    let approval = approval.and_then(Object::parse).unwrap_or_default();
    text(approval.get("reason")).unwrap_or_else(|| "Tool call execution denied.".to_owned())
}

/// Returns the output of a tool as the content of a `tool` message: a text, or the list that came in this shape.
fn tool_content(output: &RawValue, is_given: bool) -> Box<RawValue> {
    let json = output.get();
    if json.starts_with('"') || is_given && json.starts_with('[') {
        return output.to_owned();
    }
    // The outputs of the AI SDK's ModelMessages.
    let object = Object::parse(json).filter(|_| is_given).unwrap_or_default();
    match (text(object.get("type")).as_deref(), object.get("value")) {
        (Some("text" | "error-text"), Some(value)) if value.get().starts_with('"') => {
            value.to_owned()
        }
        (Some("json" | "error-json"), Some(value)) => json::raw(&value.get()),
        _ => json::raw(&json),
    }
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_else(|_| json::null())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::domain::message::{Format, Message, NewMessage};

    /// Stores messages in the order given.
    fn store(messages: &[Value]) -> Vec<Message> {
        let store = |(index, message): (usize, &Value)| {
            let new: NewMessage = serde_json::from_str(&message.to_string()).unwrap();
            assert_eq!(new.check(), Ok(()), "{message}");
            let stored = new.to_stored(crate::util::time::now());
            stored.with_seq(index as u64 + 1)
        };
        messages.iter().enumerate().map(store).collect()
    }

    fn rendered(messages: &[Value]) -> Vec<Value> {
        let rendered = Format::OpenAi.render(&store(messages)).unwrap().messages;
        let parse = |message: &String| serde_json::from_str(message).unwrap();
        rendered.iter().map(parse).collect()
    }

    /// Checks that messages in this shape are returned as they were sent.
    #[track_caller]
    fn check_kept(messages: &[Value]) {
        assert_eq!(rendered(messages), messages);
    }

    #[test]
    fn messages_in_this_shape_are_returned_value_for_value() {
        let url = "data:image/png;base64,iVBORw0KGgo=";
        check_kept(&[
            json!({"role": "developer", "content": "Be brief."}),
            json!({"role": "system", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "x"}),
            json!({"role": "user", "content": "Hi", "name": "Ann"}),
            json!({"role": "user", "content": [
                {"type": "text", "text": "one", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": url, "detail": "low"}, "extra": 1},
                {"type": "image_url", "image_url": {"url": "https://example.com/a"}},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                {"type": "input_audio", "input_audio": {"data": "//uQ", "format": "mp3"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_data": "JVBERi0=", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "file", "file": {"file_id": "file-1", "file_data": "data:a/b,x"}},
                {"type": "video_url", "video_url": {"url": "https://example.com/v"}},
            ]}),
            json!({"role": "assistant", "content": "text", "refusal": null}),
            json!({"role": "assistant", "content": null, "refusal": "No."}),
            json!({"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}),
            json!({"role": "assistant", "content": "text", "tool_calls": []}),
            json!({"role": "assistant", "content": [], "refusal": "No."}),
            json!({"role": "tool", "content": "text", "refusal": null}),
            json!({"role": "assistant", "content": "text", "tool_calls": null, "refusal": null}),
        ]);
    }

    #[test]
    fn calls_and_results_of_tools_are_returned_value_for_value() {
        let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        let long = "n".repeat(64);
        check_kept(&[
            json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [
                call("a", "f", "{\"x\": 1.50,\n \"y\":[9007199254740993]}"), call("b", &long, ""),
                call("c", "f", "{broken"), call("d", "f", "{\"x\":\"\\u0000\"}"), call("e", "f", " {\"x\":1,\"x\":2} "),
                {"id": "f", "type": "custom", "custom": {"name": "sql", "input": "select 1"}, "index": 3},
                {"id": "g", "type": "function", "function": {"name": "f", "arguments": "{ }"}, "custom": 5},
            ]}),
            json!({"role": "tool", "tool_call_id": "a", "content": "text"}),
            json!({"role": "tool", "tool_call_id": "b", "content": ""}),
            json!({"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "{}"}], "name": "f"}),
            json!({"role": "assistant", "tool_calls": [call("x", "f", "{}")]}),
            json!({"role": "assistant", "content": "", "tool_calls": [call("x", "f", "{}")]}),
            json!({"role": "assistant", "content": "Look:", "tool_calls": [call("y", "f", &"[".repeat(100))]}),
            json!({"role": "tool", "content": "without a call"}),
        ]);
    }

    #[test]
    fn steps_of_a_ui_message_become_messages_calls_and_results() {
        let tool = |id: &str, state: &str, more: Value| {
            let mut part =
                json!({"type": "tool-f", "toolCallId": id, "state": state, "input": {"x": 1}});
            let members = more.as_object().unwrap().clone();
            part.as_object_mut().unwrap().extend(members);
            part
        };
        let parts = json!([
            {"type": "step-start"}, {"type": "reasoning", "text": "hm"}, {"type": "text", "text": "I look."},
            tool("a", "output-available", json!({"output": {"y": 2}})),
            tool("b", "output-error", json!({"errorText": "down"})),
            tool("c", "approval-responded", json!({"approval": {"id": "p", "approved": false, "reason": "no"}})),
            tool("d", "input-streaming", json!({})),
            {"type": "dynamic-tool", "toolName": "g", "toolCallId": "e", "state": "output-denied", "input": null},
            {"type": "step-start"}, {"type": "text", "text": "Done."}, {"type": "data-x", "data": 1},
        ]);
        let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        let result = |id: &str, content: &str| json!({"role": "tool", "tool_call_id": id, "content": content});
        assert_eq!(
            rendered(&[json!({"role": "assistant", "parts": parts})]),
            [
                json!({"role": "assistant", "content": "I look.", "tool_calls": [
                    call("a", "f", "{\"x\":1}"), call("b", "f", "{\"x\":1}"), call("c", "f", "{\"x\":1}"),
                    call("e", "g", "null"),
                ]}),
                result("a", "{\"y\":2}"),
                result("b", "down"),
                result("c", "no"),
                result("e", "Tool call execution denied."),
                json!({"role": "assistant", "content": "Done."}),
            ]
        );
    }

    #[test]
    fn parts_of_a_user_become_a_text_or_a_list() {
        let text = json!({"type": "text", "text": "a"});
        let file = |media_type: &str, url: &str| json!({"type": "file", "mediaType": media_type, "url": url, "filename": "n"});
        let messages = [
            json!({"role": "user", "parts": [text]}),
            json!({"role": "user", "parts": [
                text, file("image/png", "https://example.com/a.png"), file("audio/mpeg", "data:audio/mpeg;base64,AA=="),
                file("application/pdf", "data:application/pdf;base64,AA=="), file("application/pdf", "file-1"),
            ]}),
            json!({"role": "user", "parts": [{"type": "data-x", "data": 1}]}),
            json!({"role": "system", "parts": [text, text]}),
            json!({"role": "assistant", "parts": [{"type": "reasoning", "text": "hm"}]}),
        ];
        let expected = [
            json!({"role": "user", "content": "a"}),
            json!({"role": "user", "content": [
                text,
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
                {"type": "file", "file": {"filename": "n", "file_data": "data:application/pdf;base64,AA=="}},
                {"type": "file", "file": {"filename": "n", "file_id": "file-1"}},
            ]}),
            json!({"role": "user", "content": ""}),
            json!({"role": "system", "content": "a\n\na"}),
            json!({"role": "assistant", "content": ""}),
        ];
        assert_eq!(rendered(&messages), expected);
    }

    #[test]
    fn call_that_a_client_changed_is_not_the_old_one_and_a_result_is_given_once() {
        let call = json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}});
        let part = |x: u8| {
            json!({
                "type": "tool-f", "toolCallId": "a", "state": "output-available", "input": {"x": x}, "output": "old",
                "callProviderMetadata": {"openai": {"call": call, "message": {"content": null}}},
            })
        };
        let answer = json!({"role": "tool", "tool_call_id": "a", "content": "new"});
        let kept = rendered(&[json!({"role": "assistant", "parts": [part(1)]})]);
        assert_eq!(kept[0]["tool_calls"][0], call);
        assert_eq!(kept[1]["content"], "old");
        let changed = rendered(&[
            json!({"role": "assistant", "parts": [part(2)]}),
            answer.clone(),
        ]);
        let arguments = &changed[0]["tool_calls"][0]["function"]["arguments"];
        assert_eq!(arguments, "{\"x\":2}");
        assert_eq!(changed[1..], [answer]);
    }

    #[test]
    fn content_is_the_text_for_readers_that_know_no_parts() {
        let content = |message: Value| {
            let mut response = Vec::new();
            store(&[message])[0].write_response(&mut response);
            serde_json::from_slice::<Value>(&response).unwrap()["content"].clone()
        };
        let text = |text: &str| json!({"type": "text", "text": text});
        let image = json!({"type": "image_url", "image_url": {"url": "https://example.com/a"}});
        let list = json!({"role": "user", "content": [text("a"), image, text("b")]});
        assert_eq!(content(list), "a\n\nb");
        let tool = json!({"role": "tool", "tool_call_id": "x", "content": [text("a"), text("b")]});
        assert_eq!(content(tool), "a\n\nb");
        let refusal = json!({"role": "assistant", "content": null, "refusal": "No."});
        assert_eq!(content(refusal), "No.");
        assert_eq!(
            content(json!({"role": "user", "content": "a", "name": "n"})),
            "a"
        );
    }
}
