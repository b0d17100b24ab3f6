//! The figures of chat as tables, for `benches/RESULTS.md` and `docs/performance.md`.

use std::time::Duration;

use anyhow::Result;

use super::ChatFigures;
use crate::goals::verdict;
use crate::machine::{chat_versions, machine};
use crate::report::{PERFORMANCE, RESULTS, megabytes, milliseconds, replace};

/// The name of the marker lines.
const SECTION: &str = "make bench, chat";
const MAX_ADDED: Duration = Duration::from_millis(3);
const MAX_MEMORY: u64 = 64_000_000;
const MAX_READER_MEMORY: u64 = 8_000_000;
const MAX_REPLAY: Duration = Duration::from_millis(20);
const MAX_FUNCTION: u64 = 7_000_000;

/// The results of chat.
#[derive(Debug)]
pub struct ChatReport(pub ChatFigures);

impl ChatReport {
    /// Prints and writes the tables.
    pub fn publish(&self) -> Result<()> {
        let text = format!(
            "{}.\n{}.\n\n{}\n{}",
            machine()?,
            chat_versions()?,
            self.table(),
            self.goals()
        );
        print!("{text}");
        replace(RESULTS, SECTION, &text)?;
        let summary = format!("On {}:\n\n{}", machine()?, self.table());
        replace(PERFORMANCE, SECTION, &summary)
    }

    fn table(&self) -> String {
        let figures = &self.0;
        let row =
            |name: &str, ours: String, node: String| format!("| {name} | {ours} | {node} |\n");
        let none = || "–".to_owned();
        let time = |micros: f64| format!("{:.1} ms", micros / 1e3);
        let rate = |rate: f64| format!("{rate:.1}");
        [
            "| | llmos | Fastify, `ai`, `resumable-stream` |\n|---|---:|---:|\n".to_owned(),
            row(
                "added until the first token, median",
                milliseconds(figures.added.ours),
                milliseconds(figures.added.node),
            ),
            row(
                "the same, p95",
                milliseconds(figures.added_p95.ours),
                milliseconds(figures.added_p95.node),
            ),
            row(
                "processor time for 1,000 tokens, 1 turn",
                time(figures.one_turn_micros.ours),
                time(figures.one_turn_micros.node),
            ),
            row(
                "processor time for 1,000 tokens, 200 turns at once",
                time(figures.many_turns_micros.ours),
                time(figures.many_turns_micros.node),
            ),
            row(
                "Redis for 1,000 tokens, 1 turn",
                time(figures.one_turn_redis_micros),
                none(),
            ),
            row(
                "peak memory, 200 turns at once",
                megabytes(figures.many_turns_memory.ours),
                megabytes(figures.many_turns_memory.node),
            ),
            row(
                "growth by a reader of 1 MB",
                megabytes(figures.large_reader_memory),
                none(),
            ),
            row(
                "Redis commands a second, turn with its reader",
                rate(figures.own_reader_commands.ours),
                rate(figures.own_reader_commands.node),
            ),
            row(
                "further, 10 more readers in the process",
                rate(figures.further_reader_commands),
                none(),
            ),
            row(
                "further, 10 readers in another process",
                rate(figures.other_process_commands),
                none(),
            ),
            row("replay of 100 KB", milliseconds(figures.replay), none()),
        ]
        .concat()
    }

    fn goals(&self) -> String {
        let figures = &self.0;
        let row = |name: &str, allowed: &str, found: String, is_met: bool| {
            format!("| {name} | {allowed} | {} |\n", verdict(found, is_met))
        };
        let part = |ours: f64, node: f64| node / ours.max(1e-9);
        let added = part(
            figures.added.ours.as_secs_f64(),
            figures.added.node.as_secs_f64(),
        );
        let one = part(figures.one_turn_micros.ours, figures.one_turn_micros.node);
        let many = part(
            figures.many_turns_micros.ours,
            figures.many_turns_micros.node,
        );
        let [chat, sessions] = figures.cold_starts;
        let starts = chat.as_secs_f64() / sessions.as_secs_f64();
        [
            "| goal | allowed | found |\n|---|---:|---:|\n".to_owned(),
            row(
                "added until the first token, median",
                "3.0 ms",
                milliseconds(figures.added.ours),
                figures.added.ours <= MAX_ADDED,
            ),
            row(
                "the same, of Fastify's",
                "1/5",
                format!("1/{added:.1}"),
                added >= 5.0,
            ),
            row(
                "processor time of a token, of Fastify's, 1 turn",
                "1/10",
                format!("1/{one:.1}"),
                one >= 10.0,
            ),
            row(
                "processor time of a token, of Fastify's, 200 turns",
                "1/10",
                format!("1/{many:.1}"),
                many >= 10.0,
            ),
            row(
                "peak memory, 200 turns at once",
                &megabytes(MAX_MEMORY),
                megabytes(figures.many_turns_memory.ours),
                figures.many_turns_memory.ours < MAX_MEMORY,
            ),
            row(
                "growth by a reader of 1 MB",
                &megabytes(MAX_READER_MEMORY),
                megabytes(figures.large_reader_memory),
                figures.large_reader_memory < MAX_READER_MEMORY,
            ),
            row(
                "Redis commands a second, turn with its reader",
                "12",
                format!("{:.1}", figures.own_reader_commands.ours),
                figures.own_reader_commands.ours <= 12.0,
            ),
            row(
                "further, more readers in the process",
                "0",
                format!("{:.1}", figures.further_reader_commands),
                // One entry more or less in the window.
                figures.further_reader_commands < 0.3,
            ),
            row(
                "further, readers in another process",
                "9",
                format!("{:.1}", figures.other_process_commands),
                figures.other_process_commands <= 9.0,
            ),
            row(
                "replay of 100 KB",
                &milliseconds(MAX_REPLAY),
                milliseconds(figures.replay),
                figures.replay < MAX_REPLAY,
            ),
            row(
                "the `chat` function",
                &megabytes(MAX_FUNCTION),
                megabytes(figures.function_bytes),
                figures.function_bytes <= MAX_FUNCTION,
            ),
            row(
                "cold start, of that of `sessions`",
                "1.3",
                format!("{starts:.2}, {}", milliseconds(chat)),
                starts <= 1.3,
            ),
        ]
        .concat()
    }
}
