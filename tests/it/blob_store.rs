//! The local Blob store: over HTTP, by the official client, through crashes.

mod http;
mod official_client;
