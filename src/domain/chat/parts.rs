//! From chunks to the parts of a message, by the rules of `process-ui-message-stream.ts` of the AI SDK.
//!
//! Two rules differ. A text or reasoning that did not end is stored as `done`. The arguments of a call that did not end are
//! left out: the part stays `input-streaming`, which every version accepts, does not send back, and does not take for a
//! result that a client with `sendAutomaticallyWhen` answers with the next request.

use serde_json::value::RawValue;

use super::metadata;
use super::part::{Part, TextPart, ToolPart};
use super::read::ReadChunk;
use crate::domain::message::{MAX_PARTS, MAX_PARTS_BYTES};
use crate::util::json::{self, Object, Text};

/// The bytes that a part takes beside its texts and values, at most.
const PART_BYTES: usize = 512;
/// The maximum number of bytes of parts that grow; the rest is for the metadata of texts and reasonings that end.
const MAX_GROWING_BYTES: usize = MAX_PARTS_BYTES - 64 * 1024;

/// The message has no room for a chunk: it has the maximum number of parts or bytes. The turn ends as
/// [`Ending::Incomplete`](super::Ending).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message has the maximum size")]
pub struct Full;

/// Builds the parts and the metadata of a message from chunks.
#[derive(Debug, Default)]
pub struct PartsBuilder {
    parts: Vec<Part>,
    /// The open texts and reasonings: their type, id, and place in `parts`.
    open: Vec<(&'static str, String, usize)>,
    /// Whether a step began and did not finish.
    is_in_step: bool,
    /// The size of the parts, rounded up.
    bytes: usize,
    metadata: Option<Box<RawValue>>,
}

impl PartsBuilder {
    /// Returns a builder; `existing` are the stored parts of a message that goes on.
    pub fn new(existing: Option<&RawValue>) -> Self {
        let list = existing.map_or("[]", RawValue::get);
        let list: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
        Self {
            bytes: list.iter().map(|part| part.get().len() + 1).sum(),
            parts: list.into_iter().filter_map(Part::stored).collect(),
            ..Self::default()
        }
    }

    /// Sets the stored metadata of a message that goes on.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Option<&RawValue>) -> Self {
        self.metadata = metadata.map(ToOwned::to_owned);
        self
    }

    /// Applies a chunk. A chunk that is malformed, unknown, or of an id that is not open is ignored.
    ///
    /// # Errors
    /// If the message has no room for the chunk. The chunk is not applied, and must not be sent to clients. Chunks that end
    /// something always have room.
    pub fn push(&mut self, chunk: &str) -> Result<(), Full> {
        let Some(read) = ReadChunk::parse(chunk) else {
            return Ok(());
        };
        self.apply(&read, chunk).unwrap_or(Ok(()))
    }

