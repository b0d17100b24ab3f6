//! Tests of the service from outside: over HTTP, on a real Redis, in its real processes.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod support;

/// Marks the tests that need a single Redis; the other tests of the file run on a cluster as well.
macro_rules! one_redis {
    ($($tests:item)*) => { $($tests)* };
}

mod access;
mod agent_skills;
mod blob_client;
mod blob_store;
mod browser_uploads;
mod browsers;
mod chromium;
mod client;
mod cluster;
mod console;
mod contract;
mod doctor;
mod fallback;
mod fault_workloads;
mod faults;
mod files;
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
mod lua_scripts;
mod messages;
mod official_client;
mod openapi;
mod readme;
mod serve;
mod sessions;
mod skills;
mod tls;
mod uploads;
mod vercel;
mod workload;
