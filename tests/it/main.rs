//! Tests of the service from outside: over HTTP, on a real Redis, in its real processes.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

mod messages;
mod readme;
mod sessions;
