//! Messages in the shapes of the AI SDK and of OpenAI, with their official packages against the local server.

use tempfile::TempDir;

use crate::support::{Process, run_script};

/// Runs a script of `tests/chat` against a local server of its own.
async fn run(script: &str, arguments: &[&str]) {
    let directory = TempDir::new().unwrap();
    let (_server, api) = Process::local_server(directory.path(), &[]).await;
    let base = format!("http://{}", api.expect("the local server starts").address());
    let arguments: Vec<&str> = [&*base]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    let printed = run_script(&format!("chat/{script}"), &arguments, &[]).await;
    assert!(printed.contains('✓'), "{printed}");
}

#[tokio::test]
async fn ui_messages_of_ai_5_are_valid_and_unchanged() {
    run("ui_messages.mjs", &["5"]).await;
}

#[tokio::test]
async fn ui_messages_of_ai_6_are_valid_and_unchanged() {
    run("ui_messages.mjs", &["6"]).await;
}

#[tokio::test]
async fn ui_messages_of_ai_7_are_valid_and_unchanged() {
    run("ui_messages.mjs", &["7"]).await;
}

#[tokio::test]
async fn messages_of_the_openai_client_are_returned_value_for_value() {
    run("chat_completions.mjs", &[]).await;
}
