//! The fault tests of the suite for a longer time: injects every fault in turn while clients work, and prints a table
//! of the results. Fails if a write was lost or applied twice, if a request or a recovery took too long, if a response
//! was wrong, or if memory grew.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports
)]

#[path = "../tests/it/support/mod.rs"]
mod support;
#[path = "../tests/it/workload/mod.rs"]
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use workload::{Fault, run};

const HEAD: &str = "\
| fault | operations | acknowledged | lost | duplicated | wrong | longest wait | recovery | memory |
|---|---:|---:|---:|---:|---:|---:|---:|---:|";
const DEFAULT_SECONDS: u64 = 15 * 60;
/// What a fault takes besides happening: starting servers, work before and after it, the check.
const AROUND_A_FAULT: Duration = Duration::from_secs(4);
/// Long enough for a wait of 2 s to end in it.
const SHORTEST: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> ExitCode {
    // cargo itself adds words to the arguments.
    let seconds = std::env::args().find_map(|argument| argument.parse().ok());
    let total = Duration::from_secs(seconds.unwrap_or(DEFAULT_SECONDS));
    let faults = u32::try_from(Fault::ALL.len()).unwrap();
    let time = (total / faults)
        .saturating_sub(AROUND_A_FAULT)
        .max(SHORTEST);
    println!("every fault for {} s\n", time.as_secs());
    println!("{HEAD}");
    let mut bad = Vec::new();
    for fault in Fault::ALL {
        let outcome = run(fault, time).await;
        println!("{outcome}");
        if !outcome.is_good() {
            bad.push(outcome);
        }
    }
    for outcome in &bad {
        println!("\n{}: {:#?}", outcome.fault.name(), outcome.findings);
    }
    if bad.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
