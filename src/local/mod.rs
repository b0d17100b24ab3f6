//! What only a person's machine needs. Functions never come here.

pub mod blob_store;
pub mod lock;
pub mod page_headers;
pub mod redis_server;
pub mod report;
pub mod startup_banner;
