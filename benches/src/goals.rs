//! The goals of the project, compared with the figures of a run.

use std::fmt::Write;

use anyhow::Result;

use crate::operations::{APPEND, CEILINGS, CREATE, FIND, LIST, MESSAGES_READ};
use crate::report::{Report, megabytes, milliseconds};
use crate::server::Kind;

/// The maximum peak memory of the function, in bytes.
const MAX_MEMORY: u64 = 16_000_000;
/// The maximum size of a function other than `chat`, in bytes.
const MAX_FUNCTION: u64 = 6_000_000;

/// Returns the table of the goals; missed goals are in bold.
pub fn goals(report: &Report) -> Result<String> {
    let mut text =
        "| goal | allowed | with 1 connection | with 32 |\n|---|---:|---:|---:|\n".to_owned();
    for operation in [CREATE, APPEND] {
        let ours = micros(report, Kind::Ours, operation)?;
        for (kind, part) in [(Kind::FastApi, 20.0), (Kind::Node, 3.0)] {
            let theirs = micros(report, kind, operation)?;
            let cells = [0, 1].map(|index| {
                let times = theirs[index] / ours[index];
                verdict(format!("1/{times:.1}"), times >= part)
            });
            let title = kind.title();
            let _ = writeln!(
                text,
                "| {operation}, of {title}'s time | 1/{part} | {} | {} |",
                cells[0], cells[1]
            );
        }
    }
    let small = micros(report, Kind::CeilingGet, CEILINGS[0])?;
    for (operation, ceiling) in [(FIND, CEILINGS[1]), (MESSAGES_READ, CEILINGS[2])] {
        let ours = micros(report, Kind::Ours, operation)?;
        let sized = micros(report, Kind::CeilingGet, ceiling)?;
        let cells = [0, 1].map(|index| {
            let bytes = (sized[index] - small[index]).max(0.0);
            let times = (ours[index] - bytes) / small[index];
            verdict(format!("{times:.1}"), times <= 1.6)
        });
        let _ = writeln!(
            text,
            "| {operation}, times one `GET`, less its bytes | 1.6 | {} | {} |",
            cells[0], cells[1]
        );
    }
    for operation in [CREATE, FIND, APPEND, MESSAGES_READ, LIST] {
        let theirs = redis_micros(report, Kind::Node, operation)?;
        for (kind, allowed) in [(Kind::Ours, 1.2), (Kind::OursLimited, 1.4)] {
            let ours = redis_micros(report, kind, operation)?;
            let cells = [0, 1].map(|index| {
                let times = ours[index] / theirs[index];
                verdict(format!("{times:.2}"), times <= allowed)
            });
            let _ = writeln!(
                text,
                "| {operation}, Redis, {} times {} | {allowed} | {} | {} |",
                kind.title(),
                Kind::Node.title(),
                cells[0],
                cells[1]
            );
        }
    }
    let (list, find) = (
        micros(report, Kind::Ours, LIST)?,
        micros(report, Kind::Ours, FIND)?,
    );
    let cells = [0, 1].map(|index| {
        let times = list[index] / find[index];
        verdict(format!("{times:.1}"), times <= 3.0)
    });
    let _ = writeln!(
        text,
        "| {LIST}, times {FIND} | 3 | {} | {} |",
        cells[0], cells[1]
    );
    let memory = report.memory(Kind::Ours)?;
    let cell = verdict(megabytes(memory), memory < MAX_MEMORY);
    let _ = writeln!(
        text,
        "| peak memory | {} | | {cell} |",
        megabytes(MAX_MEMORY)
    );
    let ours = report.cold_start(Kind::Ours)?;
    for (kind, part) in [(Kind::FastApi, 50.0), (Kind::Node, 20.0)] {
        let times = report.cold_start(kind)?.as_secs_f64() / ours.as_secs_f64();
        let cell = verdict(
            format!("1/{times:.0}, {}", milliseconds(ours)),
            times > part,
        );
        let _ = writeln!(
            text,
            "| cold start, of {}'s | 1/{part} | {cell} | |",
            kind.title()
        );
    }
    let largest = report
        .functions
        .iter()
        .filter(|(name, _)| name != "chat")
        .map(|(_, bytes)| *bytes)
        .max()
        .unwrap_or_default();
    let cell = verdict(megabytes(largest), largest <= MAX_FUNCTION);
    let _ = writeln!(
        text,
        "| the largest function but `chat` | {} | {cell} | |",
        megabytes(MAX_FUNCTION)
    );
    Ok(text)
}

fn micros(report: &Report, kind: Kind, operation: &str) -> Result<[f64; 2]> {
    let row = report.row(kind, operation)?;
    Ok(row.figures.map(|figures| figures.server_micros))
}

fn redis_micros(report: &Report, kind: Kind, operation: &str) -> Result<[f64; 2]> {
    let row = report.row(kind, operation)?;
    Ok(row.figures.map(|figures| figures.redis_micros))
}

/// Returns the text, in bold if the goal is missed.
pub fn verdict(text: String, is_met: bool) -> String {
    if is_met { text } else { format!("**{text}**") }
}
