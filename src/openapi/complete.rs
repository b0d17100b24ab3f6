//! What is the same for many routes, and so is said once: headers, errors of every route, and the examples.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::problem::problems;
use super::schemas::AS_IT_IS;

/// Requests and answers, by the names of handlers.
const EXAMPLES: &str = include_str!("examples.json");

/// What every answer has.
const ALWAYS: [&str; 3] = ["X-Request-Id", "Server-Timing", "Cache-Control"];

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
const OPEN: [StatusCode; 2] = [
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::GATEWAY_TIMEOUT,
];

/// Each header of answers: what it says, an example, and whether it is always there where it is named.
const HEADERS: [(&str, &str, &str, bool); 19] = [
    ("Accept-Ranges", "Parts can be asked for.", "bytes", true),
    (
        "Cache-Control",
        "Nobody else may keep it, and it is to be asked for again.",
        "private, no-cache",
        true,
    ),
    (
        "Content-Disposition",
        "Whether a browser shows or saves it, and its name.",
        "inline; filename=\"plan.txt\"; filename*=UTF-8''plan.txt",
        true,
    ),
    (
        "Content-Length",
        "How long the file is, in bytes.",
        "16",
        true,
    ),
    (
        "Content-Range",
        "Which part this is, and how long the file is.",
        "bytes 4-7/16",
        false,
    ),
    (
        "Content-Security-Policy",
        "It runs and loads nothing.",
        "default-src 'none'; sandbox",
        true,
    ),
    (
        "ETag",
        "This state, for `If-Match` and `If-None-Match`.",
        "\"ead5697468ff48e7-5\"",
        true,
    ),
    (
        "Idempotency-Replayed",
        "`true`: an earlier request did it, this is its answer.",
        "true",
        false,
    ),
    (
        "Location",
        "The path of what was created.",
        "/api/sessions/sess_01a2065254e075efb843a48d0fd54787",
        true,
    ),
    (
        "RateLimit",
        "What is left of the limit, and until when.",
        "\"default\";r=0;t=30",
        false,
    ),
    (
        "RateLimit-Policy",
        "The limit.",
        "\"default\";q=60;w=60",
        false,
    ),
    (
        "Retry-After",
        "In how many seconds to try again.",
        "1",
        true,
    ),
    (
        "Server-Timing",
        "How often and how long Redis and Blob were waited for, and the time in all, in milliseconds.",
        "redis;desc=\"1 round trip\";dur=0.597, total;dur=1.037",
        true,
    ),
    (
        "Vary",
        "The answer depends on what `Accept` says.",
        "accept",
        true,
    ),
    (
        "WWW-Authenticate",
        "How to say who is calling.",
        "Bearer",
        true,
    ),
    (
        "X-Content-Type-Options",
        "It is what its type says.",
        "nosniff",
        false,
    ),
    (
        "X-LLMOS-Storage",
        "`samples`: these are not your data.",
        "samples",
        false,
    ),
    (
        "X-Request-Id",
        "The id under which the request is logged.",
        "req_01a2065256197058b7415b5a774d2e19",
        true,
    ),
    ("Allow", "The methods of the route.", "GET,HEAD", true),
];

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
    let examples: Value = serde_json::from_str(EXAMPLES).expect("examples.json is JSON");
    let mut shared = Map::new();
    let paths = document["paths"].as_object_mut();
    for (_, item) in paths.into_iter().flatten() {
        let item = item.as_object_mut().into_iter().flatten();
        for (method, operation) in item {
            complete_operation(method, operation, &examples);
            share_problems(operation, &mut shared);
        }
    }
    document["components"]["responses"] = Value::Object(shared);
    document["components"]["headers"] = HEADERS.iter().map(header).collect();
}

fn complete_operation(method: &str, operation: &mut Value, examples: &Value) {
    let name = operation["operationId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    add_examples(operation, &examples[&name]);
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

fn name_headers(response: &mut Value) {
    let named = response["headers"].as_object().into_iter().flatten();
    let all = named.map(|(name, _)| name.as_str()).chain(ALWAYS);
    let reference = |name| json!({"$ref": format!("#/components/headers/{name}")});
    response["headers"] = all.map(|name| (name, reference(name))).collect();
}

fn header((name, description, example, is_required): &(&str, &str, &str, bool)) -> (String, Value) {
    let header = json!({
        "description": description, "required": is_required, "schema": {"type": "string"}, "example": example,
    });
    ((*name).to_owned(), header)
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

/// Puts the examples of a handler where they belong: those of its request, of its parameters, and of its answers by
/// status.
fn add_examples(operation: &mut Value, examples: &Value) {
    if let Some(parameters) = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
    {
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            let example = &examples["parameters"][name];
            if !example.is_null() {
                parameter["example"] = example.clone();
            }
        }
    }
    let request = operation
        .get_mut("requestBody")
        .map(|it| &mut it["content"]);
    add_content_examples(request, &examples["request"]);
    for (status, example) in examples["answers"].as_object().into_iter().flatten() {
        let content = operation["responses"]
            .get_mut(status)
            .map(|it| &mut it["content"]);
        add_content_examples(content, example);
    }
}

/// A text is an example of text, all else of JSON.
fn add_content_examples(content: Option<&mut Value>, examples: &Value) {
    let named: Map<String, Value> = match examples {
        Value::Array(examples) => {
            let number = |index: usize| format!("{}", index + 1);
            examples
                .iter()
                .enumerate()
                .map(|(index, it)| (number(index), it.clone()))
                .collect()
        }
        Value::Null => return,
        example => [("1".to_owned(), example.clone())].into_iter().collect(),
    };
    let content = content.and_then(Value::as_object_mut);
    for (media_type, media) in content.into_iter().flatten() {
        let fitting: Map<String, Value> = named
            .iter()
            .filter(|(_, example)| example.is_string() != media_type.ends_with("json"))
            .map(|(name, example)| (name.clone(), json!({"value": example})))
            .collect();
        if !fitting.is_empty() {
            media["examples"] = Value::Object(fitting);
        }
    }
}
