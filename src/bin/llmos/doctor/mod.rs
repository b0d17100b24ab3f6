//! `llmos doctor`: checks the configured Redis, Blob store, signing keys and model provider with the operations that the service uses, and
//! prints a cause and a remedy for each failure.

mod blob;
mod jwks;
mod model;
mod redis;
mod session;

use std::process::ExitCode;
use std::time::Duration;

use llmos::config::{Config, load_dotenv};
use llmos::local::report::Report;
use llmos::util::diagnosis::Diagnosis;

/// Remedy for a storage that does not return the data that was stored.
const CHECK_ADDRESS: &str = "check that the address leads to the real storage, and that no program in between changes \
                             the data";

/// Runs all checks and returns the exit code.
pub(crate) async fn run() -> ExitCode {
    let mut report = Report::default();
    match configuration(&mut report) {
        Ok(config) => {
            redis::check(&config, &mut report).await;
            blob::check(&config, &mut report).await;
            jwks::check(&config, &mut report).await;
            model::check(&config, &mut report).await;
        }
        Err(error) => report.fail(
            "configuration",
            &Diagnosis {
                cause: format!("{error:#}"),
                remedy: "correct the value in .env or in the environment",
            },
        ),
    }
    report.conclude()
}

/// Reads the configuration, and prints the source of each variable.
fn configuration(report: &mut Report) -> anyhow::Result<Config> {
    let sources = load_dotenv()?;
    for (source, names) in sources.describe() {
        report.note(&format!("variables from {source}: {}", names.join(", ")));
    }
    Ok(Config::from_local_env(&sources)?)
}

/// Checks that the data that was read is the data that was stored.
fn same<T: PartialEq + std::fmt::Debug>(found: &T, stored: &T) -> Result<String, Diagnosis> {
    if found == stored {
        return Ok(String::new());
    }
    Err(Diagnosis {
        cause: format!("stored {stored:?}, read back {found:?}"),
        remedy: CHECK_ADDRESS,
    })
}

/// Formats the median of the times and their number.
fn median(mut times: Vec<Duration>) -> String {
    times.sort();
    let milliseconds = times[times.len() / 2].as_secs_f64() * 1e3;
    format!("{milliseconds:.2} ms, the median of {}", times.len())
}
