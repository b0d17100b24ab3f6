//! The local Blob store: over HTTP, by the official client, through crashes.

mod content;
mod durability;
mod hostile;
mod http;
mod official_client;
