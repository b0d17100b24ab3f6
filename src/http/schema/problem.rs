//! The one form of errors, as `error.rs` renders it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::schemas::schema;

/// An error (RFC 9457).
#[derive(Debug)]
pub(crate) struct Problem;

/// Each status of an error, its name, and when it is answered.
const PROBLEMS: [(u16, &str, &str); 18] = [
    (
        400,
        "invalid_request",
        "The body is not a JSON object, or broke off; a number or cursor in the query is \
        none; a parameter is there twice; an unusable `Idempotency-Key`.",
    ),
    (
        401,
        "unauthorized",
        "There is no token or key, or it is not valid.",
    ),
    (
        403,
        "forbidden",
        "The caller may read this, but not change it.",
    ),
    (
        404,
        "not_found",
        "There is nothing here, or the caller may not see it.",
    ),
    (
        405,
        "method_not_allowed",
        "The route has other methods, which `Allow` lists.",
    ),
    (408, "timeout", "The body took longer than 20 s to arrive."),
    (
        409,
        "conflict",
        "Others keep changing this, or what is to be created is there already.",
    ),
    (
        412,
        "precondition_failed",
        "`If-Match` names an older state; `current` is what there is now.",
    ),
    (413, "payload_too_large", "The body is larger than 4 MB."),
    (
        415,
        "unsupported_media_type",
        "The body is not of a type that the route takes, or has a `Content-Encoding`.",
    ),
    (
        416,
        "range_not_satisfiable",
        "The range lies outside of the file.",
    ),
    (
        422,
        "validation_failed",
        "A field or parameter is missing or not acceptable; `errors` names it. Or an \
        `Idempotency-Key` was used for another request.",
    ),
    (
        429,
        "rate_limited",
        "Too many requests; `Retry-After` says when to try again.",
    ),
    (
        500,
        "internal",
        "A flaw of ours, or what is stored cannot be read.",
    ),
    (
        503,
        "storage_unavailable",
        "Redis or Blob is not set up, or down; `Retry-After` says when to try again.",
    ),
    (
        503,
        "authentication_unavailable",
        "The identity provider does not answer, and none of its keys is known; `Retry-After` says when to try \
        again.",
    ),
    (
        503,
        "misconfigured",
        "A variable of the deployment has an invalid value; `GET /api/health` returns which one.",
    ),
    (504, "timeout", "The request took longer than 25 s."),
];

/// The names of errors, each once.
fn codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = PROBLEMS.iter().map(|(_, code, _)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        schema(json!({
            "description": "An error (RFC 9457).",
            "type": "object",
            "required": ["type", "title", "status", "detail", "code", "request_id"],
            "properties": {
                "type": {"type": "string", "enum": ["about:blank"]},
                "title": {"type": "string", "description": "What the status is called."},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string", "description": "What went wrong, for people."},
                "code": {"type": "string", "enum": codes(), "description": "What went wrong, for programs: stable."},
                "request_id": {"type": "string", "description": "The id under which the request is logged."},
                "errors": {
                    "description": "With 422: the field that is not acceptable.",
                    "type": "array", "minItems": 1, "maxItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "properties": {
                            "field": {
                                "type": "string",
                                "description": "A path such as `messages[3].content`, a parameter, or a header.",
                            },
                            "message": {"type": "string", "description": "What it must be."},
                        },
                    },
                },
                "current": {
                    "type": ["object", "null"],
                    "description": "With 412: what there is now, whose entity tag is in `ETag`; `null` where there is nothing.",
                },
            },
        }))
    }
}

impl ToSchema for Problem {}

/// The answer with this status, whose headers are described elsewhere.
pub(crate) fn problem(status: StatusCode) -> Response {
    let mut known = PROBLEMS.iter().filter(|(it, ..)| *it == status.as_u16());
    let description: Vec<String> = known
        .clone()
        .map(|(_, code, when)| format!("`{code}`: {when}"))
        .collect();
    let (_, code, when) = known.next().copied().unwrap_or_default();
    let headers: &[&str] = match status {
        StatusCode::UNAUTHORIZED => &["WWW-Authenticate"],
        StatusCode::PRECONDITION_FAILED => &["ETag"],
        StatusCode::RANGE_NOT_SATISFIABLE => &["Content-Range"],
        StatusCode::TOO_MANY_REQUESTS => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => &["Retry-After"],
        _ => &[],
    };
    let mut example = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": when,
        "code": code,
        "request_id": "req_01a2065256197058b7415b5a774d2e19",
    });
    match status {
        StatusCode::UNPROCESSABLE_ENTITY => {
            example["detail"] = json!("name: must be 1 to 200 characters");
            example["errors"] =
                json!([{"field": "name", "message": "must be 1 to 200 characters"}]);
        }
        StatusCode::PRECONDITION_FAILED => example["current"] = json!({"id": "hello-world"}),
        _ => {}
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .example(Some(example));
    let mut response = ResponseBuilder::new()
        .description(description.join(" "))
        .content("application/problem+json", content.build());
    for name in headers {
        response = response.header(*name, HeaderBuilder::new().build());
    }
    response.build()
}

/// The answers with these statuses.
pub(crate) fn problems(statuses: &[StatusCode]) -> BTreeMap<String, RefOr<Response>> {
    let answer = |status: &StatusCode| (status.as_str().to_owned(), problem(*status).into());
    statuses.iter().map(answer).collect()
}
