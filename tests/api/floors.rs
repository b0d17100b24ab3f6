//! The floors of `src/`: a file imports only from its own top-level folder or from a lower floor, and files do not
//! import each other in a circle.
//!
//! The test reads the `use` lines, and paths that begin with `crate::`. A file may import from the `mod.rs` of its own
//! folder or of a folder above; these imports do not count for circles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The floors from the lowest up. Folders on one floor do not import each other.
const FLOORS: [&[&str]; 11] = [
    &["util"],
    &["domain"],
    &["auth", "skill"],
    &["blob", "store", "provider"],
    &["config"],
    &["service"],
    &["local"],
    &["app"],
    &["http"],
    &["openapi", "vercel"],
    &["bin"],
];

/// Circles within one folder that are one thing, of at most three files each, with the reason.
const CIRCLES: [(&[&str], &str); 0] = [];

/// The largest circle that [`CIRCLES`] may list, in files.
const MAX_CIRCLE: usize = 3;

/// An import: its file and line, and the imported file.
struct Import {
    from: String,
    line: usize,
    to: String,
}

#[test]
fn imports_run_downwards() {
    let mut wrong = Vec::new();
    for import in imports() {
        let (from, to) = (top(&import.from), top(&import.to));
        if from != to && floor(&to) >= floor(&from) {
            let Import { from, line, to } = import;
            wrong.push(format!("src/{from}:{line} imports src/{to}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "imports run upwards:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn files_import_each_other_in_no_circle() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut lines: BTreeMap<(String, String), usize> = BTreeMap::new();
    for Import { from, line, to } in imports() {
        if from != to && !is_own_door(&from, &to) {
            lines.insert((from.clone(), to.clone()), line);
            graph.entry(from).or_default().insert(to);
        }
    }
    let mut wrong = Vec::new();
    for circle in circles(&graph) {
        let is_listed = CIRCLES
            .iter()
            .any(|(files, _)| files.len() <= MAX_CIRCLE && circle.iter().eq(files.iter().copied()));
        if !is_listed {
            let within =
                |(from, to): &&(String, String)| circle.contains(from) && circle.contains(to);
            let edges = lines.keys().filter(within);
            wrong.extend(
                edges.map(|edge| format!("src/{}:{} imports src/{}", edge.0, lines[edge], edge.1)),
            );
            wrong.push(String::new());
        }
    }
    assert!(
        wrong.is_empty(),
        "files import each other in a circle:\n{}",
        wrong.join("\n")
    );
}

/// The root of the sources has no loose files beside the library's root and the application.
#[test]
fn src_has_folders_only() {
    let entries = fs::read_dir(source_folder()).unwrap();
    let mut files: Vec<String> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["app.rs", "lib.rs"]);
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The folder or file directly below `src/` that a file belongs to.
fn top(file: &str) -> String {
    let first = file.split('/').next().unwrap_or(file);
    first.trim_end_matches(".rs").to_owned()
}

fn floor(top: &str) -> usize {
    let found = FLOORS.iter().position(|floor| floor.contains(&top));
    found.unwrap_or_else(|| panic!("src/{top} is on no floor: add it to FLOORS"))
}

/// Whether `to` is the `mod.rs` of a folder that contains `from`.
fn is_own_door(from: &str, to: &str) -> bool {
    let folder = to.strip_suffix("mod.rs");
    folder.is_some_and(|folder| from.starts_with(folder))
}

fn imports() -> Vec<Import> {
    let mut files = Vec::new();
    collect(&source_folder(), "", &mut files);
    assert!(files.len() > 100, "only {} files were found", files.len());
    let known: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    let mut imports = Vec::new();
    for file in files.iter().filter(|file| *file != "lib.rs") {
        let source = fs::read_to_string(source_folder().join(file)).unwrap();
        for (line, path) in paths_in(&source, file) {
            if let Some(to) = file_of(&path, &known) {
                imports.push(Import {
                    from: file.clone(),
                    line,
                    to,
                });
            }
        }
    }
    imports
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.push(name);
        }
    }
}

/// The module of a file, as the parts of its path in the crate.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(ToOwned::to_owned).collect()
}

/// The paths within the crate that a file names before its tests, with their lines.
fn paths_in(source: &str, file: &str) -> Vec<(usize, Vec<String>)> {
    let crate_name = if file.starts_with("bin/") {
        "llmos"
    } else {
        "crate"
    };
    let module = module_of(file);
    let mut paths = Vec::new();
    let mut statement: Option<(usize, String)> = None;
    for (index, line) in source.lines().enumerate() {
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        let code = line.trim();
        if code.starts_with("//") {
            continue;
        }
        let is_use = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
            .iter()
            .any(|start| code.starts_with(start))
            || code.starts_with("pub(in ") && code.contains(") use ");
        if is_use {
            statement = Some((index + 1, String::new()));
        }
        let Some((start, text)) = &mut statement else {
            for rest in code.split(&format!("{crate_name}::")).skip(1) {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
                let path = &rest[..end.unwrap_or(rest.len())];
                paths.push((index + 1, path.split("::").map(ToOwned::to_owned).collect()));
            }
            continue;
        };
        text.push_str(code);
        if code.ends_with(';') {
            let start = *start;
            let (_, tree) = text.split_once("use ").unwrap();
            for path in flatten(tree.trim_end_matches(';')) {
                paths.extend(resolve(&path, crate_name, &module).map(|path| (start, path)));
            }
            statement = None;
        }
    }
    paths
}

/// The single paths of a tree such as `a::{b, c::d}`.
fn flatten(tree: &str) -> Vec<String> {
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        return vec![path.trim().to_owned()];
    };
    let (prefix, inner) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap()]);
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .flat_map(flatten)
        .map(|part| match part.as_str() {
            "self" => prefix.trim_end_matches("::").to_owned(),
            part => format!("{prefix}{part}"),
        })
        .collect()
}

