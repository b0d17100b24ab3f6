//! Chat: the answers of models as chunks, and what models are asked. No I/O.

pub mod encode;
pub mod prompt;
