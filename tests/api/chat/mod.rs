//! `/api/chat`: a model answers; its answer is stored once, streamed, read again and stopped.

use super::support;

mod answers;
mod app;
mod budgets;
mod files;
mod meanwhile;
mod operations;
mod original;
mod resume;
mod stop;
mod titles;
mod tools;
mod turns;
mod usage;

one_redis! {
    mod dead;
    mod keys;
    mod sums;
}
