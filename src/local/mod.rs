//! Local development: private storage, startup banner, and the report of `llmos doctor`. Functions do not use it.

pub mod blob_store;
pub mod listeners;
pub mod lock;
pub mod page_headers;
pub mod redis_server;
pub mod report;
pub mod startup_banner;
