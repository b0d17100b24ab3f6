//! The benchmark of chat: the `chat` function, and a Node server as the AI SDK documents it, with the same model server on
//! the same Redis.

mod client;
mod measure;
mod model;
mod monitor;
mod report;

use std::time::{Duration, Instant};

use anyhow::Result;

pub use self::report::ChatReport;

/// Figures of both servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Both<T> {
    pub ours: T,
    pub node: T,
}

/// The measured figures. Processor times are microseconds per 1,000 tokens, sizes bytes.
#[derive(Debug)]
pub struct ChatFigures {
    /// The median time that a server adds until the first token arrives.
    pub added: Both<Duration>,
    /// The same for 19 of 20 turns.
    pub added_p95: Both<Duration>,
    pub one_turn_micros: Both<f64>,
    pub one_turn_redis_micros: f64,
    pub many_turns_micros: Both<f64>,
    pub many_turns_memory: Both<u64>,
    pub large_reader_memory: u64,
    /// Redis commands per second of a turn with its own reader.
    pub own_reader_commands: Both<f64>,
    /// Those of further readers in the same process, and in another one.
    pub further_reader_commands: f64,
    pub other_process_commands: f64,
    pub replay: Duration,
    pub function_bytes: u64,
    /// Of `chat`, and of `sessions`.
    pub cold_starts: [Duration; 2],
}

/// Measures everything and returns the report.
pub fn run(started: Instant) -> Result<ChatReport> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure::all(started))
}
