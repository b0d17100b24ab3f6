//! Chat: a model answers a message, streamed through Redis, so that the answer is stored once and can be read from anywhere.

pub mod encode;
pub mod prompt;
pub mod salvage;

mod answer;
mod ask;
mod budget;
mod deps;
mod file_tools;
mod find;
mod follow;
mod live;
mod outputs;
mod plan;
mod produce;
mod prompt_files;
mod prompt_of;
mod reader;
mod request;
mod resume;
mod server_tool;
mod settlement;
mod started;
mod stop;
mod stored_answer;
mod title;
mod title_prompt;
mod tool_text;
mod tools;
mod usage;
mod used_skill;
mod wait;

pub use self::ask::Asked;
pub use self::deps::ChatDeps;
pub use self::live::LiveTurns;
pub use self::reader::{Read, Reader};
pub use self::request::{Ask, AskOperation, TurnRequest};
pub use self::resume::Resumed;
pub use self::stop::Stopped;
pub use self::usage::{MAX_USAGE_DAYS, MAX_USAGE_ROWS, UsageQuery};
use crate::domain::request_context::RequestContext;

/// The chat of one request.
#[derive(Debug)]
pub struct ChatService<'a> {
    deps: ChatDeps,
    context: &'a RequestContext,
}

impl<'a> ChatService<'a> {
    /// Returns the chat as the caller of a request may use it.
    pub(crate) fn new(deps: ChatDeps, context: &'a RequestContext) -> Self {
        Self { deps, context }
    }
}
