//! Messages as UIMessages of the AI SDK: `{id, role, parts, metadata?}`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use super::view::{Part, ToolResult, View};
use crate::util::json::{self, Object};

/// States of the part of a tool that is finished.
pub(super) const FINISHED: [&str; 3] = ["output-available", "output-error", "output-denied"];

/// A message in this shape; its parts are JSON.
struct UiMessage<'a> {
    view: &'a View<'a>,
    role: &'static str,
    parts: Vec<Cow<'a, str>>,
    /// Whether the parts are those that are stored.
    is_stored: bool,
}

/// Renders messages, in order.
///
/// The parts are those that are stored, to the letter, but for the part of a tool that a later `tool` message answers.
/// A `tool` message without a call among these messages is an assistant message.
pub(super) fn render(messages: &[View<'_>]) -> Vec<String> {
    let parts: Vec<Vec<Part<'_>>> = messages.iter().map(View::parts).collect();
    let mut ui = Ui::default();
    for (view, parts) in messages.iter().zip(&parts) {
        if view.role() == "tool" {
            ui.add_results(view);
        } else {
            ui.add(view, parts);
        }
    }
    ui.messages.iter().map(UiMessage::to_json).collect()
}

/// Messages that are being rendered.
#[derive(Default)]
struct Ui<'a> {
    messages: Vec<UiMessage<'a>>,
    /// The parts of tools by the ids of their calls: the stored part, and its place in `messages`.
    calls: HashMap<String, (&'a Part<'a>, usize, usize)>,
}

impl<'a> Ui<'a> {
    fn add(&mut self, view: &'a View<'a>, stored: &'a [Part<'a>]) {
        let role = ui_role(view.role());
        if role == "assistant" {
            let place = self.messages.len();
            let places = stored.iter().enumerate();
            self.calls.extend(places.filter_map(|(index, part)| {
                let (_, id) = part.call()?;
                Some((id, (part, place, index)))
            }));
        }
        let mut parts: Vec<Cow<'_, str>> = stored
            .iter()
            .map(|part| Cow::Borrowed(part.raw.get()))
            .collect();
        if parts.is_empty() {
            parts.push(Cow::Owned(text_part(view)));
        }
        self.messages.push(UiMessage {
            view,
            role,
            parts,
            is_stored: !stored.is_empty(),
        });
    }

    /// Puts the results of a `tool` message into the parts of their calls, and the others into a message of their own.
    fn add_results(&mut self, view: &'a View<'a>) {
        let mut results = view.results();
        if results.is_empty() {
            results.push(whole_result(view));
        }
        results.retain(|result| {
            let Some((part, message, index)) = self.calls.get(&result.call_id) else {
                return true;
            };
            if !FINISHED.contains(&&*part.state()) {
                let message = &mut self.messages[*message];
                message.parts[*index] = Cow::Owned(answered(part, &result.output));
                message.is_stored = false;
            }
            false
        });
        if !results.is_empty() {
            let parts = results.iter().map(unasked).map(Cow::Owned).collect();
            self.messages.push(UiMessage {
                view,
                role: "assistant",
                parts,
                is_stored: false,
            });
        }
    }
}

/// Returns the role in this shape. The AI SDK has three.
fn ui_role(role: &str) -> &'static str {
    match role {
        "user" => "user",
        "system" | "developer" => "system",
        _ => "assistant",
    }
}

impl UiMessage<'_> {
    fn to_json(&self) -> String {
        let parts = if self.is_stored {
            Cow::Borrowed(self.view.list().get())
        } else {
            Cow::Owned(format!("[{}]", self.parts.join(",")))
        };
        let (id, role) = (json::text(&self.view.id()), self.role);
        let mut text = format!("{{\"id\":{id},\"role\":\"{role}\",\"parts\":{parts}");
        if let Some(metadata) = self.view.metadata() {
            text.push_str(",\"metadata\":");
            text.push_str(metadata.get());
        }
        text + "}"
    }
}

/// Returns the part of a message that has none.
fn text_part(view: &View<'_>) -> String {
    format!("{{\"type\":\"text\",\"text\":{}}}", view.content())
}

/// Returns the result in a `tool` message that names no call: its content.
fn whole_result(view: &View<'_>) -> ToolResult {
    let output = RawValue::from_string(view.content().into_owned());
    ToolResult {
        call_id: view.id().into_owned(),
        name: None,
        output: output.unwrap_or_else(|_| json::null()),
    }
}

/// Returns the part of a tool with the output of the call.
fn answered(part: &Part<'_>, output: &RawValue) -> String {
    let mut object = Object::parse(part.raw.get()).unwrap_or_default();
    object.set("state", json::raw(&"output-available"));
    if object.get("input").is_none() {
        object.set("input", json::null());
    }
    object.set("output", output.to_owned());
    // An approval beside an output must have been granted.
    let approval = object.get("approval").map(RawValue::get);
    let approval = approval.and_then(Object::parse);
    if approval.is_some_and(|it| it.get("approved").map(RawValue::get) != Some("true")) {
        object.remove("approval");
    }
    json::text(&object)
}