/// A path from the root of the crate; `None` for one into another crate.
fn resolve(path: &str, crate_name: &str, module: &[String]) -> Option<Vec<String>> {
    let parts: Vec<String> = path.split("::").map(ToOwned::to_owned).collect();
    let rest = |from: usize| parts[from..].to_vec();
    match parts[0].as_str() {
        first if first == crate_name => Some(rest(1)),
        "self" => Some([module.to_vec(), rest(1)].concat()),
        "super" => {
            let ups = parts.iter().take_while(|part| *part == "super").count();
            let base = module.len().checked_sub(ups)?;
            Some([module[..base].to_vec(), rest(ups)].concat())
        }
        _ => None,
    }
}

/// The file with the item that a path names: that of the longest part of it that is a module.
fn file_of(path: &[String], known: &BTreeSet<&str>) -> Option<String> {
    (1..=path.len()).rev().find_map(|length| {
        let module = path[..length].join("/");
        let files = [format!("{module}.rs"), format!("{module}/mod.rs")];
        files.into_iter().find(|file| known.contains(file.as_str()))
    })
}

/// The groups of files that import each other, directly or through others, each in the order of names.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = graph
        .keys()
        .map(|file| (file, reachable(graph, file)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (file, targets) in &reached {
        if !targets.contains(*file) || !seen.insert(*file) {
            continue;
        }
        let others = targets
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(*file)));
        let circle: BTreeSet<String> = others.map(|other| (*other).clone()).collect();
        for member in reached.keys().filter(|member| circle.contains(**member)) {
            seen.insert(member);
        }
        found.push(circle.into_iter().collect());
    }
    found
}

fn reachable<'a>(
    graph: &'a BTreeMap<String, BTreeSet<String>>,
    start: &String,
) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = graph.get(start).into_iter().flatten().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(graph.get(file).into_iter().flatten());
        }
    }
    reached
}
