//! Completes the descriptions of the routes with what they have in common: errors, headers, and examples.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::examples::{add_examples, examples};
use super::headers::{headers, name_headers};
use crate::http::schema::problem::problems;
use crate::util::schema::JSON_SCHEMA;

/// The errors of every route that authenticates its caller.
const AUTHENTICATED_ERRORS: [StatusCode; 9] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::EXPECTATION_FAILED,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// The errors of every route without authentication.
const OPEN_ERRORS: [StatusCode; 6] = [
    StatusCode::BAD_REQUEST,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::EXPECTATION_FAILED,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::GATEWAY_TIMEOUT,
];

/// Operations and those of their query parameters that are required. Their fields are optional in the code, so that a missing
/// one is an error of that field.
const REQUIRED_PARAMETERS: [(&str, &str); 1] = [("delete_messages", "after")];

/// Moves each JSON Schema out of its extension.
fn unwrap_schemas(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Object(schema)) = members.remove(JSON_SCHEMA) {
                members.extend(schema);
            }
            // utoipa writes `null` as the default of every optional member, even where `null` is invalid.
            if members.get("default") == Some(&Value::Null) {
                members.remove("default");
            }
            members.values_mut().for_each(unwrap_schemas);
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_schemas),
        _ => {}
    }
}

/// Completes the description.
pub(super) fn complete(document: &mut Value) {
    unwrap_schemas(document);
    let examples = examples();
    let mut shared = Map::new();
    let mut paths = std::mem::take(&mut document["paths"]);
    let paths = paths
        .as_object_mut()
        .map(std::mem::take)
        .unwrap_or_default();
    for (path, mut item) in paths {
        // axum writes a parameter that spans segments as `{*path}`, OpenAPI as `{path}`.
        let path = path.replace("{*", "{");
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete_operation(method, operation, &examples);
            share_problems(operation, &mut shared);
            adapt_to_path(&path, operation);
        }
        document["paths"][path] = item;
    }
    document["components"]["responses"] = Value::Object(shared);
    document["components"]["headers"] = headers();
}

/// Adapts an operation that is also served at a fixed path, `/api/skills/validate` beside `/api/skills/{id}`: it has a
/// name of its own there, and no parameter in the path.
fn adapt_to_path(path: &str, operation: &mut Value) {
    let is_missing = |parameter: &Value| {
        let name = parameter["name"].as_str().unwrap_or_default();
        parameter["in"] == "path" && !path.contains(&format!("{{{name}}}"))
    };
    let parameters = operation.get_mut("parameters");
    let Some(parameters) = parameters.and_then(Value::as_array_mut) else {
        return;
    };
    let count = parameters.len();
    parameters.retain(|parameter| !is_missing(parameter));
    if parameters.len() < count {
        let segment = path.rsplit('/').next().unwrap_or_default();
        let name = operation["operationId"].as_str().unwrap_or_default();
        operation["operationId"] = json!(format!("{name}_called_{segment}"));
    }
}

fn complete_operation(method: &str, operation: &mut Value, examples: &Value) {
    let name = operation["operationId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    add_examples(operation, &examples[&name]);
    drop_null_bodies(operation);
    mark_required(&name, operation);
    let is_open = operation.get("security") == Some(&json!([{}]));
    let errors = if is_open {
        &OPEN_ERRORS[..]
    } else {
        &AUTHENTICATED_ERRORS[..]
    };
    if let Some(responses) = operation["responses"].as_object_mut() {
        for (status, problem) in problems(errors) {
            responses.entry(status).or_insert_with(|| json!(problem));
        }
        for response in responses.values_mut() {
            name_headers(response);
            if method == "head" {
                response
                    .as_object_mut()
                    .map(|response| response.remove("content"));
            }
        }
    }
    // PUT and PATCH share a handler, but operation ids are unique.
    if method == "put" && name != "put_file" {
        operation["operationId"] = json!(format!("{name}_by_put"));
    }
}

/// Marks the parameters of [`REQUIRED_PARAMETERS`].
fn mark_required(operation_id: &str, operation: &mut Value) {
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default();
        if REQUIRED_PARAMETERS.contains(&(operation_id, name)) {
            parameter["required"] = json!(true);
        }
    }
}

/// Moves the errors to the shared responses, under the names of their statuses.
fn share_problems(operation: &mut Value, shared: &mut Map<String, Value>) {
    let responses = operation["responses"].as_object_mut();
    for (status, response) in responses.into_iter().flatten() {
        let status = status
            .parse()
            .ok()
            .and_then(|code| StatusCode::from_u16(code).ok());
        let name = status
            .and_then(|status| status.canonical_reason())
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

/// Removes `null` from the schema of an optional body: utoipa adds it, but the body is missing instead.
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
