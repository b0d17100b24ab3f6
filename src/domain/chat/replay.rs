//! From stored parts to chunks that build them again, for readers of a message that goes on.

use serde_json::value::RawValue;

use super::chunk::Chunk;
use crate::util::json::{self, Object};

/// How many texts and reasonings stored parts have, and the ids of their calls. A stream that goes on uses other ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartCounts {
    /// The number of texts.
    pub texts: usize,
    /// The number of reasonings.
    pub reasonings: usize,
    /// The ids of the calls.
    pub call_ids: Vec<String>,
}

impl PartCounts {
    /// Counts stored parts.
    pub fn of(parts: &RawValue) -> Self {
        let mut counts = Self::default();
        for part in Stored::list(parts) {
            match &*part.kind {
                "text" => counts.texts += 1,
                "reasoning" => counts.reasonings += 1,
                _ => counts.call_ids.extend(part.text("toolCallId")),
            }
        }
        counts
    }
}

/// Returns the chunks that build stored parts again; they come after `start`.
///
/// The ids of texts and reasonings are `t0`, `r0`, … in order. Parts without a chunk that all versions accept are left out,
/// such as `custom` of version 7. An approval that was answered is left out as well: no version before 7 has a chunk for it.
pub fn chunks_of_parts(parts: &RawValue) -> Vec<Chunk> {
    let mut replay = Replay::default();
    for part in Stored::list(parts) {
        let _: Option<()> = replay.add(&part);
    }
    if replay.is_in_step {
        replay.chunks.push(Chunk::FinishStep);
    }
    replay.chunks
}

/// A stored part.
struct Stored<'a> {
    kind: String,
    object: Object<'a>,
}

