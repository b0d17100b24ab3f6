//! Built-in sample data that reads return, marked as such, while storage is missing or unavailable.

pub mod sessions;
pub mod skills;
