//! From chunks to the parts of a message, by the rules of `process-ui-message-stream.ts` of the AI SDK.
//!
//! Two rules differ. A text or reasoning that did not end is stored as `done`. The arguments of a call that did not end are
//! left out: the part stays `input-streaming`, which every version accepts, does not send back, and does not take for a
//! result that a client with `sendAutomaticallyWhen` answers with the next request.

mod tool;

use serde_json::value::RawValue;

use super::chunk::Chunk;
use super::metadata;
use super::part::{Part, TextPart};
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

    /// Applies a chunk that was made here. The most frequent ones are not written as JSON for it.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn push_chunk(&mut self, chunk: &Chunk) -> Result<(), Full> {
        let applied = match chunk {
            Chunk::TextDelta { id, delta } => self.grow("text", id, delta, None),
            Chunk::ReasoningDelta { id, delta } => self.grow("reasoning", id, delta, None),
            other => return self.push(&other.to_json()),
        };
        applied.unwrap_or(Ok(()))
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
                let (Text(id), Text(delta)) = (chunk.id.as_ref()?, chunk.delta.as_ref()?);
                return self.grow(text_kind(kind), id, delta, chunk.provider_metadata);
            }
            "text-end" | "reasoning-end" => {
                let (kind, Text(id)) = (text_kind(kind), chunk.id.as_ref()?);
                self.text(kind, id, chunk.provider_metadata)?;
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

    /// Appends to an open text or reasoning; `None` if it is not open.
    fn grow(
        &mut self,
        kind: &str,
        id: &str,
        delta: &str,
        metadata: Option<&RawValue>,
    ) -> Option<Result<(), Full>> {
        if let Err(full) = self.reserve(json::text(&delta).len()) {
            return Some(Err(full));
        }
        self.text(kind, id, metadata)?.text.push_str(delta);
        Some(Ok(()))
    }

    /// Returns an open text or reasoning, with this metadata, if there is any.
    fn text(&mut self, kind: &str, id: &str, metadata: Option<&RawValue>) -> Option<&mut TextPart> {
        let open = self
            .open
            .iter()
            .find(|(of, open, _)| *of == kind && open == id);
        let Part::Text(part) = self.parts.get_mut(open?.2)? else {
            return None;
        };
        if let Some(metadata) = metadata {
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
mod tests;
