//! Runs the scripts of `tests/blob`, `tests/chat` and `tests/console` with Node or Python.

use std::path::Path;
use std::time::Duration;

use tokio::process::Command;

use super::clear_configuration;

/// The time limit of a script on a slow and busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a script below `tests`, checks that it succeeds and returns its output. The script stops with the test.
pub async fn run_script(script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for package in [
        "@vercel/blob",
        "ai-5.0.150",
        "ai-5.0.277",
        "ai-6.0.200",
        "ai-6.0.326",
        "ai-7.0.173",
        "axe-core",
        "esbuild",
        "openai",
        "playwright-core",
        "typescript",
        "vercel-blob-0.27.3",
        "vercel-blob-1.1.1",
    ] {
        assert!(
            tests.join("node_modules").join(package).is_dir(),
            "{package} is not installed: run `make setup`"
        );
    }
    run("node".as_ref(), &tests.join(script), arguments, environment).await
}

/// Runs a Python script below `tests` as [`run_script`] does.
pub async fn run_python(script: &str, environment: &[(&str, &str)]) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let python = tests.join(".venv/bin/python");
    assert!(python.exists(), "{script} needs packages: run `make setup`");
    run(&python, &tests.join(script), &[], environment).await
}

async fn run(
    program: &Path,
    script: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> String {
    let mut command = std::process::Command::new(program);
    clear_configuration(&mut command);
    command
        .arg(script)
        .args(arguments)
        .envs(environment.iter().copied());
    let script = script.display();
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
