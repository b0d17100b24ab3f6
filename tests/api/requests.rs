//! Parts of a request that a route does not apply are rejected by name: headers, parameters, members, expectations.
//!
//! The tests walk over all operations of the OpenAPI description, so that a new route is covered.

mod expectations;
mod headers;
mod members;
mod names;
mod parameters;
mod surrogates;

use axum::http::Method;
use llmos::config::Config;
use serde_json::Value;

use crate::support::{Client, in_process};

/// An operation of the OpenAPI description.
struct Operation {
    method: Method,
    /// The path, with an example in place of its parameters.
    path: String,
    description: Value,
}

impl Operation {
    /// Returns whether the description lists this header as a parameter.
    fn has_header(&self, name: &str) -> bool {
        let parameters = self.description["parameters"].as_array();
        let mut parameters = parameters.into_iter().flatten();
        parameters.any(|parameter| {
            let is_same = |text: &str| text.eq_ignore_ascii_case(name);
            parameter["in"] == "header" && parameter["name"].as_str().is_some_and(is_same)
        })
    }

    fn is_write(&self) -> bool {
        !self.method.is_safe()
    }
}

/// Returns all operations.
fn operations() -> Vec<Operation> {
    let document = llmos::openapi::document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{id}", "x")
            .replace("{message_id}", "y")
            .replace("{path}", "x");
        for (method, description) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse() else {
                continue;
            };
            operations.push(Operation {
                method,
                path: path.clone(),
                description: description.clone(),
            });
        }
    }
    assert!(operations.len() > 25, "{}", operations.len());
    operations
}

/// Returns the service without storage: the tests check what comes before it.
fn without_storage() -> Client {
    in_process(Config::default())
}

/// Returns the fields that a problem names.
fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}
