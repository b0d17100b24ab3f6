//! Tests of the service from outside: over HTTP, on a real Redis, in its real processes.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod support;

/// Tests of what only one Redis is: those of the same file that a cluster has to pass, too, stand outside.
macro_rules! one_redis {
    ($($tests:item)*) => { $($tests)* };
}

mod access;
mod agent_skills;
mod blob_client;
mod blob_store;
mod browsers;
mod client;
mod cluster;
mod console;
mod contract;
mod docs;
mod doctor;
mod fallback;
mod faults;
mod files;
mod floors;
mod functions;
mod garbage;
mod garbage_values;
mod health;
mod hostile;
mod idempotency;
mod legacy;
mod limits;
mod listing;
mod local_access;
mod local_server;
mod messages;
mod openapi;
mod public_modules;
mod serve;
mod sessions;
mod skills;
mod tls;
mod uploads;
mod vercel;
mod words;
mod workload;
