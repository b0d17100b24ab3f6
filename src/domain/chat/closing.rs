//! The chunks that end a stream.

use serde_json::value::RawValue;

use super::chunk::Chunk;
use super::parts::PartsBuilder;

/// How an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The model finished; the reason is one of the stream: `stop`, `tool-calls`, `content-filter`, `other`, …
    Completed(&'static str),
    /// A limit was reached: of output tokens, steps, time, or the size of the message.
    Incomplete,
    /// A person stopped the answer.
    Stopped,
    /// The answer failed, or its process was lost; the text is for a person.
    Failed(String),
}

impl PartsBuilder {
    /// Returns the chunks that end the stream after all chunks that were pushed so far: ends of open texts and reasonings,
    /// the end of the step, the metadata, and the final chunk. Calls whose arguments did not end get no chunk.
    ///
    /// The caller pushes them as well, and sends nothing after them. With the chunks of a log, this closes the stream of a
    /// process that was lost.
    pub fn closing(&self, ending: Ending, message_metadata: Option<Box<RawValue>>) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> = self.open().map(|(kind, id)| end(kind, id)).collect();
        if self.is_in_step() {
            chunks.push(Chunk::FinishStep);
        }
        let finish = |finish_reason, message_metadata| Chunk::Finish {
            finish_reason,
            message_metadata,
        };
        let (last, metadata) = match ending {
            Ending::Completed(reason) => (finish(reason, message_metadata), None),
            Ending::Incomplete => (finish("length", message_metadata), None),
            Ending::Stopped => (Chunk::Abort, message_metadata),
            Ending::Failed(error_text) => (Chunk::Error { error_text }, message_metadata),
        };
        chunks.extend(metadata.map(|message_metadata| Chunk::MessageMetadata { message_metadata }));
        chunks.push(last);
        chunks
    }
}

fn end(kind: &str, id: &str) -> Chunk {
    let id = id.to_owned();
    if kind == "text" {
        Chunk::TextEnd { id }
    } else {
        Chunk::ReasoningEnd {
            id,
            provider_metadata: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closing(chunks: &[&str], ending: Ending) -> Vec<String> {
        let mut builder = PartsBuilder::new(None);
        for chunk in chunks {
            builder.push(chunk).unwrap();
        }
        let metadata = serde_json::from_str(r#"{"m":1}"#).unwrap();
        let chunks = builder.closing(ending, Some(metadata));
        chunks.iter().map(Chunk::to_json).collect()
    }

    #[test]
    fn open_parts_and_the_step_end_before_the_last_chunk() {
        let log = [
            r#"{"type":"start","messageId":"m"}"#,
            r#"{"type":"start-step"}"#,
            r#"{"type":"reasoning-start","id":"0"}"#,
            r#"{"type":"text-start","id":"0"}"#,
            r#"{"type":"text-start","id":"1"}"#,
            r#"{"type":"text-end","id":"1"}"#,
            r#"{"type":"tool-input-start","toolCallId":"c","toolName":"f"}"#,
        ];
        let ends = [
            r#"{"type":"reasoning-end","id":"0"}"#,
            r#"{"type":"text-end","id":"0"}"#,
            r#"{"type":"finish-step"}"#,
        ];
        let metadata = r#"{"type":"message-metadata","messageMetadata":{"m":1}}"#;
        for (ending, last) in [
            (
                Ending::Completed("stop"),
                vec![r#"{"type":"finish","finishReason":"stop","messageMetadata":{"m":1}}"#],
            ),
            (
                Ending::Incomplete,
                vec![r#"{"type":"finish","finishReason":"length","messageMetadata":{"m":1}}"#],
            ),
            (Ending::Stopped, vec![metadata, r#"{"type":"abort"}"#]),
            (
                Ending::Failed("down".to_owned()),
                vec![metadata, r#"{"type":"error","errorText":"down"}"#],
            ),
        ] {
            assert_eq!(closing(&log, ending), [&ends[..], &last].concat());
        }
    }

    #[test]
    fn step_that_finished_is_not_finished_again() {
        let log = [r#"{"type":"start-step"}"#, r#"{"type":"finish-step"}"#];
        let expected = [
            r#"{"type":"message-metadata","messageMetadata":{"m":1}}"#,
            r#"{"type":"abort"}"#,
        ];
        assert_eq!(closing(&log, Ending::Stopped), expected);
    }
}
