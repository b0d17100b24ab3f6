//! The pages of the documentation and their fenced blocks.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files in a folder with this extension, sorted by name.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

/// All pages: the ones in the repository's root and the ones in `docs/`.
pub fn pages() -> Vec<PathBuf> {
    let mut pages = files(root(), "md");
    pages.extend(files(&root().join("docs"), "md"));
    pages
}

/// The fenced blocks of a text, with their languages. A fence ends with a fence of the same length.
pub fn blocks(text: &str) -> Vec<(&str, &str)> {
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
