//! The local Blob store: protocol, hostile requests, durability.

mod content;
mod durability;
mod hostile;
mod http;
mod versions;
