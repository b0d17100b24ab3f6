//! The UI message stream of the AI SDK: its chunks, and the parts of a message that they form. No I/O.

pub mod chunk;
mod closing;
mod metadata;
mod part;
mod parts;
mod read;
mod replay;

pub use self::closing::Ending;
pub use self::parts::{Full, PartsBuilder};
pub use self::replay::{PartCounts, chunks_of_parts};
