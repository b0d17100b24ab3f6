//! New messages in the shape of OpenAI's Chat Completions, which become parts.
//!
//! The parts are those of a UIMessage where one fits. Members without a place there are kept in the member `openai` of the
//! part's `providerMetadata` (`callProviderMetadata` of a tool): `part` and `call` are the content part and the call,
//! `refusal` marks the text of a refusal, and `message`, in the first part, is the rest of the message. `chat.rs` reads them.

use serde_json::value::RawValue;

use super::new::{Content, InvalidMember};
use super::openai_items::{Annotations, Label, SentContent, ToolCalls, Unsupported, to_parts};
use super::openai_part::NewPart;
use super::parts::Parts;
use super::values::Role;
use super::view::TOOL_RESULT;
use crate::util::json::{self, Object};

/// The members of a new message in this shape.
#[derive(Clone, Debug, Default)]
pub(super) struct Chat {
    pub(super) content: SentContent,
    /// `Some(None)` is `null`, also in the members below.
    pub(super) tool_calls: Option<Option<ToolCalls>>,
    pub(super) tool_call_id: Option<Label>,
    pub(super) name: Option<Label>,
    pub(super) refusal: Option<Option<Content>>,
    pub(super) annotations: Option<Option<Annotations>>,
    pub(super) audio: Option<Option<Unsupported>>,
    pub(super) function_call: Option<Option<Unsupported>>,
}

impl Chat {
    /// Returns the members of the message that must not be `null` beside `parts`, or with another role.
    fn set_members(&self) -> impl Iterator<Item = (&'static str, Option<Role>)> {
        [
            (
                matches!(self.content, SentContent::List(_)),
                "content",
                None,
            ),
            (
                matches!(self.tool_calls, Some(Some(_))),
                "tool_calls",
                Some(Role::Assistant),
            ),
            (
                self.tool_call_id.is_some(),
                "tool_call_id",
                Some(Role::Tool),
            ),
            (self.name.is_some(), "name", None),
            (
                matches!(self.refusal, Some(Some(_))),
                "refusal",
                Some(Role::Assistant),
            ),
            (
                matches!(&self.annotations, Some(Some(list)) if !list.is_empty),
                "annotations",
                Some(Role::Assistant),
            ),
        ]
        .into_iter()
        .filter_map(|(is_set, name, role)| is_set.then_some((name, role)))
    }

    /// Checks which members stand beside each other.
    fn check(&self, role: Role, has_parts: bool) -> Result<(), InvalidMember> {
        if matches!(self.audio, Some(Some(_))) {
            return Err(("audio", "must be null; send its transcript as `content`"));
        }
        if matches!(self.function_call, Some(Some(_))) {
            let rule = "must be null; it is deprecated, send `tool_calls` instead";
            return Err(("function_call", rule));
        }
        for (name, only) in self.set_members() {
            if has_parts {
                return Err((name, "must not stand beside `parts`; send either of them"));
            }
            if only.is_some_and(|only| only != role) {
                let rule = if only == Some(Role::Tool) {
                    "is for messages of role tool; leave it out"
                } else {
                    "is for messages of role assistant; leave it out"
                };
                return Err((name, rule));
            }
        }
        let has_text = matches!(self.content, SentContent::Text(_) | SentContent::List(_));
        if role != Role::Tool || has_parts {
            return Ok(());
        }
        let is_list = matches!(self.content, SentContent::List(_));
        match &self.tool_call_id {
            None if is_list || self.name.is_some() => Err((
                "tool_call_id",
                "is required beside a list of content or a name",
            )),
            Some(_) if !has_text => Err(("content", "is required beside `tool_call_id`")),
            _ => Ok(()),
        }
    }

    /// Returns the content and the parts to store. A message that has nothing of this shape has no parts.
    ///
    /// # Errors
    /// If members exclude each other, or the parts exceed their limits.
    pub(super) fn into_stored(
        self,
        role: Role,
        parts: Option<Parts>,
    ) -> Result<(Option<Content>, Option<Parts>), InvalidMember> {
        self.check(role, parts.is_some())?;
        let is_said = self.refusal.is_some()
            || self.tool_calls.is_some()
            || self.annotations.is_some()
            || self.audio.is_some()
            || self.function_call.is_some()
            || self.set_members().next().is_some();
        if parts.is_some() || !is_said {
            let content = match self.content {
                SentContent::Text(content) => Some(content),
                _ => None,
            };
            return Ok((content, parts));
        }
        let said = self.said();
        let (new, content) = if role == Role::Tool && self.tool_call_id.is_some() {
            self.into_result()
        } else {
            self.into_parts()
        };
        let mut new = new.into_iter();
        let Some(first) = new.next() else {
            return Ok((content, None));
        };
        let new: Vec<NewPart> = [first.with_openai("message", said)]
            .into_iter()
            .chain(new)
            .collect();
        let rule =
            "must be at most 1 MB and 256 parts together with the other members of the message";
        let parts = to_parts(&new).map_err(|_| ("content", rule))?;
        let content = content.unwrap_or_else(|| Content::of_parts(&parts));
        Ok((Some(content), Some(parts)))
    }

