//! The documentation: every example runs and returns what the page shows, links lead to existing places, and
//! `public/docs/` contains the same pages.
//!
//! The language of a fenced block decides what it is:
//! - `sh`: commands. All `sh` blocks of a page run in one shell, in order, against a local server of their own.
//!   A following `json`, `http` or `markdown` block is the expected output; without one, the output is empty.
//! - `js`: a module that imports `/llmos.js`. It runs in Chromium, on a page of a local server.
//! - `text`: not run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::{Process, run_script};

/// The address of the server in the examples.
const DOCUMENTED_BASE: &str = "http://localhost:3000";
/// The line that the shell prints after each example.
const END: &str = "--- end of example ---";
/// `js` blocks that import something else, with the test that runs the same calls.
const RUN_ELSEWHERE: &[(&str, &str)] = &[("@vercel/blob/client", "tests/blob/browser_upload.mjs")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files in a folder with this extension, sorted by name.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// All pages: the ones in the repository's root and the ones in `docs/`.
fn pages() -> Vec<PathBuf> {
    let mut pages = files(root(), "md");
    pages.extend(files(&root().join("docs"), "md"));
    pages
}

/// Starts a local server with our pages.
async fn start_server(directory: &TempDir) -> (Process, String) {
    let public = root().join("public");
    std::os::unix::fs::symlink(public, directory.path().join("public")).unwrap();
    let (server, api) = Process::local_server(directory.path(), &[]).await;
    let base = format!("http://{}", api.expect("the local server starts").address());
    (server, base)
}

#[tokio::test]
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
        let (_server, base) = start_server(&directory).await;

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
    let (_server, base) = start_server(&directory).await;
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

#[test]
fn every_link_leads_to_an_existing_file_and_heading() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            let place = format!("{}: {link}", page.display());
            assert!(target.exists(), "{place}: no such file");
            // Pages of `docs/` are also served below `/docs/`, without the rest of the repository.
            let stays = !file.contains("..") || page.parent() == Some(root());
            assert!(stays, "{place}: leaves docs/");
            if !anchor.is_empty() {
                let headings = headings(&fs::read_to_string(&target).unwrap());
                assert!(headings.contains(anchor), "{place}: no such heading");
            }
        }
    }
}

#[test]
fn public_docs_contains_copies_of_all_pages() {
    let (originals, copies) = (root().join("docs"), root().join("public/docs"));
    for (folder, extension) in [("", "md"), ("screenshots", "webp")] {
        let names = |base: &Path| -> BTreeSet<PathBuf> {
            let found = files(&base.join(folder), extension).into_iter();
            found
                .map(|path| path.strip_prefix(base).unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(&originals), names(&copies), "run `make docs`");
        for name in names(&originals) {
            let is_equal =
                fs::read(originals.join(&name)).unwrap() == fs::read(copies.join(&name)).unwrap();
            assert!(
                is_equal,
                "public/docs/{} is outdated: run `make docs`",
                name.display()
            );
        }
    }
}

#[test]
fn llms_txt_lists_every_page() {
    let index = fs::read_to_string(root().join("public/llms.txt")).unwrap();
    let listed: BTreeSet<&str> = links(&index).into_iter().collect();
    for link in &listed {
        let path = link.strip_prefix('/').expect("links are absolute paths");
        assert!(
            root().join("public").join(path).is_file(),
            "{link} does not exist"
        );
    }
    for page in files(&root().join("docs"), "md") {
        let name = page.file_name().unwrap().to_str().unwrap();
        let link = format!("/docs/{name}");
        assert!(listed.contains(link.as_str()), "{link} is not listed");
    }
}

#[test]
fn comparison_ignores_only_values_that_differ_between_runs() {
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

/// The targets of the links and pictures of a text, without its code.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for (start, end) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"')] {
            let targets = line.split(start).skip(1);
            links.extend(targets.filter_map(|rest| Some(rest.split_once(end)?.0)));
        }
    }
    links
}

/// The anchors that GitHub gives to the headings of a text.
fn headings(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// The fenced blocks of a text, with their languages. A fence ends with a fence of the same length.
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

/// Replaces values that differ between runs by `*`.
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
    // Times of the server have a fraction; times in requests have none.
    let is_our_time = word.ends_with('Z') && word.contains("T") && word.contains('.');
    match word {
        _ if is_our_time => "*Z".to_owned(),
        // A cursor or a signature: no other word is this long.
        _ if word.len() > 60 => "*".to_owned(),
        _ => word.to_owned(),
    }
}
