//! Extractors: checked values from the path, query, headers and body. Every rejection is an [`Error`].
//!
//! [`Error`]: super::error::Error

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod client_ip;
pub(crate) mod etag;
pub(crate) mod headers;
pub(crate) mod idempotency;
pub(crate) mod page;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod vercel_headers;
pub(crate) mod volume;
