//! The single-Redis tests, run again on a cluster.
#![allow(
    clippy::duplicate_mod,
    reason = "the same files are compiled with another backend"
)]

use super::support;

#[path = "../access.rs"]
#[allow(dead_code, reason = "tests that only check credentials are omitted")]
mod access;
#[path = "../branches.rs"]
mod branches;
#[path = "../chat/mod.rs"]
mod chat;
#[path = "../forks.rs"]
mod forks;
#[path = "../idempotency.rs"]
mod idempotency;
#[path = "../legacy.rs"]
mod legacy;
#[path = "../limits.rs"]
mod limits;
#[path = "../listing.rs"]
mod listing;
#[path = "../message_formats.rs"]
mod message_formats;
#[path = "../message_ids.rs"]
mod message_ids;
#[path = "../messages.rs"]
mod messages;
#[path = "../sessions.rs"]
mod sessions;
#[path = "../skills.rs"]
mod skills;
