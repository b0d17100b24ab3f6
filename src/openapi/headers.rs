//! The headers of responses.

use serde_json::{Value, json};

/// The headers of every response.
const ALWAYS: [&str; 3] = ["X-Request-Id", "Server-Timing", "Cache-Control"];

/// The headers of responses: the name, description, example, and whether a response that lists it always has it.
const HEADERS: [(&str, &str, &str, bool); 21] = [
    (
        "Accept-Encoding",
        "`identity` if the body had a `Content-Encoding`, which is not supported.",
        "identity",
        false,
    ),
    ("Accept-Ranges", "`Range` is supported.", "bytes", true),
    (
        "Cache-Control",
        "`no-store`, except for files: `private, no-cache`, or for a link `private, max-age` with the seconds until it \
        expires.",
        "no-store",
        true,
    ),
    (
        "Content-Disposition",
        "Whether a browser shows or saves the file, and its name.",
        "inline; filename=\"plan.txt\"; filename*=UTF-8''plan.txt",
        true,
    ),
    (
        "Content-Length",
        "The size of the file, in bytes.",
        "16",
        true,
    ),
    (
        "Content-Range",
        "The returned part, and the size of the file.",
        "bytes 4-7/16",
        false,
    ),
    (
        "Content-Security-Policy",
        "Prevents the file from executing or loading anything.",
        "default-src 'none'; sandbox",
        true,
    ),
    (
        "ETag",
        "The entity tag of this version, for `If-Match` and `If-None-Match`. Missing in a 412 if the resource does not exist.",
        "\"ead5697468ff48e7-5\"",
        false,
    ),
    (
        "Idempotency-Replayed",
        "`true` if this is the response to an earlier request with the same `Idempotency-Key`.",
        "true",
        false,
    ),
    (
        "Last-Modified",
        "The time at which the file was stored.",
        "Tue, 24 Nov 2026 12:44:53 GMT",
        false,
    ),
    (
        "Location",
        "The path of the created resource. With 409: the path of the skill that exists already.",
        "/api/sessions/sess_01a2065254e075efb843a48d0fd54787",
        false,
    ),
    (
        "RateLimit",
        "The remaining requests, and the seconds until the limit resets.",
        "\"requests\";r=599;t=1",
        false,
    ),
    (
        "RateLimit-Policy",
        "The rate limit: requests per window in seconds.",
        "\"requests\";q=600;w=60",
        false,
    ),
    (
        "Retry-After",
        "The seconds to wait before a retry.",
        "1",
        true,
    ),
    (
        "Server-Timing",
        "Calls to Redis and Blob with their duration, and the total duration, in milliseconds. A 404 has only the number \
        of calls.",
        "redis;desc=\"1 round trip\";dur=0.597, total;dur=1.037",
        true,
    ),
    ("Vary", "The response depends on `Accept`.", "accept", true),
    (
        "WWW-Authenticate",
        "The expected authentication scheme.",
        "Bearer realm=\"llmos\"",
        true,
    ),
    (
        "X-Content-Type-Options",
        "`nosniff`: browsers use the declared media type.",
        "nosniff",
        false,
    ),
    (
        "X-LLMOS-Storage",
        "`samples` if the response contains samples instead of stored data.",
        "samples",
        false,
    ),
    (
        "X-Request-Id",
        "The id of the request in the log.",
        "req_01a2065256197058b7415b5a774d2e19",
        true,
    ),
    (
        "Allow",
        "The methods that the route supports.",
        "GET,HEAD",
        true,
    ),
];

/// Adds references to the headers that a response lists, and to those of every response.
pub(super) fn name_headers(response: &mut Value) {
    let named = response["headers"].as_object().into_iter().flatten();
    let all = named.map(|(name, _)| name.as_str()).chain(ALWAYS);
    let reference = |name| json!({"$ref": format!("#/components/headers/{name}")});
    response["headers"] = all.map(|name| (name, reference(name))).collect();
}

/// Returns the descriptions of all headers.
pub(super) fn headers() -> Value {
    HEADERS.iter().map(header).collect()
}

fn header((name, description, example, is_required): &(&str, &str, &str, bool)) -> (String, Value) {
    let header = json!({
        "description": description, "required": is_required, "schema": {"type": "string"}, "example": example,
    });
    ((*name).to_owned(), header)
}
