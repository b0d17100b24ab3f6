//! What is the same for many routes, and so is said once: headers, errors of every route, and the examples.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::problem::problems;

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

/// Adds what no handler says for itself.
pub(super) fn complete(document: &mut Value) {
    let examples: Value = serde_json::from_str(EXAMPLES).expect("examples.json is JSON");
    let paths = document["paths"].as_object_mut();
    for (_, item) in paths.into_iter().flatten() {
        let item = item.as_object_mut().into_iter().flatten();
        for (method, operation) in item {
            complete_operation(method, operation, &examples);
        }
    }
}

fn complete_operation(method: &str, operation: &mut Value, examples: &Value) {
    let name = operation["operationId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let is_open = operation["security"] == json!([{}]);
    add_examples(operation, &examples[&name]);
    let anywhere = if is_open {
        &ANYWHERE[3..]
    } else {
        &ANYWHERE[..]
    };
    if let Some(responses) = operation["responses"].as_object_mut() {
        for (status, problem) in problems(anywhere) {
            responses.entry(status).or_insert_with(|| json!(problem));
        }
        for response in responses.values_mut() {
            complete_headers(response);
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

fn complete_headers(response: &mut Value) {
    if !response["headers"].is_object() {
        response["headers"] = json!({});
    }
    let headers = response["headers"].as_object_mut().expect("made above");
    for name in ALWAYS {
        headers.insert(name.to_owned(), Value::Null);
    }
    for (name, header) in headers {
        let known = HEADERS.iter().find(|(it, ..)| it == name);
        let (_, description, example, is_required) =
            known.expect("HEADERS has every header that is named");
        *header = json!({
            "description": description, "required": is_required, "schema": {"type": "string"}, "example": example,
        });
    }
}

/// Puts the examples of a handler where they belong: those of its request, of its parameters, and of its answers by
/// status.
fn add_examples(operation: &mut Value, examples: &Value) {
    if let Some(parameters) = operation["parameters"].as_array_mut() {
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
