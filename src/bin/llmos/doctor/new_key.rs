//! `doctor new-key NAME SCOPE`: a fresh API key, shown once, and the entry that accepts it.

use std::process::ExitCode;

use llmos::auth;

/// Makes a key and prints it.
#[expect(clippy::print_stdout, reason = "what was asked for")]
pub(super) fn print(name: &str, scope: &str) -> ExitCode {
    match auth::new_key(name, scope) {
        Ok((key, entry)) => {
            println!("key    {key}");
            println!("       is shown this once: give it to the program that is to call");
            println!("entry  {entry}");
            println!("       add it to API_KEYS, with a comma before it where there are others");
            ExitCode::SUCCESS
        }
        Err(reason) => fail(reason),
    }
}

/// Says what there is to call.
pub(super) fn explain() -> ExitCode {
    fail("usage: doctor, or doctor new-key NAME SCOPE")
}

#[expect(clippy::print_stderr, reason = "why there is no key")]
fn fail(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::FAILURE
}
