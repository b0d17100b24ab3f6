//! What only a person's machine needs. Functions never come here.

pub mod redis_server;
pub mod report;
