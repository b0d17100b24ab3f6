//! The conversation of a prompt, and the part of it that a model has room for.

use super::convert::{self, Draft, Piece};
use super::files::{FileKind, Files, PromptFile};
use super::history::HistoryMessage;
use super::room::tokens;
use super::tools::Results;
use crate::provider::request::{ModelMessage, ModelPart, ModelRole};

/// A message of a user and what follows until the next one.
#[derive(Clone, Debug, Default)]
struct Turn {
    drafts: Vec<Draft>,
    /// The number of stored messages.
    messages: usize,
}

/// A conversation as a model is asked to continue it.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    /// The texts of system and developer messages before the first message of a user or the model.
    pub system: Vec<String>,
    turns: Vec<Turn>,
}

impl Conversation {
    /// Converts the messages of a session, oldest first. The last one is that of a user, or a message of the model whose
    /// calls have results.
    ///
    /// Instructions between other messages become marked texts of a user. A call without a result gets one that says so.
    pub fn new(history: &[HistoryMessage]) -> Self {
        let mut results = Results::of(history);
        let mut conversation = Self::default();
        for message in history {
            match &*message.role {
                "user" => {
                    conversation.turns.push(Turn::default());
                    conversation.add([convert::user(message)]);
                }
                "assistant" => {
                    let drafts = convert::assistant(message, &mut results);
                    conversation.add(drafts);
                }
                "tool" => {
                    let draft = results.unasked(message).map(|text| Draft {
                        role: ModelRole::User,
                        pieces: vec![Piece::Part(ModelPart::Text(text))],
                    });
                    conversation.add(draft);
                }
                _ if conversation.turns.is_empty() => {
                    conversation.system.push(convert::text_of(message));
                }
                _ => conversation.add(convert::instructions(message)),
            }
        }
        conversation
    }

    /// Adds the drafts of a stored message to the newest turn.
    fn add(&mut self, drafts: impl IntoIterator<Item = Draft>) {
        if self.turns.is_empty() {
            self.turns.push(Turn::default());
        }
        if let Some(turn) = self.turns.last_mut() {
            turn.messages += 1;
            turn.drafts.extend(drafts);
        }
    }

    /// Leaves out the oldest turns until the rest takes at most this number of tokens. The newest turn always stays.
    ///
    /// Returns the number of stored messages that were left out.
    pub fn cut(&mut self, room: usize) -> usize {
        let sizes: Vec<usize> = self.turns.iter().map(Turn::tokens).collect();
        let mut total: usize = sizes.iter().sum();
        let oldest = sizes.iter().take(self.turns.len().saturating_sub(1));
        let count = oldest
            .take_while(|size| {
                let is_over = total > room;
                total -= if is_over { **size } else { 0 };
                is_over
            })
            .count();
        self.turns.drain(..count).map(|turn| turn.messages).sum()
    }

    /// Returns the approximate number of tokens.
    pub fn tokens(&self) -> usize {
        self.turns.iter().map(Turn::tokens).sum()
    }

    /// Returns the files whose content the caller has to find, oldest first.
    pub fn files(&self) -> Vec<&PromptFile> {
        let drafts = self.turns.iter().flat_map(|turn| &turn.drafts);
        let pieces = drafts.flat_map(|draft| &draft.pieces);
        pieces
            .filter_map(|piece| match piece {
                Piece::File(file) => Some(file),
                Piece::Part(_) => None,
            })
            .collect()
    }

    /// Returns the messages for a model that takes these kinds of files. Messages of one author become one.
    pub fn into_messages(self, kinds: &[FileKind], files: &Files) -> Vec<ModelMessage> {
        let mut messages: Vec<ModelMessage> = Vec::new();
        for draft in self.turns.into_iter().flat_map(|turn| turn.drafts) {
            let parts = draft.pieces.into_iter().map(|piece| match piece {
                Piece::Part(part) => part,
                Piece::File(file) => file.into_part(kinds, files),
            });
            match messages.last_mut() {
                Some(last) if last.role == draft.role => last.parts.extend(parts),
                last => {
                    if last.is_none() && draft.role == ModelRole::Assistant {
                        let text = "[The conversation begins with a message of the assistant.]";
                        messages.push(message(
                            ModelRole::User,
                            vec![ModelPart::Text(text.to_owned())],
                        ));
                    }
                    messages.push(message(draft.role, parts.collect()));
                }
            }
        }
        mark_stable(&mut messages);
        messages
    }
}

impl Turn {
    fn tokens(&self) -> usize {
        let pieces = self.drafts.iter().flat_map(|draft| &draft.pieces);
        tokens(pieces.map(Piece::chars).sum::<usize>() + 20 * self.drafts.len())
    }
}

fn message(role: ModelRole, parts: Vec<ModelPart>) -> ModelMessage {
    ModelMessage {
        role,
        parts,
        is_stable: false,
    }
}

/// Marks the last message, and the one that the request before ended with.
fn mark_stable(messages: &mut [ModelMessage]) {
    let users = messages.iter_mut().rev();
    let users = users.filter(|message| message.role == ModelRole::User);
    users.take(2).for_each(|message| message.is_stable = true);
}

#[cfg(test)]
mod tests;
