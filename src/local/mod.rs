//! What only a person's machine needs. Functions never come here.

pub mod blob_store;
pub mod introduction;
pub mod lock;
pub mod redis_server;
pub mod report;