impl<'a> Stored<'a> {
    fn list(parts: &'a RawValue) -> impl Iterator<Item = Self> {
        let list: Vec<&RawValue> = serde_json::from_str(parts.get()).unwrap_or_default();
        list.into_iter().filter_map(|part| {
            let object = Object::parse(part.get())?;
            let kind = json::string(object.get("type")?)?.into_owned();
            Some(Self { kind, object })
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        json::string(self.object.get(name)?).map(std::borrow::Cow::into_owned)
    }

    /// Returns a chunk of this type with members of the part, named as in the part or by another name.
    fn chunk(&self, kind: &str, members: &[(&'static str, &str)]) -> Object<'static> {
        let mut chunk = Object::default();
        chunk.set("type", json::raw(&kind));
        for (name, member) in members {
            if let Some(value) = self.object.get(member) {
                chunk.set(*name, value.to_owned());
            }
        }
        chunk
    }
}

#[derive(Default)]
struct Replay {
    chunks: Vec<Chunk>,
    texts: usize,
    reasonings: usize,
    is_in_step: bool,
}

impl Replay {
    /// Adds the chunks of a part; `None` if it is malformed.
    fn add(&mut self, part: &Stored<'_>) -> Option<()> {
        match &*part.kind {
            "step-start" => {
                if std::mem::replace(&mut self.is_in_step, true) {
                    self.chunks.push(Chunk::FinishStep);
                }
                self.chunks.push(Chunk::StartStep);
            }
            "text" => {
                let (id, delta) = (format!("t{}", self.texts), part.text("text")?);
                self.texts += 1;
                self.chunks.push(Chunk::TextStart { id: id.clone() });
                if !delta.is_empty() {
                    let id = id.clone();
                    self.chunks.push(Chunk::TextDelta { id, delta });
                }
                self.end(part, "text-end", &id);
            }
            "reasoning" => {
                let (id, delta) = (format!("r{}", self.reasonings), part.text("text")?);
                self.reasonings += 1;
                self.chunks.push(Chunk::ReasoningStart { id: id.clone() });
                if !delta.is_empty() {
                    let id = id.clone();
                    self.chunks.push(Chunk::ReasoningDelta { id, delta });
                }
                self.end(part, "reasoning-end", &id);
            }
            "source-url" => self.copy(part, &["sourceId", "url", "title", "providerMetadata"]),
            "source-document" => self.copy(
                part,
                &[
                    "sourceId",
                    "mediaType",
                    "title",
                    "filename",
                    "providerMetadata",
                ],
            ),
            "file" => self.copy(part, &["url", "mediaType", "providerMetadata"]),
            kind if kind.starts_with("data-") => self.copy(part, &["id", "data"]),
            kind if kind.starts_with("tool-") || kind == "dynamic-tool" => self.add_tool(part)?,
            _ => {}
        }
        Some(())
    }

    /// Adds the end of a text or of reasoning.
    fn end(&mut self, part: &Stored<'_>, kind: &str, id: &str) {
        let mut chunk = part.chunk(kind, &[]);
        chunk.set("id", json::raw(&id));
        if let Some(metadata) = part.object.get("providerMetadata") {
            chunk.set("providerMetadata", metadata.to_owned());
        }
        self.push(&chunk);
    }

    /// Adds a chunk of the type of the part, with its members.
    fn copy(&mut self, part: &Stored<'_>, members: &[&'static str]) {
        let members: Vec<_> = members.iter().map(|name| (*name, *name)).collect();
        self.push(&part.chunk(&part.kind, &members));
    }

    fn add_tool(&mut self, part: &Stored<'_>) -> Option<()> {
        const CALL: [(&str, &str); 2] = [
            ("toolCallId", "toolCallId"),
            ("providerExecuted", "providerExecuted"),
        ];
        part.text("toolCallId")?;
        let state = part.text("state")?;
        let chunk = |kind: &str, members: &[(&'static str, &str)]| {
            part.chunk(kind, &[&CALL, members].concat())
        };
        let name = match part.kind.strip_prefix("tool-") {
            Some(name) => name.to_owned(),
            None => part.text("toolName")?,
        };
        let is_dynamic = part.kind == "dynamic-tool";
        let with_dynamic = |mut chunk: Object<'static>| {
            if is_dynamic {
                chunk.set("dynamic", json::raw(&true));
            }
            chunk
        };
        let with_name = |mut chunk: Object<'static>| {
            chunk.set("toolName", json::raw(&name));
            with_dynamic(chunk)
        };
        let input = part.object.get("input");
        let input = input.or_else(|| part.object.get("rawInput"));
        let input = input.unwrap_or(RawValue::NULL);
        let is_server = part.object.get("providerExecuted").map(RawValue::get) == Some("true");
        match &*state {
            "input-streaming" => {
                self.push(&with_name(chunk("tool-input-start", &[])));
                return Some(());
            }
            // `tool-input-available` would let the client run its tool again.
            "output-available" | "output-error" if !is_server => {
                self.push(&with_name(chunk("tool-input-start", &[])));
                let mut delta = part.chunk("tool-input-delta", &CALL[..1]);
                delta.set("inputTextDelta", json::raw(&input.get()));
                self.push(&delta);
            }
            _ => {
                let metadata = ("providerMetadata", "callProviderMetadata");
                let mut chunk = with_name(chunk("tool-input-available", &[metadata]));
                chunk.set("input", input.to_owned());
                self.push(&chunk);
            }
        }
        match &*state {
            "output-available" => {
                let chunk = chunk("tool-output-available", &[("output", "output")]);
                self.push(&with_dynamic(chunk));
            }
            "output-error" => {
                let chunk = chunk("tool-output-error", &[("errorText", "errorText")]);
                self.push(&with_dynamic(chunk));
            }
            "approval-requested" => self.approval(part)?,
            "output-denied" => {
                self.approval(part)?;
                self.push(&part.chunk("tool-output-denied", &CALL[..1]));
            }
            _ => {}
        }
        Some(())
    }

    fn approval(&mut self, part: &Stored<'_>) -> Option<()> {
        let approval = Object::parse(part.object.get("approval")?.get())?;
        let mut request = part.chunk("tool-approval-request", &[("toolCallId", "toolCallId")]);
        request.set("approvalId", approval.get("id")?.to_owned());
        self.push(&request);
        Some(())
    }

    fn push(&mut self, chunk: &Object<'_>) {
        self.chunks.push(Chunk::Stored(json::raw(chunk)));
    }
}

#[cfg(test)]
mod tests;
