//! The documentation: every example runs and returns what the page shows, links lead to existing places, and
//! `public/docs/` contains the same pages.
//!
//! The language of a fenced block decides what it is:
//! - `sh`: commands. All `sh` blocks of a page run in one shell, in order, against a local server of their own.
//!   A following `json`, `http` or `markdown` block is the expected output; without one, the output is empty.
//! - `js`: a module that imports `/llmos.js`. It runs in Chromium, on a page of a local server.
//! - `text`: not run.

mod links;
mod normalise;
mod page;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use self::normalise::normalise;
use self::page::{blocks, pages, root};
use crate::support::{ModelAnswer, ModelServer, Process, Script, run_script};

/// The address of the server in the examples.
const DOCUMENTED_BASE: &str = "http://localhost:3000";

/// The line that the shell prints after each example.
const END: &str = "--- end of example ---";

/// `js` blocks that import something else, with the test that runs the same calls.
const RUN_ELSEWHERE: &[(&str, &str)] = &[
    ("@vercel/blob/client", "tests/blob/browser_upload.mjs"),
    ("@ai-sdk/react", "tests/chat/usechat.mjs"),
];

/// The page whose examples need a model.
const CHAT_PAGE: &str = "chat.md";

/// Starts a model that gives one answer to every question.
async fn start_model() -> ModelServer {
    let model = ModelServer::start().await;
    model.otherwise(Script::events(
        ModelAnswer::text("Bern.").chat_completions(),
    ));
    model
}

/// Starts a local server with our pages.
async fn start_server(directory: &TempDir, model: Option<&ModelServer>) -> (Process, String) {
    let public = root().join("public");
    std::os::unix::fs::symlink(public, directory.path().join("public")).unwrap();
    let model = model.map(|model| ("LLMOS_MODEL_BASE_URL", model.base_url()));
    let environment: Vec<(&str, &str)> = model.iter().map(|(name, url)| (*name, &**url)).collect();
    let (server, api) = Process::local_server(directory.path(), &environment).await;
    let base = format!("http://{}", api.expect("the local server starts").address());
    (server, base)
}

// The shell blocks a thread, and the model needs another one.
#[tokio::test(flavor = "multi_thread")]
async fn every_shell_example_prints_what_its_page_shows() {
    let mut count = 0;
    let mut differences = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let examples = examples(&page, &text);
        if examples.is_empty() {
            continue;
        }
        count += examples.len();
        let directory = TempDir::new().unwrap();
        let is_chat = page.ends_with(CHAT_PAGE);
        let model = if is_chat {
            Some(start_model().await)
        } else {
            None
        };
        let (_server, base) = start_server(&directory, model.as_ref()).await;

        let outputs = run(&page, &examples, &base, &directory);

        for (example, output) in examples.iter().zip(outputs) {
            let (found, shown) = (normalise(&output), normalise(example.output));
            if found != shown {
                let command = example.command;
                let page = page.display();
                differences.push(format!(
                    "{page}: {command}prints\n{found}\ninstead of\n{shown}\n"
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(count > 40, "found {count} examples");
}

#[tokio::test]
async fn every_javascript_example_runs_in_a_browser() {
    let directory = TempDir::new().unwrap();
    let model = start_model().await;
    let (_server, base) = start_server(&directory, Some(&model)).await;
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (_, code) in blocks(&text)
            .iter()
            .filter(|(language, _)| *language == "js")
        {
            count += 1;
            let is_elsewhere =
                |(module, _): &&(&str, &str)| code.contains(&format!("\"{module}\""));
            if let Some((_, script)) = RUN_ELSEWHERE.iter().find(is_elsewhere) {
                assert!(root().join(script).is_file(), "{script} is missing");
                continue;
            }
            let printed = run_script("console/run_example.mjs", &[&base, code], &[]).await;
            assert!(printed.contains('✓'), "{}: {printed}", page.display());
        }
    }
    assert!(count > 1, "found {count} examples");
}

#[test]
fn every_block_has_a_language_that_decides_whether_it_runs() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut previous = "";
        for (language, block) in blocks(&text) {
            let is_allowed = match language {
                "sh" | "js" | "text" => true,
                "json" | "http" | "markdown" => previous == "sh",
                _ => false,
            };
            assert!(is_allowed, "{}: `{language}`: {block}", page.display());
            previous = language;
        }
    }
}

/// A command, and its output according to the page.
struct Example<'a> {
    command: &'a str,
    output: &'a str,
}

fn examples<'a>(page: &Path, text: &'a str) -> Vec<Example<'a>> {
    let blocks = blocks(text);
    let mut examples = Vec::new();
    for (index, (language, command)) in blocks.iter().enumerate() {
        if *language == "sh" {
            let is_ours = !command.contains("curl") || command.contains(DOCUMENTED_BASE);
            assert!(is_ours, "{}: another server: {command}", page.display());
            let output = match blocks.get(index + 1) {
                Some(("json" | "http" | "markdown", output)) => output,
                _ => "",
            };
            examples.push(Example { command, output });
        }
    }
    examples
}

/// Runs the examples in one shell, as a reader would, and returns the output of each.
fn run(page: &Path, examples: &[Example<'_>], base: &str, home: &TempDir) -> Vec<String> {
    let has_curl = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    assert!(
        has_curl.is_ok(),
        "curl is not installed: apt install curl, or brew install curl"
    );
    let script: String = examples
        .iter()
        .map(|example| format!("{}printf '\\n%s\\n' '{END}'\n", example.command))
        .collect();
    let output = Command::new("sh")
        .args(["-eu", "-c", &script.replace(DOCUMENTED_BASE, base)])
        // The proxy and .curlrc of the developer must not change the output.
        .env("NO_PROXY", "*")
        .env("CURL_HOME", home.path())
        .env("HOME", home.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut outputs: Vec<String> = text.split(END).map(str::to_owned).collect();
    outputs.pop();
    assert_eq!(
        outputs.len(),
        examples.len(),
        "{}: the example after this one failed: {:?}\n{}",
        page.display(),
        outputs.last(),
        String::from_utf8_lossy(&output.stderr)
    );
    outputs
}
