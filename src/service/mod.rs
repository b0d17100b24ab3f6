//! Operations on sessions, skills and files, without HTTP: what every protocol of the service offers.

pub mod error;
pub mod fallback;
pub mod files;
pub mod samples;
pub mod sessions;
pub mod skills;
pub mod volume;
pub mod written;

mod cursor;
mod warnings;
