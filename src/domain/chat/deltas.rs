//! Chunks that add to what is open: they are split to fit, and merged so that readers get fewer.

use super::chunk::Chunk;

impl Chunk {
    /// Returns whether the chunk only adds to what is open, so that it can wait for the next ones.
    pub fn is_delta(&self) -> bool {
        self.delta().is_some()
    }

    /// Returns the approximate size of the chunk, in bytes.
    pub fn size(&self) -> usize {
        64 + self.delta().map_or(0, str::len)
    }

    /// Splits off what does not fit into `max_bytes` of JSON. Only deltas can be split.
    pub fn split(self, max_bytes: usize) -> (Self, Option<Self>) {
        let Some(delta) = self
            .delta()
            .filter(|delta| delta.len() * 6 + 256 > max_bytes)
        else {
            return (self, None);
        };
        let mut room = max_bytes.saturating_sub(256);
        let end = delta.char_indices().find_map(|(index, char)| {
            // A control character is written as six, a quote as two.
            let bytes = match char {
                char if char.is_control() => 6,
                '"' | '\\' => 2,
                char => char.len_utf8(),
            };
            let fits = room.checked_sub(bytes);
            room = fits.unwrap_or(0);
            (fits.is_none() && index > 0).then_some(index)
        });
        let Some(end) = end else {
            return (self, None);
        };
        let (head, rest) = delta.split_at(end);
        let (head, rest) = (head.to_owned(), rest.to_owned());
        (self.with_delta(head), Some(self.with_delta(rest)))
    }

    fn delta(&self) -> Option<&str> {
        match self {
            Self::TextDelta { delta, .. } | Self::ReasoningDelta { delta, .. } => Some(delta),
            Self::ToolInputDelta {
                input_text_delta, ..
            } => Some(input_text_delta),
            _ => None,
        }
    }

    fn with_delta(&self, text: String) -> Self {
        let mut chunk = self.clone();
        match &mut chunk {
            Self::TextDelta { delta, .. }
            | Self::ReasoningDelta { delta, .. }
            | Self::ToolInputDelta {
                input_text_delta: delta,
                ..
            } => *delta = text,
            _ => {}
        }
        chunk
    }
}

/// Merges adjacent deltas of one text, reasoning or call of a tool.
pub fn coalesce(chunks: Vec<Chunk>) -> Vec<Chunk> {
    let mut merged: Vec<Chunk> = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        if !merged.last_mut().is_some_and(|last| last.absorb(&chunk)) {
            merged.push(chunk);
        }
    }
    merged
}

impl Chunk {
    /// Appends a following delta of the same id; returns whether it is one.
    fn absorb(&mut self, next: &Self) -> bool {
        let (text, more) = match (self, next) {
            (
                Self::TextDelta { id, delta },
                Self::TextDelta {
                    id: other,
                    delta: more,
                },
            )
            | (
                Self::ReasoningDelta { id, delta },
                Self::ReasoningDelta {
                    id: other,
                    delta: more,
                },
            )
            | (
                Self::ToolInputDelta {
                    tool_call_id: id,
                    input_text_delta: delta,
                },
                Self::ToolInputDelta {
                    tool_call_id: other,
                    input_text_delta: more,
                },
            ) if id == other => (delta, more),
            _ => return false,
        };
        text.push_str(more);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_delta_is_split_between_characters() {
        let text = "é\u{1}\"".repeat(200);
        let mut rest = Some(Chunk::TextDelta {
            id: "t0".to_owned(),
            delta: text.clone(),
        });
        let mut joined = String::new();
        while let Some(chunk) = rest {
            let (head, tail) = chunk.split(400);
            assert!(head.to_json().len() <= 400);
            joined.push_str(head.delta().unwrap());
            rest = tail;
        }
        assert_eq!(joined, text);
    }

    #[test]
    fn coalesce_merges_adjacent_deltas_of_one_id() {
        let text = |id: &str, delta: &str| Chunk::TextDelta {
            id: id.to_owned(),
            delta: delta.to_owned(),
        };
        let chunks = vec![
            text("a", "1"),
            text("a", "2"),
            text("b", "3"),
            text("a", "4"),
            Chunk::FinishStep,
            text("a", "5"),
        ];
        let merged: Vec<String> = coalesce(chunks).iter().map(Chunk::to_json).collect();
        let expected = [
            text("a", "12"),
            text("b", "3"),
            text("a", "4"),
            Chunk::FinishStep,
            text("a", "5"),
        ];
        assert_eq!(merged, expected.map(|chunk| chunk.to_json()));
    }
}
