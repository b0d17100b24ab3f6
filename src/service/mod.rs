//! Operations on sessions, skills and files, without HTTP, so that every protocol can call them.

pub mod chat;
pub mod error;
pub mod fallback;
pub mod files;
pub mod sessions;
pub mod skills;
pub mod volume;
pub mod written;

mod cursor;
mod samples;
mod warnings;
