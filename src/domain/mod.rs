//! Value types of the service: sessions, messages, volumes, callers and their limits. No I/O.

pub mod caller;
pub mod chat;
pub mod file_path;
pub mod message;
pub mod metadata;
pub mod name;
pub mod rate_limit;
pub mod request_context;
pub(crate) mod schema;
pub mod session;
pub mod session_filter;
pub mod session_id;
pub mod subject;
pub mod tag;
pub mod volume;
