//! The cost of a request while the data grows: sessions in a volume, messages in a session, skills in a volume.
//!
//! The release functions answer one caller over HTTP, on a private Redis and the local server's Blob store. Writes
//! `benches/SCALE.md` and `benches/scale.svg`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports
)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod cost;
mod fill;
mod messages;
mod plot;
mod report;
mod sessions;
mod skills;
#[path = "../src/usage.rs"]
mod usage;

use std::fs;
use std::path::Path;

#[tokio::main]
async fn main() {
    let sessions = sessions::measure().await;
    let messages = messages::measure().await;
    let skills = skills::measure().await;
    let branches = messages::measure_branches().await;
    let growths = [sessions, messages, branches, skills];

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let report = report::markdown(&growths);
    println!("{report}");
    fs::write(folder.join("SCALE.md"), report).unwrap();
    plot::draw(&folder.join("scale.svg"), &growths);
}
