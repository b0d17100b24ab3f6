//! Language models: what they are asked, and their answers as one kind of events for every wire.

pub mod error;
pub mod event;
pub mod request;
