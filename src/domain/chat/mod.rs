//! Chat without I/O: turns, the chunks of the UI message stream of the AI SDK, and the parts of a message that they form.

pub mod chunk;
pub mod turn;
