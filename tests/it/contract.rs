//! The running service against what `public/openapi.json` says of it: schemathesis, all checks on, with and
//! without credentials.

use std::path::Path;

use llmos::auth::new_key;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{Client, Process};

/// How many requests are made up for each operation, beside those that are made for each word of its schema.
const EXAMPLES_PER_OPERATION: &str = "40";

/// The local server with one key, and that key.
async fn closed_server(directory: &Path) -> (Process, Client, String) {
    let (key, entry) = new_key("contract", "admin").unwrap();
    let (process, api) = Process::local_server(directory, &[("API_KEYS", &entry)]).await;
    (process, api.unwrap(), key)
}

/// Runs schemathesis and gives what it prints; it must find nothing.
async fn check(api: &Client, arguments: &[&str]) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let program = tests.join(".venv/bin/schemathesis");
    assert!(
        program.exists(),
        "schemathesis is not installed: run `make setup`"
    );
    let contract = tests.join("contract");
    // It leaves files where it runs.
    let directory = TempDir::new().unwrap();
    let output = Command::new(program)
        .current_dir(directory.path())
        .env("CONTRACT", &contract)
        .arg("--config-file")
        .arg(contract.join("schemathesis.toml"))
        .arg("run")
        .arg(tests.join("../public/openapi.json"))
        .args(["--url", &format!("http://{}", api.address())])
        .args(["--checks", "all", "--seed", "1", "--no-color"])
        .args(["--max-examples", EXAMPLES_PER_OPERATION])
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}");
    printed
}

/// How many requests the report says were sent.
fn requests(report: &str) -> u32 {
    let mut lines = report.lines().filter(|line| line.contains(" generated"));
    let number = |line: &str| line.split_whitespace().next()?.parse().ok();
    lines.find_map(number).unwrap()
}

#[tokio::test]
async fn nothing_is_answered_that_the_description_does_not_say() {
    let directory = TempDir::new().unwrap();
    let (process, api, key) = closed_server(directory.path()).await;

    let authorization = format!("Authorization: Bearer {key}");
    let report = check(&api, &["--header", &authorization]).await;

    assert!(requests(&report) > 3000, "{report}");
    assert!(!process.output().contains("\"level\":\"error\""));
}

#[tokio::test]
async fn whoever_has_no_credentials_is_answered_as_described() {
    let directory = TempDir::new().unwrap();
    let (_process, api, _) = closed_server(directory.path()).await;

    let report = check(&api, &["--phases", "examples,coverage,fuzzing"]).await;

    assert!(requests(&report) > 1000, "{report}");
}