    /// Returns the rest of the message beside its parts: the form of its content, its name, and members that are empty.
    fn said(&self) -> Box<RawValue> {
        let mut said = Object::default();
        match &self.content {
            SentContent::Missing => {}
            SentContent::Null => said.set("content", json::null()),
            SentContent::Text(_) => said.set("content", json::raw(&"text")),
            SentContent::List(_) => said.set("content", json::raw(&"list")),
        }
        if let Some(Label(name)) = &self.name {
            said.set("name", json::raw(name));
        }
        if self.refusal.as_ref().is_some_and(Option::is_none) {
            said.set("refusal", json::null());
        }
        match &self.tool_calls {
            Some(None) => said.set("tool_calls", json::null()),
            Some(Some(ToolCalls(calls))) if calls.parts.is_empty() => {
                said.set("tool_calls", calls.raw.clone());
            }
            _ => {}
        }
        match &self.annotations {
            None => {}
            Some(None) => said.set("annotations", json::null()),
            Some(Some(list)) => said.set("annotations", list.raw.clone()),
        }
        if self.audio.is_some() {
            said.set("audio", json::null());
        }
        if self.function_call.is_some() {
            said.set("function_call", json::null());
        }
        json::raw(&said)
    }

    /// Returns the part of a `tool` message, and its content.
    fn into_result(self) -> (Vec<NewPart>, Option<Content>) {
        let Label(id) = self.tool_call_id.unwrap_or(Label(String::new()));
        let mut part = NewPart::new(TOOL_RESULT);
        part.set("toolCallId", json::raw(&id));
        let (output, content) = match self.content {
            SentContent::List(list) => (list.raw, list.content),
            SentContent::Text(text) => (text.as_raw().to_owned(), text),
            SentContent::Missing | SentContent::Null => (json::null(), Content::empty()),
        };
        part.set("output", output);
        (vec![part], Some(content))
    }

