//! The same service on a Redis Cluster.

pub mod support;

/// What only one Redis is, as `main.rs` has it: left out here.
macro_rules! one_redis {
    ($($tests:item)*) => {};
}

mod contract;
mod moves;
mod nodes;
mod steps;
mod workload;
