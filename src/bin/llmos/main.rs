//! The command line: `llmos serve` (the default), `llmos doctor` and `llmos keys`.

mod doctor;
mod keys;
mod pages;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use llmos::local::redis_server::watcher;

/// Sessions, skills and files for LLM applications.
#[derive(Debug, Parser)]
#[command(
    name = "llmos",
    version,
    after_help = "Configuration is read from environment variables and from .env.development.local, .env.local, \
                  .env.development and .env in the current folder. The first one that sets a variable wins."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the local server: the API, the console, and a private Redis and Blob store if none is configured
    /// (default)
    #[command(
        after_help = "PORT is 3000, HOST is localhost and LLMOS_DIR is .llmos unless they are set."
    )]
    Serve,
    /// Checks the configured Redis, Blob store and model provider with the operations that the service uses
    Doctor,
    /// Manages API keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Stops the private Redis of a local server that was killed; started by it
    #[command(name = WATCHER_COMMAND, hide = true)]
    WatchRedis,
}

/// The command that runs the watcher of the private Redis.
const WATCHER_COMMAND: &str = "watch-redis";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return print_help_or_error(&error),
    };
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run().await,
        Command::Doctor => doctor::run().await,
        Command::Keys(command) => keys::run(&command),
        Command::WatchRedis => match watcher::run().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
    }
}

/// Prints the text of `--help` or `--version`, or the error in the arguments. The exit code of an error is 1, as of
/// every other failure of this program; that of clap would be 2.
fn print_help_or_error(error: &clap::Error) -> ExitCode {
    let is_printed = error.print().is_ok();
    if is_printed && !error.use_stderr() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
