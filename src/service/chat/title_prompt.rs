//! The prompt that asks a model for the title of a session, and how its answer is read.

use super::prompt::tokens;
use crate::provider::request::{ModelMessage, ModelPart, ModelRequest, ModelRole, SystemText};

/// The most output tokens.
pub(super) const MAX_TOKENS: u32 = 30;
/// The longest title, in characters.
const MAX_CHARS: usize = 80;
/// The longest answer that is read, in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 4 * MAX_CHARS;
/// The longest text of the message that the model gets, in bytes.
const MAX_TEXT_BYTES: usize = 2000;
const PROMPT: &str = "Write a title of at most six words for a conversation that begins with the message of the user. \
    Use the language of the message. Answer with the title alone, on one line, without quotation marks.";

/// Returns the most input tokens of the request, about.
pub(super) fn max_input_tokens() -> u64 {
    tokens(PROMPT.len() + MAX_TEXT_BYTES) as u64
}

/// Returns the request, with the beginning of the message of the user.
pub(super) fn request(model: String, text: &str) -> ModelRequest {
    let text = text[..text.floor_char_boundary(MAX_TEXT_BYTES)].trim();
    ModelRequest {
        model,
        system: vec![SystemText {
            text: PROMPT.to_owned(),
            is_stable: false,
        }],
        messages: vec![ModelMessage {
            role: ModelRole::User,
            parts: vec![ModelPart::Text(text.to_owned())],
            is_stable: false,
        }],
        tools: Vec::new(),
        max_output_tokens: Some(MAX_TOKENS),
    }
}

/// Returns the title that the model wrote: the first line, without quotation marks and other marks around it.
pub(super) fn read_title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let is_mark = |it: char| it.is_whitespace() || "\"'`*#_“”„‘’«»".contains(it);
    let line = line.trim_matches(is_mark);
    let line: String = line.chars().filter(|it| !it.is_control()).collect();
    let line: String = line.chars().take(MAX_CHARS).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_is_one_line_without_marks() {
        for (text, title) in [
            ("\n \"A title\"\nmore", Some("A title")),
            ("**A “quoted” title**", Some("A “quoted” title")),
            ("# Ein Titel ", Some("Ein Titel")),
            ("\"\"", None),
            ("", None),
        ] {
            assert_eq!(read_title(text).as_deref(), title, "{text}");
        }
        assert_eq!(read_title(&"é".repeat(200)).unwrap().chars().count(), 80);
    }
}