    /// Returns whether the message has no part, or only beginnings of steps. Such a message is not stored.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(Part::is_step_start)
    }

    /// Returns the metadata; `None` if no chunk had any.
    pub fn metadata(&self) -> Option<&RawValue> {
        self.metadata.as_deref()
    }

    /// Returns the parts as a JSON array, for [`Parts`](crate::domain::message::Parts).
    pub fn finish(self) -> Box<RawValue> {
        let parts: Vec<Box<RawValue>> = self.parts.iter().map(Part::to_raw).collect();
        json::raw(&parts)
    }

    /// Returns the types and ids of the open texts and reasonings, in the order in which they began.
    pub(super) fn open(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.open.iter().map(|(kind, id, _)| (*kind, &**id))
    }

    /// Returns whether a step began and did not finish.
    pub(super) fn is_in_step(&self) -> bool {
        self.is_in_step
    }

    /// Applies a chunk; `None` if it changes nothing.
    fn apply(&mut self, chunk: &ReadChunk<'_>, json: &str) -> Option<Result<(), Full>> {
        let kind: &str = &chunk.kind.0;
        match kind {
            "start" | "finish" | "message-metadata" => {
                let update = chunk.message_metadata?;
                self.metadata = Some(metadata::merge(self.metadata.as_deref(), update));
            }
            "start-step" => {
                self.is_in_step = true;
                return Some(self.add(Part::step_start(), 0));
            }
            "finish-step" => self.is_in_step = false,
            "text-start" | "reasoning-start" => return self.start_text(chunk),
            "text-delta" | "reasoning-delta" => {
                let Text(delta) = chunk.delta.as_ref()?;
                if let Err(full) = self.reserve(json::text(delta).len()) {
                    return Some(Err(full));
                }
                self.text(chunk)?.text.push_str(delta);
            }
            "text-end" | "reasoning-end" => {
                self.text(chunk)?;
                let (kind, id) = (text_kind(kind), &chunk.id.as_ref()?.0);
                self.open.retain(|(of, open, _)| *of != kind || open != id);
            }
            "source-url" | "source-document" | "file" => {
                let object = Object::parse(json)?;
                return Some(self.add(Part::other(kind, &object), json.len()));
            }
            _ if kind.starts_with("tool-") => return self.tool(chunk),
            _ if kind.starts_with("data-") => return self.data(chunk, json),
            _ => {}
        }
        Some(Ok(()))
    }

    fn start_text(&mut self, chunk: &ReadChunk<'_>) -> Option<Result<(), Full>> {
        let kind = text_kind(&chunk.kind.0);
        let Text(id) = chunk.id.as_ref()?;
        let place = self.parts.len();
        let part = Part::Text(TextPart {
            kind,
            text: String::new(),
            metadata: chunk.provider_metadata.map(ToOwned::to_owned),
        });
        let added = self.add(part, 0);
        if added.is_ok() {
            self.open.retain(|(of, open, _)| *of != kind || open != id);
            self.open.push((kind, id.clone().into_owned(), place));
        }
        Some(added)
    }

    /// Returns the open text or reasoning of a chunk, with the metadata of the chunk.
    fn text(&mut self, chunk: &ReadChunk<'_>) -> Option<&mut TextPart> {
        let (kind, id) = (text_kind(&chunk.kind.0), &chunk.id.as_ref()?.0);
        let open = self
            .open
            .iter()
            .find(|(of, open, _)| *of == kind && open == id);
        let Part::Text(part) = self.parts.get_mut(open?.2)? else {
            return None;
        };
        if let Some(metadata) = chunk.provider_metadata {
            let bytes = self.bytes + metadata.get().len();
            if bytes <= MAX_PARTS_BYTES {
                self.bytes = bytes;
                part.metadata = Some(metadata.to_owned());
            }
        }
        Some(part)
    }

    fn data(&mut self, chunk: &ReadChunk<'_>, json: &str) -> Option<Result<(), Full>> {
        if chunk.transient == Some(true) {
            return None;
        }
        let (data, wanted) = (chunk.data?, chunk.id.as_ref().map(|Text(id)| &**id));
        let existing = self.parts.iter().position(|part| {
            matches!(part, Part::Other { kind, id: Some(id), .. } if *kind == chunk.kind.0 && Some(&**id) == wanted)
        });
        let Some(place) = existing else {
            let object = Object::parse(json)?;
            return Some(self.add(Part::other(&chunk.kind.0, &object), json.len()));
        };
        if let Err(full) = self.reserve(data.get().len()) {
            return Some(Err(full));
        }
        if let Part::Other { json, .. } = &mut self.parts[place] {
            let mut object = Object::parse(json.get())?.into_owned();
            object.set("data", data.to_owned());
            *json = json::raw(&object);
        }
        Some(Ok(()))
    }

    /// Applies a chunk of a call.
    fn tool(&mut self, chunk: &ReadChunk<'_>) -> Option<Result<(), Full>> {
        let Text(call_id) = chunk.tool_call_id.as_ref()?;
        let value = chunk
            .input
            .or(chunk.output)
            .map_or(0, |value| value.get().len());
        let error = chunk.error_text.as_ref().map(|Text(text)| json::raw(text));
        let more = chunk
            .input_text_delta
            .as_ref()
            .map_or(0, |Text(delta)| delta.len());
        let mut size = value + error.as_ref().map_or(0, |text| text.get().len()) + more;
        let is_input = chunk.kind.0.starts_with("tool-input-");
        let mut place = self.tool_place(call_id);
        let is_new = place.is_none() && is_input && chunk.tool_name.is_some();
        if let Some(Part::Tool(tool)) = place.and_then(|place| self.parts.get(place))
            && value > 0
        {
            size = size.saturating_sub(tool.partial.len());
        }
        if is_new {
            if let Err(full) = self.add(Part::Tool(ToolPart::new(call_id)), size) {
                return Some(Err(full));
            }
            place = Some(self.parts.len() - 1);
        } else if let Err(full) = self.reserve(size) {
            return Some(Err(full));
        }
        let Part::Tool(tool) = &mut self.parts[place?] else {
            return None;
        };
        if let Some(Text(name)) = chunk.tool_name.as_ref().filter(|_| is_input) {
            tool.set_tool(chunk, name);
        }
        match &*chunk.kind.0 {
            "tool-input-start" => tool.set_state(chunk, "input-streaming", None),
            "tool-input-delta" => tool.partial.push_str(&chunk.input_text_delta.as_ref()?.0),
            "tool-input-available" => {
                tool.set_input(chunk.input?);
                tool.set_state(chunk, "input-available", None);
            }
            "tool-input-error" => {
                tool.set_input(chunk.input.unwrap_or(RawValue::NULL));
                tool.set_state(chunk, "output-error", Some(("errorText", error?)));
            }
            "tool-output-available" => {
                let output = Some(("output", chunk.output?.to_owned()));
                tool.set_state(chunk, "output-available", output);
            }
            "tool-output-error" => {
                tool.set_state(chunk, "output-error", Some(("errorText", error?)));
            }
            "tool-output-denied" => tool.set_state(chunk, "output-denied", None),
            "tool-approval-request" => tool.set_approval(chunk.approval_id.as_ref()?),
            _ => return None,
        }
        Some(Ok(()))
    }

    /// Returns the place of the newest call with this id.
    fn tool_place(&self, call_id: &str) -> Option<usize> {
        self.parts
            .iter()
            .rposition(|part| matches!(part, Part::Tool(tool) if tool.call_id == call_id))
    }

    fn add(&mut self, part: Part, size: usize) -> Result<(), Full> {
        if self.parts.len() >= MAX_PARTS {
            return Err(Full);
        }
        self.reserve(size + PART_BYTES)?;
        self.parts.push(part);
        Ok(())
    }

    fn reserve(&mut self, size: usize) -> Result<(), Full> {
        let bytes = self.bytes + size;
        if size > 0 && bytes > MAX_GROWING_BYTES {
            return Err(Full);
        }
        self.bytes = bytes;
        Ok(())
    }
}

