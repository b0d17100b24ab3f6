//! Chat: a model answers a message, streamed through Redis, so that the answer is stored once and can be read from anywhere.

pub mod encode;
pub mod prompt;
pub mod salvage;

mod follow;
mod live;
mod reader;

pub use self::live::LiveTurns;
pub use self::reader::{Read, Reader};
