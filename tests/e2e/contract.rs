//! The running service against `public/openapi.json`: schemathesis with all checks, with and
//! without credentials.

use std::path::Path;

use llmos::auth::new_key;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{Client, Process};

/// The number of generated requests per operation, beside those for each keyword of its schema.
const EXAMPLES_PER_OPERATION: &str = "40";

/// Starts the local server with one API key and returns the key.
async fn closed_server(directory: &Path) -> (Process, Client, String) {
    let (key, entry) = new_key("contract", "admin").unwrap();
    let (process, api) = Process::local_server(directory, &[("API_KEYS", &entry)]).await;
    (process, api.unwrap(), key)
}

/// Runs schemathesis, checks that it finds nothing, and returns its output.
async fn check(api: &Client, arguments: &[&str]) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let program = tests.join(".venv/bin/schemathesis");
    assert!(
        program.exists(),
        "schemathesis is not installed: run `make setup`"
    );
    let contract = tests.join("contract");
    // schemathesis writes files into its working directory.
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

/// Returns the number of requests in the report.
fn requests(report: &str) -> u32 {
    let mut lines = report.lines().filter(|line| line.contains(" generated"));
    let number = |line: &str| line.split_whitespace().next()?.parse().ok();
    lines.find_map(number).unwrap()
}

#[tokio::test]
async fn responses_with_credentials_match_the_description() {
    let directory = TempDir::new().unwrap();
    let (process, api, key) = closed_server(directory.path()).await;

    let authorization = format!("Authorization: Bearer {key}");
    let report = check(&api, &["--header", &authorization]).await;

    assert!(requests(&report) > 3000, "{report}");
    assert!(!process.output().contains("\"level\":\"error\""));
}

#[tokio::test]
async fn responses_without_credentials_match_the_description() {
    let directory = TempDir::new().unwrap();
    let (_process, api, _) = closed_server(directory.path()).await;

    let report = check(&api, &["--phases", "examples,coverage,fuzzing"]).await;

    assert!(requests(&report) > 1000, "{report}");
}
