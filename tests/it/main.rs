//! Tests of the service from outside: over HTTP, on a real Redis, in its real processes.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod support;

mod faults;
mod idempotency;
mod legacy;
mod listing;
mod messages;
mod sessions;
