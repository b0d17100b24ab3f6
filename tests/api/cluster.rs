//! The service on a Redis Cluster.

pub mod support;

/// Omits the tests that need a single Redis; `main.rs` has the counterpart.
macro_rules! one_redis {
    ($($tests:item)*) => {};
}

mod contract;
mod moves;
mod nodes;
mod steps;
mod workload;
