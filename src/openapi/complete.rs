//! What is the same for many routes, and so is said once.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::examples::{add_examples, examples};
use super::headers::{headers, name_headers};
use crate::http::schema::problem::problems;
use crate::http::schema::schemas::AS_IT_IS;

/// What can become of a request at any route that wants to know its caller.
const ANYWHERE: [StatusCode; 6] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// The same, where nobody asks who is calling.
const OPEN: [StatusCode; 3] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::GATEWAY_TIMEOUT,
];

/// Paths with a meaning of their own that are those of a skill and a file of this name, too.
const SHADOWED: [(&str, &str, &str, &str); 3] = [
    ("/api/skills/validate", "validate", "/api/skills/{id}", "id"),
    ("/api/files/upload", "upload", "/api/files/{path}", "path"),
    ("/api/files/link", "link", "/api/files/{path}", "path"),
];

/// Adds to `path` the methods that all paths of its kind have.
fn describe_shadowed(
    paths: &mut Value,
    path: &str,
    name: &str,
    (general, parameter): (&str, &str),
) {
    let others = paths[general].as_object().cloned().unwrap_or_default();
    for (method, mut operation) in others {
        let id = operation["operationId"].as_str().unwrap_or_default();
        operation["operationId"] = json!(format!("{id}_called_{name}"));
        if let Some(parameters) = operation["parameters"].as_array_mut() {
            parameters.retain(|it| it["name"] != parameter);
        }
        if let Some(operations) = paths[path].as_object_mut() {
            operations.entry(method).or_insert(operation);
        }
    }
}

/// Puts schemas that are JSON already in their places.
fn place_schemas(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Object(schema)) = members.remove(AS_IT_IS) {
                members.extend(schema);
            }
            // Of a member that may be missing, utoipa says that it is `null` then, whether it may be that or not.
            if members.get("default") == Some(&Value::Null) {
                members.remove("default");
            }
            members.values_mut().for_each(place_schemas);
        }
        Value::Array(items) => items.iter_mut().for_each(place_schemas),
        _ => {}
    }
}

/// Adds what no handler says for itself.
pub(super) fn complete(document: &mut Value) {
    place_schemas(document);
    let examples = examples();
    let mut shared = Map::new();
    let paths = document["paths"].as_object_mut();
    for (_, item) in paths.into_iter().flatten() {
        let item = item.as_object_mut().into_iter().flatten();
        for (method, operation) in item {
            complete_operation(method, operation, &examples);
            share_problems(operation, &mut shared);
        }
    }
    for (path, name, general, parameter) in SHADOWED {
        describe_shadowed(&mut document["paths"], path, name, (general, parameter));
    }
    document["components"]["responses"] = Value::Object(shared);
    document["components"]["headers"] = headers();
}

fn complete_operation(method: &str, operation: &mut Value, examples: &Value) {
    let name = operation["operationId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    add_examples(operation, &examples[&name]);
    drop_null_bodies(operation);
    let is_open = operation.get("security") == Some(&json!([{}]));
    let anywhere = if is_open { &OPEN[..] } else { &ANYWHERE[..] };
    if let Some(responses) = operation["responses"].as_object_mut() {
        for (status, problem) in problems(anywhere) {
            responses.entry(status).or_insert_with(|| json!(problem));
        }
        for response in responses.values_mut() {
            name_headers(response);
            if method == "head" {
                response.as_object_mut().map(|it| it.remove("content"));
            }
        }
    }
    // Two methods have one handler, and each wants a name.
    if method == "put" && name != "put_file" {
        operation["operationId"] = json!(format!("{name}_by_put"));
    }
}

/// Errors are the same at each route: they are described once, under the names of their statuses.
fn share_problems(operation: &mut Value, shared: &mut Map<String, Value>) {
    let responses = operation["responses"].as_object_mut();
    for (status, response) in responses.into_iter().flatten() {
        let status = status
            .parse()
            .ok()
            .and_then(|it| StatusCode::from_u16(it).ok());
        let name = status
            .and_then(|it| it.canonical_reason())
            .unwrap_or_default()
            .replace(' ', "");
        if response["content"]
            .get("application/problem+json")
            .is_some()
        {
            let reference = json!({"$ref": format!("#/components/responses/{name}")});
            shared.insert(name, std::mem::replace(response, reference));
        }
    }
}

/// A body that may be missing is never `null`, which is how utoipa understands what may be missing.
fn drop_null_bodies(operation: &mut Value) {
    let content = operation
        .pointer_mut("/requestBody/content")
        .and_then(Value::as_object_mut);
    for (_, media) in content.into_iter().flatten() {
        let is_null = media.pointer("/schema/oneOf/1/type") == Some(&json!("null"));
        if is_null && let Some(schema) = media.pointer_mut("/schema/oneOf/0") {
            media["schema"] = schema.take();
        }
    }
}
