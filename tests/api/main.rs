//! Tests of the service over HTTP, in its real processes. They need no other program than redis-server (7 or later).
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each test binary uses a part")]
mod support;

/// Marks the tests that need a single Redis; the other tests of the file run on a cluster as well.
macro_rules! one_redis {
    ($($tests:item)*) => { $($tests)* };
}

mod access;
mod blob_client;
mod blob_store;
mod branches;
mod browsers;
mod caching;
mod chat;
mod client;
mod cluster;
mod doctor;
mod fallback;
mod faults;
mod files;
mod floors;
mod forks;
mod functions;
mod garbage;
mod garbage_filters;
mod garbage_values;
mod health;
mod hostile;
mod idempotency;
mod legacy;
mod limits;
mod listing;
mod local_access;
mod local_model;
mod local_server;
mod lua_scripts;
mod message_formats;
mod message_ids;
mod messages;
mod misconfigured;
mod names;
mod openapi;
mod plain_lists;
mod provider;
mod public_modules;
mod repeated_changes;
mod request_log;
mod requests;
mod serve;
mod sessions;
mod skills;
mod tls;
mod uploads;
mod words;
