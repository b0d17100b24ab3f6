//! The local Blob store: protocol, official client, hostile requests, durability.

mod content;
mod durability;
mod hostile;
mod http;
mod official_client;
