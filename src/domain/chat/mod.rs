//! Chat without I/O: turns, the chunks of the UI message stream of the AI SDK, and the parts of a message that they form.

pub mod chunk;
pub mod limits;
pub mod tool;
pub mod turn;
pub mod usage;

mod closing;
mod deltas;
mod metadata;
mod part;
mod parts;
mod read;
mod replay;

pub use self::closing::Ending;
pub use self::deltas::coalesce;
pub use self::parts::{Full, PartsBuilder};
pub use self::replay::{PartCounts, chunks_of_parts};
