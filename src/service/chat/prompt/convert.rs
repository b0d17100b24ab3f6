//! From a stored message to pieces of the prompt.

use super::files::PromptFile;
use super::history::HistoryMessage;
use super::tools::Results;
use crate::domain::message::Part;
use crate::provider::request::{ModelPart, ModelRole, ReasoningProof};
use crate::util::json::Object;

/// A piece of a message of the prompt.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// A part that is whole.
    Part(ModelPart),
    /// A file whose content may not be known yet.
    File(PromptFile),
}

impl Piece {
    /// Returns the text; `None` for a blank one, which providers reject.
    fn text(text: String) -> Option<Self> {
        (!text.trim().is_empty()).then_some(Self::Part(ModelPart::Text(text)))
    }

    /// Returns the approximate number of characters.
    pub(super) fn chars(&self) -> usize {
        match self {
            Self::File(file) => file.chars(),
            Self::Part(ModelPart::Text(text)) => text.len(),
            Self::Part(ModelPart::Reasoning { text, proof }) => {
                let proof = proof.as_ref().map_or(0, |proof| match proof {
                    ReasoningProof::Signature(_) => 0,
                    ReasoningProof::Redacted(data) => data.len(),
                });
                text.len() + proof
            }
            Self::Part(ModelPart::ToolCall { name, input, .. }) => {
                name.len() + input.get().len() + 40
            }
            Self::Part(ModelPart::ToolResult { output, .. }) => output.len() + 40,
            Self::Part(ModelPart::File { .. }) => 0,
        }
    }
}

/// A message of the prompt.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) role: ModelRole,
    pub(super) pieces: Vec<Piece>,
}

/// Converts a message of a user.
pub(super) fn user(message: &HistoryMessage) -> Draft {
    let parts = Part::list(&message.parts);
    let mut pieces: Vec<Piece> = if parts.is_empty() {
        Piece::text(message.content.clone()).into_iter().collect()
    } else {
        parts.iter().filter_map(user_piece).collect()
    };
    if pieces.is_empty() {
        pieces.extend(Piece::text("[A message without text]".to_owned()));
    }
    let role = ModelRole::User;
    Draft { role, pieces }
}

fn user_piece(part: &Part<'_>) -> Option<Piece> {
    match part.kind() {
        "text" => Piece::text(part.text("text")?),
        "file" => PromptFile::of(part).map(Piece::File),
        _ => None,
    }
}

/// Converts a message of the application that stands between other messages. Providers have no place for it there.
pub(super) fn instructions(message: &HistoryMessage) -> Option<Draft> {
    let text = text_of(message);
    let text = format!("<system-message>\n{text}\n</system-message>");
    (!text_of(message).trim().is_empty()).then(|| Draft {
        role: ModelRole::User,
        pieces: Piece::text(text).into_iter().collect(),
    })
}

/// Returns the text of a message.
pub(super) fn text_of(message: &HistoryMessage) -> String {
    let parts = Part::list(&message.parts);
    if parts.is_empty() {
        return message.content.clone();
    }
    let texts = parts.iter().filter(|part| part.kind() == "text");
    let texts: Vec<String> = texts.filter_map(|part| part.text("text")).collect();
    texts.join("\n\n")
}

/// Converts a message of the model: for each step one message of the model, and one with the results of its calls.
pub(super) fn assistant(message: &HistoryMessage, results: &mut Results) -> Vec<Draft> {
    let parts = Part::list(&message.parts);
    let mut drafts = Vec::new();
    if parts.is_empty() {
        let pieces = Piece::text(message.content.clone()).into_iter().collect();
        add_step(&mut drafts, pieces, Vec::new());
        return drafts;
    }
    for step in parts.split(|part| part.kind() == "step-start") {
        let (mut pieces, mut outputs) = (Vec::new(), Vec::new());
        for part in step {
            if let Some((call, result)) = results.take(part) {
                pieces.push(Piece::Part(call));
                outputs.push(Piece::Part(result));
            } else {
                pieces.extend(assistant_piece(part));
            }
        }
        add_step(&mut drafts, pieces, outputs);
    }
    drafts
}

fn add_step(drafts: &mut Vec<Draft>, pieces: Vec<Piece>, outputs: Vec<Piece>) {
    for (role, pieces) in [(ModelRole::Assistant, pieces), (ModelRole::User, outputs)] {
        if !pieces.is_empty() {
            drafts.push(Draft { role, pieces });
        }
    }
}

fn assistant_piece(part: &Part<'_>) -> Option<Piece> {
    match part.kind() {
        "text" => Piece::text(part.text("text")?),
        "reasoning" => {
            let (text, proof) = (part.text("text")?, proof(part));
            let is_empty = text.trim().is_empty() && proof.is_none();
            (!is_empty).then_some(Piece::Part(ModelPart::Reasoning { text, proof }))
        }
        _ => None,
    }
}

/// Returns what the provider wants back with a reasoning.
fn proof(part: &Part<'_>) -> Option<ReasoningProof> {
    let metadata = Object::parse(part.get("providerMetadata")?.get())?;
    let anthropic = Object::parse(metadata.get("anthropic")?.get())?;
    let member =
        |name| crate::util::json::string(anthropic.get(name)?).map(std::borrow::Cow::into_owned);
    let signature = member("signature").map(ReasoningProof::Signature);
    signature.or_else(|| member("redactedData").map(ReasoningProof::Redacted))
}
