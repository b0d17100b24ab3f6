//! What a model is asked: stored messages, the instructions of the deployment, and skills.

mod convert;
mod cut;
mod files;
mod history;
mod room;
mod skills;
mod tools;

pub use self::cut::Conversation;
pub use self::files::{FileKind, FileSource, Files, PromptFile};
pub use self::history::HistoryMessage;
pub use self::room::{
    DEFAULT_CONTEXT_TOKENS, DEFAULT_OUTPUT_TOKENS, chars, context_tokens, room, tokens,
};
pub use self::skills::{NamedSkill, PromptSkill, rank, system_texts};

#[cfg(test)]
mod tests;
