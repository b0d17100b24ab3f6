//! The UI message stream of the AI SDK: its chunks, and the parts of a message that they form. No I/O.

pub mod chunk;
