//! What only the local server needs. Functions never come here.

pub mod redis_server;