/// Returns the part of a result whose call is not among the messages.
fn unasked(result: &ToolResult) -> String {
    let mut object = Object::default();
    object.set("type", json::raw(&"dynamic-tool"));
    let name = result.name.as_deref().unwrap_or("tool");
    object.set("toolName", json::raw(&name));
    object.set("toolCallId", json::raw(&result.call_id));
    object.set("state", json::raw(&"output-available"));
    object.set("input", json::null());
    object.set("output", result.output.clone());
    json::text(&object)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::domain::message::{Format, Message, NewMessage};

    fn store(message: &Value) -> Message {
        let new: NewMessage = serde_json::from_str(&message.to_string()).unwrap();
        new.to_stored(crate::util::time::now()).with_seq(1)
    }

    fn rendered(messages: &[Value]) -> Vec<Value> {
        let messages: Vec<Message> = messages.iter().map(store).collect();
        let rendered = Format::Ui.render(&messages).unwrap().messages;
        let parse = |message: &String| serde_json::from_str(message).unwrap();
        rendered.iter().map(parse).collect()
    }

    #[test]
    fn parts_are_returned_to_the_letter_with_metadata() {
        let parts = r#"[ {"type":"x", "b":1.50,"a":"\u00fc"}, {"type":"y"}]"#;
        let new: NewMessage = serde_json::from_str(&format!(
            r#"{{"id":"a","role":"user","parts":{parts},"metadata":{{"k": 1}}}}"#
        ))
        .unwrap();
        let message = new.to_stored(crate::util::time::now()).with_seq(1);
        let rendered = Format::Ui.render(&[message]).unwrap().messages;
        let expected = r#"{"id":"a","role":"user","parts":[ {"type":"x", "b":1.50,"a":"\u00fc"}, {"type":"y"}],"metadata":{"k": 1}}"#;
        assert_eq!(rendered, [expected]);
    }

    #[test]
    fn message_without_parts_has_one_text_and_a_known_role() {
        let roles = [
            ("developer", "system"),
            ("system", "system"),
            ("user", "user"),
            ("assistant", "assistant"),
        ];
        for (role, expected) in roles {
            for parts in [json!(null), json!([])] {
                let message = json!({"id": "a", "role": role, "content": "t", "parts": parts});
                let expected =
                    json!({"id": "a", "role": expected, "parts": [{"type": "text", "text": "t"}]});
                assert_eq!(rendered(&[message]), [expected]);
            }
        }
    }

    #[test]
    fn tool_message_becomes_the_part_of_its_call() {
        let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}});
        let messages = [
            json!({"id": "1", "role": "assistant", "tool_calls": [call("a"), call("b")]}),
            json!({"id": "2", "role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "r"}]}),
            json!({"id": "3", "role": "tool", "tool_call_id": "z", "content": "late"}),
            json!({"id": "4", "role": "tool", "content": "alone"}),
        ];
        let rendered = rendered(&messages);
        assert_eq!(rendered.len(), 3);
        let states = [0, 1].map(|index| &rendered[0]["parts"][index]["state"]);
        assert_eq!(states, ["input-available", "output-available"]);
        assert_eq!(
            rendered[0]["parts"][1]["output"],
            json!([{"type": "text", "text": "r"}])
        );
        let unasked = |message: &str, call: &str, output: &str| {
            json!({"id": message, "role": "assistant", "parts": [{
                "type": "dynamic-tool", "toolName": "tool", "toolCallId": call, "state": "output-available", "input": null,
                "output": output,
            }]})
        };
        assert_eq!(
            rendered[1..],
            [unasked("3", "z", "late"), unasked("4", "4", "alone")]
        );
    }

    #[test]
    fn finished_part_keeps_its_output_and_an_open_approval_is_removed() {
        let part = |id: &str, state: &str, more: (&str, Value)| json!({"type": "tool-f", "toolCallId": id, "state": state, "input": 1, more.0: more.1});
        let approval =
            |approved: Option<bool>| ("approval", json!({"id": "p", "approved": approved}));
        let parts = [
            part("a", "output-available", ("output", json!("old"))),
            part("b", "approval-requested", ("approval", json!({"id": "p"}))),
            part("c", "approval-responded", approval(Some(true))),
        ];
        let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "new"});
        let assistant = json!({"role": "assistant", "parts": parts});
        let rendered = rendered(&[assistant, result("a"), result("b"), result("c")]);
        assert_eq!(rendered.len(), 1);
        let parts = rendered[0]["parts"].as_array().unwrap();
        assert_eq!(parts[0]["output"], "old");
        assert_eq!(
            parts[1],
            json!({"type": "tool-f", "toolCallId": "b", "state": "output-available", "input": 1, "output": "new"})
        );
        assert_eq!(parts[2]["approval"], json!({"id": "p", "approved": true}));
    }

    #[test]
    fn deleted_messages_are_left_out_and_unreadable_ones_are_named() {
        let deleted = r#"{"id":"a","role":"user","content":"","timestamp":null,"traces":null,"artifacts":null,"deleted":true}"#;
        let python = r#"{"role": "model", "content": null}"#;
        let messages = [deleted, python, "no json", r#"{"role": 5, "content": "x"}"#];
        let messages: Vec<Message> = messages
            .iter()
            .zip(1..)
            .map(|(text, seq)| Message::from_stored(text.as_bytes().to_vec(), seq))
            .collect();
        for format in [Format::Ui, Format::OpenAi] {
            let rendered = format.render(&messages).unwrap();
            assert_eq!(rendered.unreadable, ["msg_3", "msg_4"]);
            assert_eq!(rendered.messages.len(), 1, "{:?}", rendered.messages);
        }
        let rendered = Format::Ui.render(&messages).unwrap().messages;
        assert_eq!(
            rendered,
            [r#"{"id":"msg_2","role":"assistant","parts":[{"type":"text","text":""}]}"#]
        );
    }
}
