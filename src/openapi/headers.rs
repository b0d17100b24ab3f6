//! The headers of answers.

use serde_json::{Value, json};

/// What every answer has.
const ALWAYS: [&str; 3] = ["X-Request-Id", "Server-Timing", "Cache-Control"];

/// Each header of answers: what it says, an example, and whether it is always there where it is named.
const HEADERS: [(&str, &str, &str, bool); 19] = [
    ("Accept-Ranges", "Parts can be asked for.", "bytes", true),
    ("Cache-Control", "Nobody may keep it.", "no-store", true),
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
        "This state, for `If-Match` and `If-None-Match`; with 412 none where nothing is there.",
        "\"ead5697468ff48e7-5\"",
        false,
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
        "\"requests\";r=599;t=1",
        false,
    ),
    (
        "RateLimit-Policy",
        "The limit.",
        "\"requests\";q=600;w=60",
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
        "How often and how long Redis and Blob were waited for, and the time in all, in milliseconds; a 404 only tells how \
        often.",
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
        "Bearer realm=\"llmos\"",
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

/// Refers to the headers that an answer is said to have, and to those that every answer has.
pub(super) fn name_headers(response: &mut Value) {
    let named = response["headers"].as_object().into_iter().flatten();
    let all = named.map(|(name, _)| name.as_str()).chain(ALWAYS);
    let reference = |name| json!({"$ref": format!("#/components/headers/{name}")});
    response["headers"] = all.map(|name| (name, reference(name))).collect();
}

/// The descriptions of all headers.
pub(super) fn headers() -> Value {
    HEADERS.iter().map(header).collect()
}

fn header((name, description, example, is_required): &(&str, &str, &str, bool)) -> (String, Value) {
    let header = json!({
        "description": description, "required": is_required, "schema": {"type": "string"}, "example": example,
    });
    ((*name).to_owned(), header)
}
