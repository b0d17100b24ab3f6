//! The tables of `benches/SCALE.md`.

use std::fmt::Write;

use crate::cost::{Cost, Growth};

pub fn markdown(growths: &[Growth]) -> String {
    let mut text = String::from(
        "# Cost of a request while the data grows\n\n\
         Made by `make scale`.\n\
         Processor time of the function + of Redis, in microseconds; one caller, all on one machine.\n",
    );
    for growth in growths {
        table(&mut text, growth).unwrap();
    }
    text
}

fn table(text: &mut String, growth: &Growth) -> std::fmt::Result {
    writeln!(text, "\n## By {}\n", growth.unit)?;
    let sizes = growth.curves[0].costs.iter().map(|(size, _)| size);
    let sizes: Vec<String> = sizes.map(ToString::to_string).collect();
    writeln!(text, "| request | {} | round trips |", sizes.join(" | "))?;
    writeln!(text, "|---|{}---:|", "---:|".repeat(sizes.len()))?;
    for curve in &growth.curves {
        let cells: Vec<String> = curve.costs.iter().map(|(_, cost)| cell(cost)).collect();
        let round_trips = curve.costs.iter().map(|(_, cost)| cost.round_trips).max();
        let round_trips = round_trips.unwrap_or_default();
        writeln!(
            text,
            "| {} | {} | {round_trips} |",
            curve.route,
            cells.join(" | ")
        )?;
    }
    if !growth.notes.is_empty() {
        writeln!(text)?;
    }
    growth
        .notes
        .iter()
        .try_for_each(|note| writeln!(text, "{note}"))
}

fn cell(cost: &Cost) -> String {
    format!("{} + {}", cost.function.as_micros(), cost.redis.as_micros())
}