    /// Returns the parts of another message, and its content if it is a text.
    fn into_parts(self) -> (Vec<NewPart>, Option<Content>) {
        let mut parts = Vec::new();
        let mut given = None;
        match self.content {
            SentContent::List(list) => parts.extend(list.parts),
            SentContent::Text(text) => {
                if !text.is_empty() {
                    parts.push(NewPart::text(text.as_raw()));
                }
                given = Some(text);
            }
            SentContent::Missing | SentContent::Null => {}
        }
        if let Some(text) = self.refusal.flatten() {
            let part = NewPart::text(text.as_raw());
            parts.push(part.with_openai("refusal", json::raw(&true)));
        }
        let calls = self.tool_calls.flatten();
        parts.extend(calls.into_iter().flat_map(|ToolCalls(calls)| calls.parts));
        (parts, given)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::domain::message::NewMessage;

    /// Returns the error of a message: that of parsing, or the member that contradicts another one.
    fn error(message: &Value) -> String {
        match serde_json::from_str::<NewMessage>(&message.to_string()) {
            Err(error) => error.to_string(),
            Ok(new) => new
                .check()
                .map_or_else(|(name, rule)| format!("{name} {rule}"), |()| String::new()),
        }
    }

    #[test]
    fn parts_are_those_of_a_ui_message() {
        let message = json!({
            "role": "assistant", "content": "Look:",
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}],
        });
        let new: NewMessage = serde_json::from_str(&message.to_string()).unwrap();
        let parts = new.parts.unwrap();
        let parts: Value = serde_json::from_str(parts.as_raw().get()).unwrap();
        let call = &message["tool_calls"][0];
        let expected = json!([
            {"type": "text", "text": "Look:", "providerMetadata": {"openai": {"message": {"content": "text"}}}},
            {"type": "tool-f", "toolCallId": "a", "state": "input-available", "input": {"x": 1},
             "callProviderMetadata": {"openai": {"call": call}}},
        ]);
        assert_eq!(parts, expected);
    }

    #[test]
    fn malformed_content_names_the_item_and_the_member() {
        for (item, expected) in [
            (json!(5), "must be an object"),
            (json!({}), "needs a `type`"),
            (json!({"type": "t".repeat(65)}), "needs a `type`"),
            (json!({"type": "text"}), "needs the member `text`"),
            (
                json!({"type": "text", "text": null}),
                "needs the member `text`",
            ),
            (
                json!({"type": "refusal", "text": "x"}),
                "needs the member `refusal`",
            ),
            (
                json!({"type": "image_url", "image_url": "x"}),
                "needs the member `image_url`, an object",
            ),
            (
                json!({"type": "image_url", "image_url": {}}),
                "needs the member `url`",
            ),
            (
                json!({"type": "input_audio", "input_audio": {"data": "x"}}),
                "needs the member `format`",
            ),
            (
                json!({"type": "input_audio", "input_audio": {"data": "x", "format": "a,b"}}),
                "needs a `format`",
            ),
            (
                json!({"type": "file", "file": {}}),
                "`file_data` or `file_id`",
            ),
            (
                json!({"type": "file", "file": {"file_data": 5}}),
                "needs the member `file_data`",
            ),
        ] {
            let good = json!({"type": "text", "text": "a"});
            let error = error(&json!({"role": "user", "content": [good, item]}));
            assert!(
                error.contains("item 1") && error.contains(expected),
                "{item}: {error}"
            );
        }
        let deep: Value =
            serde_json::from_str(&format!("{}{}", "[".repeat(32), "]".repeat(32))).unwrap();
        for (item, expected) in [
            (json!({"type": "x", "deep": deep}), "nested deeper"),
            (json!({"type": "text", "text": "\0"}), "NUL"),
            (json!({"type": "text", "text": "a".repeat(1 << 20)}), "1 MB"),
        ] {
            let error = error(&json!({"role": "user", "content": [item]}));
            assert!(error.contains(expected), "{error}");
        }
        let many = vec![json!({"type": "text", "text": "a"}); 129];
        assert!(error(&json!({"role": "user", "content": many})).contains("at most 128"));
    }

    #[test]
    fn malformed_calls_name_the_item_and_the_member() {
        let function = json!({"name": "f", "arguments": "{}"});
        for (call, expected) in [
            (json!("x"), "must be an object"),
            (json!({"type": "function", "function": function}), "`id`"),
            (json!({"id": "", "function": function}), "`id`"),
            (json!({"id": "a".repeat(257), "function": function}), "`id`"),
            (
                json!({"id": "a", "type": "function"}),
                "`function`, an object",
            ),
            (
                json!({"id": "a", "function": {"name": "f", "arguments": {}}}),
                "`arguments`, a string",
            ),
            (
                json!({"id": "a", "function": {"name": "", "arguments": "{}"}}),
                "`name`",
            ),
            (
                json!({"id": "a", "type": "custom", "custom": {"name": "f"}}),
                "`input`",
            ),
            (json!({"id": "a", "type": "other"}), "function or custom"),
        ] {
            let error = error(&json!({"role": "assistant", "tool_calls": [call]}));
            assert!(
                error.contains("item 0") && error.contains(expected),
                "{call}: {error}"
            );
        }
    }

    #[test]
    fn members_that_contradict_each_other_are_rejected() {
        let calls = json!([{"id": "a", "function": {"name": "f", "arguments": "{}"}}]);
        let list = json!([{"type": "text", "text": "a"}]);
        for (message, expected) in [
            (
                json!({"role": "assistant", "parts": list, "tool_calls": calls}),
                "tool_calls must not",
            ),
            (
                json!({"role": "user", "parts": list, "content": list}),
                "content must not",
            ),
            (
                json!({"role": "tool", "parts": list, "tool_call_id": "a"}),
                "tool_call_id must not",
            ),
            (
                json!({"role": "user", "parts": list, "name": "a"}),
                "name must not",
            ),
            (
                json!({"role": "assistant", "parts": list, "refusal": "a"}),
                "refusal must not",
            ),
            (
                json!({"role": "user", "tool_calls": calls}),
                "tool_calls is for",
            ),
            (
                json!({"role": "user", "content": "a", "refusal": "b"}),
                "refusal is for",
            ),
            (
                json!({"role": "user", "content": "a", "tool_call_id": "b"}),
                "tool_call_id is for",
            ),
            (
                json!({"role": "tool", "content": list}),
                "tool_call_id is required",
            ),
            (
                json!({"role": "tool", "tool_call_id": "a"}),
                "content is required",
            ),
            (
                json!({"role": "tool", "tool_call_id": "a", "content": null}),
                "content is required",
            ),
            (
                json!({"role": "assistant", "content": null}),
                "content must be 1 byte",
            ),
            (
                json!({"role": "assistant", "content": "", "refusal": null}),
                "content must be 1 byte",
            ),
            (
                json!({"role": "assistant", "tool_calls": []}),
                "content must be 1 byte",
            ),
            (
                json!({"role": "user", "content": []}),
                "content must be 1 byte",
            ),
            (
                json!({"role": "user", "content": "a", "name": ""}),
                "must be a string of 1 to 256",
            ),
        ] {
            let error = error(&message);
            assert!(error.starts_with(expected), "{message}: {error}");
        }
        let nulls = json!({"role": "assistant", "parts": list, "content": null, "tool_calls": null, "refusal": null, "name": null});
        assert_eq!(error(&nulls), "");
    }
}
