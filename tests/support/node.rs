//! Runs the scripts of `tests/blob` and `tests/console` with Node.

use std::path::Path;
use std::time::Duration;

use tokio::process::Command;

use super::clear_configuration;

/// The time limit of a script on a slow and busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a script below `tests`, checks that it succeeds and returns its output. The script stops with the test.
pub async fn run_script(script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for package in ["@vercel/blob", "axe-core", "esbuild", "playwright-core"] {
        assert!(
            tests.join("node_modules").join(package).is_dir(),
            "{package} is not installed: run `make setup`"
        );
    }
    let mut command = std::process::Command::new("node");
    clear_configuration(&mut command);
    command
        .arg(tests.join(script))
        .args(arguments)
        .envs(environment.iter().copied());
    let output = Command::from(command).kill_on_drop(true).output();
    let output = tokio::time::timeout(LIMIT, output)
        .await
        .unwrap_or_else(|_| panic!("{script} {arguments:?} took longer than {LIMIT:?}"))
        .expect("node is not installed: get it from https://nodejs.org, then run `make setup`");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}
