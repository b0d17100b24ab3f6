//! Built-in sample data that reads return, marked as such, while storage is missing or unavailable.

pub(super) mod sessions;
pub(super) mod skills;
