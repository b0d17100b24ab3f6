//! The connection check, for the person who has just set `REDIS_URL` or `BLOB_READ_WRITE_TOKEN`: does
//! everything work that the service needs, and if not, why, and what mends it.

mod blob;
mod new_key;
mod redis;

use std::process::ExitCode;
use std::time::Duration;

use llmos::config::{Config, load_dotenv};
use llmos::local::report::Report;
use llmos::util::diagnosis::Diagnosis;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check().await,
        ["new-key", name, scope] => new_key::print(name, scope),
        _ => new_key::explain(),
    }
}

async fn check() -> ExitCode {
    let mut report = Report::default();
    match configuration() {
        Ok(config) => {
            redis::check(&config, &mut report).await;
            blob::check(&config, &mut report).await;
        }
        Err(error) => report.fail(
            "configuration",
            &Diagnosis {
                cause: format!("{error:#}"),
                remedy: "correct it in .env, or where the variable is set",
            },
        ),
    }
    report.conclude()
}

fn configuration() -> anyhow::Result<Config> {
    load_dotenv().map_err(|error| anyhow::Error::new(error).context("cannot read .env"))?;
    Ok(Config::from_env()?)
}

/// What came back must be what was stored.
fn same<T: PartialEq + std::fmt::Debug>(found: &T, stored: &T) -> Result<String, Diagnosis> {
    if found == stored {
        return Ok(String::new());
    }
    Err(Diagnosis {
        cause: format!("stored {stored:?}, read back {found:?}"),
        remedy: "see whether the address leads to the real storage, or to something in between that alters it",
    })
}

/// The middle one of some times, and of how many.
fn median(mut times: Vec<Duration>) -> String {
    times.sort();
    let milliseconds = times[times.len() / 2].as_secs_f64() * 1e3;
    format!("{milliseconds:.2} ms, the median of {}", times.len())
}