/// Returns the type of the part that a chunk of a text or of reasoning belongs to.
fn text_kind(chunk: &str) -> &'static str {
    if chunk.starts_with("text") {
        "text"
    } else {
        "reasoning"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::message::Parts;

    fn built(existing: &Value, chunks: &[Value]) -> (Value, Option<Value>) {
        let existing = json::raw(existing);
        let mut builder = PartsBuilder::new(Some(&existing));
        for chunk in chunks {
            builder.push(&chunk.to_string()).unwrap();
        }
        let metadata = builder
            .metadata()
            .map(|it| serde_json::from_str(it.get()).unwrap());
        (
            serde_json::from_str(builder.finish().get()).unwrap(),
            metadata,
        )
    }

    fn parts(chunks: &[Value]) -> Value {
        built(&json!([]), chunks).0
    }

    #[test]
    fn texts_and_reasonings_are_done_at_the_end() {
        let proof = json!({"anthropic": {"signature": "s"}});
        let chunks = [
            json!({"type": "start", "messageId": "m"}),
            json!({"type": "start-step"}),
            json!({"type": "reasoning-start", "id": "0"}),
            json!({"type": "text-start", "id": "0"}),
            json!({"type": "reasoning-delta", "id": "0", "delta": "h"}),
            json!({"type": "text-delta", "id": "0", "delta": "a"}),
            json!({"type": "reasoning-end", "id": "0", "providerMetadata": proof}),
            json!({"type": "reasoning-delta", "id": "0", "delta": "late"}),
            json!({"type": "text-delta", "id": "0", "delta": "b"}),
        ];
        let expected = json!([
            {"type": "step-start"},
            {"type": "reasoning", "text": "h", "state": "done", "providerMetadata": proof},
            {"type": "text", "text": "ab", "state": "done"},
        ]);
        assert_eq!(parts(&chunks), expected);
    }

    #[test]
    fn calls_have_the_state_of_their_last_chunk() {
        let start = json!({"type": "tool-input-start", "toolCallId": "c", "toolName": "f", "providerExecuted": true});
        let delta =
            json!({"type": "tool-input-delta", "toolCallId": "c", "inputTextDelta": "{\"a\""});
        let input = json!({"type": "tool-input-available", "toolCallId": "c", "toolName": "f", "input": {"a": 1}});
        let output = json!({"type": "tool-output-available", "toolCallId": "c", "output": null});
        let error = json!({"type": "tool-output-error", "toolCallId": "c", "errorText": "no"});
        let invalid = json!({"type": "tool-input-error", "toolCallId": "c", "toolName": "f", "input": "{", "errorText": "no"});
        let part = |more: Value| {
            let mut part = json!({"type": "tool-f", "toolCallId": "c", "providerExecuted": true});
            for (name, value) in more.as_object().unwrap() {
                part[name] = value.clone();
            }
            json!([part])
        };
        let streaming = part(json!({"state": "input-streaming"}));
        assert_eq!(parts(&[start.clone(), delta.clone()]), streaming);
        let begun = [start.clone(), delta.clone(), input.clone()];
        assert_eq!(
            parts(&begun),
            part(json!({"state": "input-available", "input": {"a": 1}}))
        );
        let finished =
            part(json!({"state": "output-available", "input": {"a": 1}, "output": null}));
        assert_eq!(parts(&[&begun[..], &[output.clone()]].concat()), finished);
        assert_eq!(built(&parts(&begun), &[output]).0, finished);
        let failed = part(json!({"state": "output-error", "input": {"a": 1}, "errorText": "no"}));
        assert_eq!(parts(&[&begun[..], &[error]].concat()), failed);
        let rejected = part(json!({"state": "output-error", "input": "{", "errorText": "no"}));
        assert_eq!(parts(&[start, delta, invalid]), rejected);
    }

    #[test]
    fn existing_parts_and_metadata_go_on() {
        let existing = json!([{"type": "text", "text": "a"}, {"type": "data-x", "id": "1", "data": 1}, {"type": "y"}]);
        let chunks = [
            json!({"type": "start", "messageMetadata": {"a": {"b": 1}}}),
            json!({"type": "data-x", "id": "1", "data": 2}),
            json!({"type": "data-x", "data": 3}),
            json!({"type": "data-llmos-title", "data": {}, "transient": true}),
            json!({"type": "source-url", "sourceId": "s", "url": "u"}),
            json!({"type": "file", "url": "u", "mediaType": "m"}),
            json!({"type": "message-metadata", "messageMetadata": {"a": {"c": 2}}}),
            json!({"type": "finish", "finishReason": "stop", "messageMetadata": {"d": 3}}),
        ];
        let (parts, metadata) = built(&existing, &chunks);
        let expected = json!([
            {"type": "text", "text": "a"}, {"type": "data-x", "id": "1", "data": 2}, {"type": "y"},
            {"type": "data-x", "data": 3}, {"type": "source-url", "sourceId": "s", "url": "u"},
            {"type": "file", "url": "u", "mediaType": "m"},
        ]);
        assert_eq!(parts, expected);
        assert_eq!(metadata, Some(json!({"a": {"b": 1, "c": 2}, "d": 3})));
    }

    #[test]
    fn malformed_and_unknown_chunks_are_ignored() {
        let mut builder = PartsBuilder::new(None);
        for chunk in [
            "",
            "5",
            "{}",
            r#"{"type":5}"#,
            r#"{"type":"text-start"}"#,
            r#"{"type":"text-delta","id":"x","delta":"a"}"#,
            r#"{"type":"text-end","id":"x"}"#,
            r#"{"type":"tool-input-available","toolCallId":"c","input":1}"#,
            r#"{"type":"tool-output-available","toolCallId":"c","output":1}"#,
            r#"{"type":"custom","kind":"a.b"}"#,
            r#"{"type":"abort"}"#,
        ] {
            builder.push(chunk).unwrap();
        }
        assert!(builder.is_empty());
        builder.push(r#"{"type":"start-step"}"#).unwrap();
        assert!(builder.is_empty());
        builder.push(r#"{"type":"text-start","id":"t0"}"#).unwrap();
        assert!(!builder.is_empty());
    }

    /// Pushes chunks until one has no room, then the closing ones, and checks that the parts can be stored.
    fn fill(chunks: impl Iterator<Item = Value>) -> usize {
        let mut builder = PartsBuilder::new(None);
        builder.push(r#"{"type":"text-start","id":"t"}"#).unwrap();
        let mut count = 0;
        for chunk in chunks {
            match builder.push(&chunk.to_string()) {
                Ok(()) => count += 1,
                Err(Full) => break,
            }
        }
        let end = json!({"type": "text-end", "id": "t", "providerMetadata": {"a": {"b": "c".repeat(60_000)}}});
        builder.push(&end.to_string()).unwrap();
        let parts = builder.finish();
        let size = parts.get().len();
        Parts::try_from(parts).unwrap();
        assert!(count < 300_000);
        size
    }

    #[test]
    fn full_message_can_still_be_closed_and_stored() {
        let delta = |text: String| json!({"type": "text-delta", "id": "t", "delta": text});
        let large = fill(std::iter::repeat_with(|| delta("\"\u{1}é".repeat(100))));
        assert!(large > 900_000, "{large}");
        assert!(fill(std::iter::once(delta("a".repeat(2_000_000)))) < 70_000);
        let starts = (0..).map(|id| json!({"type": "reasoning-start", "id": id.to_string()}));
        fill(starts);
        let calls = (0..).flat_map(|id: u32| {
            let call = json!({"type": "tool-input-start", "toolCallId": id.to_string(), "toolName": "f"});
            let input = json!({"type": "tool-input-available", "toolCallId": id.to_string(), "toolName": "f", "input": "x".repeat(9000)});
            [call, input]
        });
        assert!(fill(calls) > 900_000);
    }
}
