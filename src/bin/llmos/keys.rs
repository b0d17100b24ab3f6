//! `llmos keys`: creates API keys.

use std::process::ExitCode;

use clap::Subcommand;
use llmos::auth;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates an API key and prints it once, with its entry for API_KEYS
    New {
        /// Name of the key: 1 to 64 characters of A-Z a-z 0-9 . _ -
        name: String,
        /// admin, user/ID or team/ID; append :read for a read-only key
        scope: String,
    },
}

/// Runs the command and returns its exit code.
pub(crate) fn run(command: &Command) -> ExitCode {
    let Command::New { name, scope } = command;
    match auth::new_key(name, scope) {
        Ok((key, entry)) => print(&key, &entry),
        Err(reason) => print_error(reason),
    }
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
fn print(key: &str, entry: &str) -> ExitCode {
    println!("key    {key}");
    println!("       Shown only once. Configure the calling program with it.");
    println!("entry  {entry}");
    println!("       Add it to API_KEYS. Separate entries with commas.");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "the error of the command")]
fn print_error(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::FAILURE
}
