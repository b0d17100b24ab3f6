//! The results of a run as tables, printed and written to `benches/RESULTS.md` and `docs/performance.md`.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::machine::{machine, versions};
use crate::measure::Figures;
use crate::operations::{CONTENT_BYTES, MESSAGES, SESSIONS};
use crate::server::{Kind, release};

pub const RESULTS: &str = "benches/RESULTS.md";
pub const PERFORMANCE: &str = "docs/performance.md";
/// The name of the marker lines.
const SECTION: &str = "make bench";

/// The figures of one operation of one server, with one connection and with many.
pub struct Row {
    pub kind: Kind,
    pub operation: String,
    pub figures: [Figures; 2],
}

/// The results of a run.
pub struct Report {
    pub rows: Vec<Row>,
    pub peak_memory: Vec<(Kind, u64)>,
    pub cold_starts: Vec<(Kind, Duration)>,
    /// The size of each function's file, in bytes.
    pub functions: Vec<(String, u64)>,
    pub redis_version: String,
}

impl Report {
    /// Prints and writes the tables, including the table of `goals`.
    pub fn publish(&self, goals: &str) -> Result<()> {
        let text = format!(
            "{}\n{}\n{}\n{goals}",
            self.introduction()?,
            self.requests(),
            self.processes(),
        );
        print!("{text}");
        replace(RESULTS, SECTION, &text)?;
        replace(PERFORMANCE, SECTION, &self.summary()?)
    }

    /// Returns the figures of an operation.
    pub fn row(&self, kind: Kind, operation: &str) -> Result<&Row> {
        let mut rows = self.rows.iter();
        let row = rows.find(|row| row.kind == kind && row.operation == operation);
        row.with_context(|| format!("{operation} was not measured"))
    }

    pub fn cold_start(&self, kind: Kind) -> Result<Duration> {
        let found = self
            .cold_starts
            .iter()
            .find(|(measured, _)| *measured == kind);
        Ok(found.context("the cold start was not measured")?.1)
    }

    pub fn memory(&self, kind: Kind) -> Result<u64> {
        let found = self
            .peak_memory
            .iter()
            .find(|(measured, _)| *measured == kind);
        Ok(found.context("the memory was not measured")?.1)
    }

    fn introduction(&self) -> Result<String> {
        Ok(format!(
            "{}.\n{}.\n\nThe volume contains {SESSIONS} sessions, the session {MESSAGES} messages of {CONTENT_BYTES} bytes. \
             Figures are for 1 connection / 32 connections.\n",
            machine()?,
            versions(&self.redis_version)?
        ))
    }

    fn requests(&self) -> String {
        let mut text = "| operation | server | processor time, µs | requests/s | p50, µs | p99, µs | Redis, µs | round trips |\n\
             |---|---|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
        for row in &self.rows {
            let pair = |figure: fn(&Figures) -> f64, digits| {
                let [one, many] = row.figures.each_ref().map(figure);
                format!("{one:.digits$} / {many:.digits$}")
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {:.0} |",
                row.operation,
                row.kind.title(),
                pair(|figures| figures.server_micros, 1),
                pair(|figures| figures.per_second, 0),
                pair(|figures| figures.p50_micros, 0),
                pair(|figures| figures.p99_micros, 0),
                pair(|figures| figures.redis_micros, 1),
                row.figures[0].round_trips,
            );
        }
        text
    }

    fn processes(&self) -> String {
        let mut text = "| server | peak memory | cold start |\n|---|---:|---:|\n".to_owned();
        for (kind, bytes) in &self.peak_memory {
            let start = self.cold_start(*kind).map_or("-".to_owned(), milliseconds);
            let _ = writeln!(
                text,
                "| {} | {} | {start} |",
                kind.title(),
                megabytes(*bytes)
            );
        }
        text += "\n| function | size |\n|---|---:|\n";
        for (name, bytes) in &self.functions {
            let _ = writeln!(text, "| {name} | {} |", megabytes(*bytes));
        }
        text
    }

    /// Returns the table of the documentation.
    fn summary(&self) -> Result<String> {
        let mut text = format!(
            "On {}, processor time of the server for each request / of Redis, 32 connections:\n\n\
             | operation | {} |\n|---|---:|---:|---:|---:|\n",
            machine()?,
            Kind::APIS.map(Kind::title).join(" | ")
        );
        for row in self.rows.iter().filter(|row| row.kind == Kind::Ours) {
            let _ = write!(text, "| {} |", row.operation);
            for kind in Kind::APIS {
                let figures = self.row(kind, &row.operation)?.figures[1];
                let (server, redis) = (figures.server_micros, figures.redis_micros);
                let _ = write!(text, " {server:.0} / {redis:.0} µs |");
            }
            text.push('\n');
        }
        text += "| peak memory |";
        for kind in Kind::APIS {
            let _ = write!(text, " {} |", megabytes(self.memory(kind)?));
        }
        text += "\n| cold start |";
        for kind in Kind::APIS {
            let _ = write!(text, " {} |", milliseconds(self.cold_start(kind)?));
        }
        text.push('\n');
        Ok(text)
    }
}

/// Returns the names and sizes of all functions.
pub fn function_sizes() -> Result<Vec<(String, u64)>> {
    let mut functions = Vec::new();
    for file in fs::read_dir("api")? {
        let path = file?.path();
        let name = path.file_stem().context("the file has no name")?;
        let name = name.to_string_lossy().into_owned();
        let bytes = fs::metadata(release(&name)).with_context(|| format!("{name} is not built"))?;
        functions.push((name, bytes.len()));
    }
    functions.sort();
    Ok(functions)
}

pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// Replaces the text between the two marker lines of a section of a file.
pub fn replace(file: &str, section: &str, text: &str) -> Result<()> {
    let begin = format!("<!-- written by {section}: begin -->\n");
    let end = format!("<!-- written by {section}: end -->\n");
    let old = fs::read_to_string(file).with_context(|| file.to_owned())?;
    let new = old.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some(format!("{before}{begin}\n{text}\n{end}{after}"))
    });
    let new = new.with_context(|| format!("{file} has no marker lines for the tables"))?;
    Ok(fs::write(file, new)?)
}
