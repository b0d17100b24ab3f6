//! Operations on sessions, skills and files, without HTTP.

pub mod fallback;
pub mod samples;
pub mod skills;

pub(crate) mod warnings;
