//! `public/openapi.json` matches the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use axum::http::Method;
use llmos::config::Config;
use serde_json::{Map, Value};

use crate::support::in_process;

const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

/// Returns each operation with its path and method.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().unwrap();
            let methods = item
                .iter()
                .filter(|(method, _)| METHODS.contains(&method.as_str()));
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .collect()
}

/// Returns the paths that are routed outside of `routes!`, which describes the handlers that it routes.
fn other_routed_paths(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths = BTreeSet::new();
    for entry in entries.map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            paths.extend(other_routed_paths(&entry));
        } else if !entry.ends_with("src/http/routes.rs") {
            let source = std::fs::read_to_string(&entry).unwrap();
            for rest in source.split(".route(").skip(1) {
                let literal = rest.trim_start().strip_prefix('"').expect("a literal path");
                let (path, _) = literal.split_once('"').unwrap();
                paths.insert(path.replace("{*", "{"));
            }
        }
    }
    paths
}

#[test]
fn openapi_file_matches_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("public/openapi.json");
    let written = std::fs::read_to_string(file).unwrap();
    assert!(
        written == llmos::openapi::text(),
        "public/openapi.json does not match the code: run `make openapi`"
    );
}

#[test]
fn deletion_of_messages_requires_after() {
    let document = llmos::openapi::document();
    let operation = &document["paths"]["/api/sessions/{id}/messages"]["delete"];
    let parameters = operation["parameters"].as_array().unwrap();
    let required = |name: &str| {
        let mut named = parameters.iter().filter(|it| it["name"] == name);
        named.next().unwrap()["required"] == true
    };
    assert!(required("after") && !required("all"));
}

#[tokio::test]
async fn every_route_is_described_with_its_methods() {
    let document = llmos::openapi::document();
    let mut described: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (path, method, _) in operations(&document) {
        let methods = described.entry(path).or_default();
        methods.insert(method.to_uppercase());
        // Every route with GET has HEAD.
        if method == "get" {
            methods.insert("HEAD".to_owned());
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    for path in other_routed_paths(&folder) {
        assert!(
            described.contains_key(path.as_str()),
            "{path} is not described"
        );
    }
    assert!(described.len() >= 13, "{described:?}");

    let api = in_process(Config::default());
    for (path, methods) in described {
        let path = path.replace(['{', '}'], "");
        let answer = api.send(Method::TRACE, &path, Vec::new()).await;
        let allowed = answer.header("allow").unwrap().split(',');
        let allowed: BTreeSet<String> = allowed.map(ToOwned::to_owned).collect();
        assert_eq!(allowed, methods, "{path}");
        answer.assert_error(405, "method_not_allowed");
    }
}

#[test]
fn every_operation_has_a_summary_and_its_responses() {
    let document = llmos::openapi::document();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        for text in ["summary", "description"] {
            assert!(operation[text].is_string(), "{method} {path} has no {text}");
        }
        let answers = operation["responses"].as_object().unwrap();
        let is_open = name == "check_health";
        let needed: &[&str] = if is_open {
            &["429", "500", "504"]
        } else {
            &["401", "403", "429", "500", "503", "504"]
        };
        for status in needed {
            assert!(
                answers.contains_key(*status),
                "{method} {path} lacks {status}"
            );
        }
        assert!(
            answers.keys().any(|status| status.starts_with('2')),
            "{method} {path}"
        );
        // Routes with their own signature: upload callbacks and links.
        let signs = ["handle_upload", "get_file", "head_file"];
        let needs_no_token = is_open || signs.iter().any(|it| name.starts_with(it));
        assert_eq!(
            operation.get("security").is_some(),
            needs_no_token,
            "{method} {path}"
        );
        let is_exemplified = method == "head" || operation.to_string().contains("\"example");
        assert!(is_exemplified, "{method} {path} has no example");
    }
}

#[test]
fn every_reference_resolves() {
    let document = llmos::openapi::document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let place = document.pointer(reference.trim_start_matches('#'));
        assert!(place.is_some_and(|it| !it.is_null()), "{reference}");
    }
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    let members = value.as_object().into_iter().flat_map(Map::iter);
    for (name, member) in members {
        match member.as_str() {
            Some(reference) if name == "$ref" => references.push(reference),
            _ => collect(member, references),
        }
    }
    for item in value.as_array().into_iter().flatten() {
        collect(item, references);
    }
}
