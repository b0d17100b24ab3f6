//! The import graph of the JavaScript modules of `public/`: floors, and no circles.
//!
//! A module imports from its own floor or from lower ones. A dynamic `import()` follows the same rule as a static one: a
//! module that loads a view later still depends on it. The entry points are on the top floors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The modules of each floor, lowest first. A new module needs a place here.
const FLOORS: &[&[&str]] = &[
    // Independent of the rest.
    &[
        "console/dom.js",
        "console/format.js",
        "console/local_storage.js",
        "console/router.js",
        "docs/docs.js",
        "llmos-chat.js",
        "llmos.js",
    ],
    // Loaded before everything else.
    &["console/prefetch.js"],
    // Shared by all views.
    &["console/state.js"],
    &["console/markdown.js", "console/toast.js"],
    &[
        "console/deletion.js",
        "console/dialog.js",
        "console/health.js",
        "console/outbox.js",
        "console/panel.js",
        "console/uploads.js",
    ],
    &["console/list.js"],
    // Views, toolbar and keyboard.
    &[
        "console/composer.js",
        "console/files.js",
        "console/keys.js",
        "console/message.js",
        "console/session_edit.js",
        "console/session_head.js",
        "console/session_new.js",
        "console/session_view.js",
        "console/sessions.js",
        "console/skill.js",
        "console/skill_editor.js",
        "console/skill_new.js",
        "console/skills.js",
        "console/status.js",
        "console/toolbar.js",
    ],
    // Entry points.
    &["console/lazy.js"],
    &["console/app.js"],
];

/// An import of one module by another.
#[derive(Clone)]
struct Import {
    line: usize,
    target: String,
}

type Modules = BTreeMap<String, Vec<Import>>;

fn public() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("public")
}

/// Returns the paths of all modules below a folder, relative to `public/`, without vendored ones.
fn module_paths(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("vendor") {
            paths.extend(module_paths(&path));
        } else if path.extension().is_some_and(|extension| extension == "js") {
            let relative = path.strip_prefix(public()).unwrap();
            paths.push(relative.to_str().unwrap().to_owned());
        }
    }
    paths.sort();
    paths
}

/// Returns the module specifiers of a source line: `import "x"`, `import … from "x"`, `export … from "x"`, `import("x")`.
/// In a declaration of several lines the last one has the specifier.
fn specifiers(line: &str) -> Vec<&str> {
    let is_declaration = ["import ", "export ", "} from "]
        .iter()
        .any(|start| line.starts_with(start));
    let markers: &[&str] = if is_declaration {
        &["import(\"", " from \"", "import \""]
    } else {
        &["import(\""]
    };
    let mut found = Vec::new();
    for marker in markers {
        for (start, _) in line.match_indices(*marker) {
            let rest = &line[start + marker.len()..];
            found.extend(rest.split_once('"').map(|(specifier, _)| specifier));
        }
    }
    found
}

/// Resolves a specifier to a path relative to `public/`.
fn resolve(module: &str, specifier: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let joined = match specifier.strip_prefix('/') {
        Some(absolute) => PathBuf::from(absolute),
        None => Path::new(module).parent().unwrap().join(specifier),
    };
    for component in joined.components() {
        match component {
            Component::ParentDir => {
                parts.pop().unwrap();
            }
            Component::Normal(part) => parts.push(part.to_str().unwrap()),
            _ => {}
        }
    }
    parts.join("/")
}

fn imports(module: &str, source: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let code = line.trim_start().replace('\'', "\"");
        if code.starts_with("//") || code.starts_with('*') {
            continue;
        }
        for specifier in specifiers(&code) {
            let target = resolve(module, specifier);
            if !target.starts_with("vendor/") {
                let line = index + 1;
                imports.push(Import { line, target });
            }
        }
    }
    imports
}

fn modules() -> Modules {
    let read = |path: String| {
        let source = fs::read_to_string(public().join(&path)).unwrap();
        let imports = imports(&path, &source);
        (path, imports)
    };
    module_paths(&public()).into_iter().map(read).collect()
}

/// Returns the circle that a depth-first search from the end of `path` meets, as one `file:line` per import.
fn find_circle(
    modules: &Modules,
    path: &mut Vec<(String, usize)>,
    visited: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    let module = path.last().unwrap().0.clone();
    for import in modules.get(&module).into_iter().flatten() {
        path.last_mut().unwrap().1 = import.line;
        if let Some(start) = path.iter().position(|(name, _)| *name == import.target) {
            let circle = &path[start..];
            let lines = circle
                .iter()
                .map(|(name, line)| format!("public/{name}:{line}"));
            return Some(lines.collect());
        }
        if visited.insert(import.target.clone()) {
            path.push((import.target.clone(), 0));
            if let Some(circle) = find_circle(modules, path, visited) {
                return Some(circle);
            }
            path.pop();
        }
    }
    None
}

fn circle(modules: &Modules) -> Option<Vec<String>> {
    let mut visited = BTreeSet::new();
    modules
        .keys()
        .find_map(|module| find_circle(modules, &mut vec![(module.clone(), 0)], &mut visited))
}

/// Returns the imports of modules that are on a higher floor, as `file:line imports file`.
fn upward_imports(modules: &Modules, floors: &[&[&str]]) -> Vec<String> {
    let floor = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let mut upward = Vec::new();
    for (module, imports) in modules {
        for Import { line, target } in imports {
            if floor(target) > floor(module) {
                upward.push(format!("public/{module}:{line} imports {target}"));
            }
        }
    }
    upward
}

#[test]
fn every_module_has_one_floor() {
    let mut listed: Vec<_> = FLOORS.concat();
    listed.sort_unstable();
    assert_eq!(listed, module_paths(&public()));
}

#[test]
fn every_import_resolves_to_a_module() {
    let modules = modules();
    for (module, imports) in &modules {
        for Import { line, target } in imports {
            let exists = modules.contains_key(target);
            assert!(exists, "public/{module}:{line} imports {target}");
        }
    }
    // The test reads nothing if the syntax of the imports changes.
    assert!(modules["console/app.js"].len() > 15);
}

#[test]
fn no_module_imports_a_higher_floor() {
    assert_eq!(upward_imports(&modules(), FLOORS), [""; 0]);
}

#[test]
fn imports_have_no_circle() {
    assert_eq!(circle(&modules()), None);
}

#[test]
fn circles_and_upward_imports_are_found_with_their_lines() {
    let sources = [
        (
            "a.js",
            "// import \"./c.js\";\nimport {\n  b,\n} from \"./b.js\";\n",
        ),
        ("b.js", "const c = () => import('/c.js');\n"),
        ("c.js", "\n\nexport { a } from \"./x/../a.js\";\n"),
    ];
    let read = |(path, source): (&str, &str)| (path.to_owned(), imports(path, source));
    let modules: Modules = sources.into_iter().map(read).collect();

    let expected = ["public/a.js:4", "public/b.js:1", "public/c.js:3"].map(str::to_owned);
    assert_eq!(circle(&modules), Some(expected.to_vec()));
    let floors: &[&[&str]] = &[&["c.js"], &["b.js"], &["a.js"]];
    assert_eq!(
        upward_imports(&modules, floors),
        ["public/c.js:3 imports a.js"]
    );
}
