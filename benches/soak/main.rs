//! The soak: timing comparisons, then the fault workloads of the test suite for longer, with a table of the
//! outcomes. Fails if a write was lost or duplicated, a response was wrong, a request or recovery took too long,
//! memory grew, or a duration reveals a hidden session. With the argument `turns`, only turns of chat are run.
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
mod timing;
#[path = "../../tests/workload/mod.rs"]
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use workload::{Fault, Outcome, TURN_FAULTS, run, run_on_cluster, run_on_one_session, run_turns};

const HEAD: &str = "\
| fault | operations | acknowledged | lost | duplicated | wrong | longest wait | recovery | memory |
|---|---:|---:|---:|---:|---:|---:|---:|---:|";
const DEFAULT_SECONDS: u64 = 15 * 60;
/// The time for a fault besides its own duration: starting servers, work before and after it, checks.
const AROUND_A_FAULT: Duration = Duration::from_secs(4);
/// Longer than the service's timeout of 2 s.
const SHORTEST: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> ExitCode {
    // cargo adds arguments of its own.
    let seconds = std::env::args().find_map(|argument| argument.parse().ok());
    let is_turns_only = std::env::args().any(|argument| argument == "turns");
    let total = Duration::from_secs(seconds.unwrap_or(DEFAULT_SECONDS));
    // Every fault, the two runs of many writers on one session, and the faults of turns.
    let faults = u32::try_from(Fault::ALL.len() + 2 + TURN_FAULTS.len()).unwrap();
    let time = (total / faults)
        .saturating_sub(AROUND_A_FAULT)
        .max(SHORTEST);
    let violations = match is_turns_only {
        true => Vec::new(),
        false => timing::compare().await,
    };
    println!("\nevery fault for {} s\n", time.as_secs());
    println!("{HEAD}");
    let mut bad = Vec::new();
    let mut report = |outcome: Outcome| {
        println!("{outcome}");
        if !outcome.is_good() {
            bad.push(outcome);
        }
    };
    if !is_turns_only {
        for fault in Fault::ALL {
            report(run(fault, time).await);
        }
        report(run_on_one_session(Fault::ConnectionsCut, time).await);
        report(run_on_cluster(time).await);
    }
    for fault in TURN_FAULTS {
        report(run_turns(fault, time).await);
    }
    for outcome in &bad {
        println!("\n{}: {:#?}", outcome.name, outcome.findings);
    }
    for violation in &violations {
        println!("\n{violation}");
    }
    if bad.is_empty() && violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
