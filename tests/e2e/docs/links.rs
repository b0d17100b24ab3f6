//! Links of the pages, the copies in `public/docs/`, and the index `public/llms.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::page::{files, pages, root};

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
