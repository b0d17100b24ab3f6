//! The README's examples: every command runs as it stands there, and answers what stands below it.
//!
//! An example is a `sh` block with `curl` in it. The block after it, if it is a `json`, `http` or `markdown`
//! one, is the answer; without one, the example prints nothing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::Process;

/// Where the README says that the server listens.
const README_BASE: &str = "http://localhost:3000";
/// The line that the shell prints after each example.
const END: &str = "--- end of example ---";

#[tokio::test]
async fn every_example_in_the_readme_answers_what_it_says() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let readme = readme.unwrap();
    let examples = examples(&readme);
    assert!(examples.len() > 20, "found {} examples", examples.len());
    let directory = TempDir::new().unwrap();
    let (server, api) = Process::local_server(directory.path(), &[]).await;
    let base = format!("http://{}", api.expect("the local server starts").address());
    assert!(
        server.output().contains("private Redis"),
        "{}",
        server.output()
    );

    let answers = run(&examples, &base, &directory);

    for (example, answer) in examples.iter().zip(answers) {
        assert_eq!(
            normalise(&answer),
            normalise(example.answer),
            "\n{}",
            example.command
        );
    }
}

#[test]
fn only_what_differs_from_run_to_run_is_left_out_of_the_comparison() {
    let check = |text: &str, expected: &str| assert_eq!(normalise(text), expected);
    check("\"sess_01a2065254e075efb843a48d0fd54787\"", "\"sess_*\"");
    check("sess_quantum_research", "sess_quantum_research");
    check("etag: \"ead5697468ff48e7-5\"", "etag: \"*-5\"");
    check(
        "\"2026-11-23T02:53:08.704686Z\" 2025-12-14T10:00:00Z",
        "\"*Z\" 2025-12-14T10:00:00Z",
    );
    check(
        "redis;desc=\"1 round trip\";dur=0.5, total;dur=2\r",
        "redis;desc=\"1 round trip\";dur=*, total;dur=*",
    );
    check("\"message_count\":12,", "\"message_count\":12,");
}

/// A command, and what the README says it answers.
struct Example<'a> {
    command: &'a str,
    answer: &'a str,
}

fn examples(readme: &str) -> Vec<Example<'_>> {
    let blocks = blocks(readme);
    let mut examples = Vec::new();
    for (index, (language, command)) in blocks.iter().enumerate() {
        if *language == "sh" && command.contains("curl") {
            assert!(command.contains(README_BASE), "elsewhere: {command}");
            let answer = match blocks.get(index + 1) {
                Some(("json" | "http" | "markdown", answer)) => answer,
                _ => "",
            };
            examples.push(Example { command, answer });
        }
    }
    examples
}

/// The fenced blocks of a text, with their languages. A fence ends with one of its own length.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("```") {
        let opened = rest[start..].trim_start_matches('`');
        let fence = &rest[start..rest.len() - opened.len()];
        let Some((language, inside)) = opened.split_once('\n') else {
            break;
        };
        let end = format!("\n{fence}\n");
        let Some((block, after)) = inside.split_once(&end) else {
            break;
        };
        blocks.push((language, &inside[..=block.len()]));
        rest = after;
    }
    blocks
}

/// Runs the examples in one shell, as a reader would, and gives what each printed.
fn run(examples: &[Example<'_>], base: &str, home: &TempDir) -> Vec<String> {
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
        .args(["-eu", "-c", &script.replace(README_BASE, base)])
        // A person's proxy and .curlrc are not the README's business.
        .env("NO_PROXY", "*")
        .env("CURL_HOME", home.path())
        .env("HOME", home.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut answers: Vec<String> = text.split(END).map(str::to_owned).collect();
    answers.pop();
    assert_eq!(
        answers.len(),
        examples.len(),
        "the example after this one failed: {:?}\n{}",
        answers.last(),
        String::from_utf8_lossy(&output.stderr)
    );
    answers
}

/// The text with `*` in place of what differs from run to run.
fn normalise(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.starts_with("date: "));
    let mut normal = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    for label in [
        "dur=",
        "content-length: ",
        "\"milliseconds\":",
        "valid_until=",
    ] {
        normal = normal
            .split(label)
            .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
            .collect::<Vec<_>>()
            .join(&format!("{label}*"));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    let mut rest = normal.as_str();
    let mut result = String::new();
    while let Some(start) = rest.find(is_word) {
        let word = &rest[start..];
        let word = &word[..word.find(|c| !is_word(c)).unwrap_or(word.len())];
        result.push_str(&rest[..start]);
        result.push_str(&normal_word(word));
        rest = &rest[start + word.len()..];
    }
    result + rest
}

fn normal_word(word: &str) -> String {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if let Some((kind, id)) = word.split_once('_')
        && ["sess", "msg", "req"].contains(&kind)
        && is_hex(id, 32)
    {
        return format!("{kind}_*");
    }
    if let Some((hash, count)) = word.split_once('-')
        && is_hex(hash, 16)
    {
        return format!("*-{count}");
    }
    // The times that the server takes have a fraction; those that the examples send have none.
    let is_our_time = word.ends_with('Z') && word.contains("T") && word.contains('.');
    match word {
        _ if is_our_time => "*Z".to_owned(),
        // A cursor: nothing else is one long word.
        _ if word.len() > 60 => "*".to_owned(),
        _ => word.to_owned(),
    }
}
