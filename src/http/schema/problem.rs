//! The description of error responses (RFC 9457), which `problem.rs` renders.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::util::schema::schema;

/// An error (RFC 9457).
#[derive(Debug)]
pub(crate) struct Problem;

/// The errors: status, code, and cause.
const PROBLEMS: [(u16, &str, &str); 31] = [
    (
        400,
        "invalid_request",
        "The body is incomplete or not a JSON object, a number or cursor in the query is invalid, a query parameter \
        is unknown or repeated, the `Idempotency-Key` is invalid, or the request has a header that changes its meaning \
        and that the route does not support, such as `Content-Range`.",
    ),
    (
        401,
        "unauthorized",
        "The token or API key is missing or invalid.",
    ),
    (
        403,
        "forbidden",
        "The caller may read the resource, but not change it.",
    ),
    (
        403,
        "anonymous_chat",
        "Callers are not told apart, and `ALLOW_ANONYMOUS_CHAT` is not set.",
    ),
    (
        404,
        "not_found",
        "The resource does not exist, or the caller may not read it.",
    ),
    (
        405,
        "method_not_allowed",
        "The route does not support this method; `Allow` lists those that it supports.",
    ),
    (408, "timeout", "The body did not arrive within 20 s."),
    (
        409,
        "conflict",
        "The resource to create exists already (`Location` contains its path), it was modified concurrently too many \
        times, or the `Idempotency-Key` created a session that is deleted.",
    ),
    (
        409,
        "session_exists",
        "Another session has the id of the session to create.",
    ),
    (
        409,
        "message_exists",
        "Another message of the session has the id of a new one.",
    ),
    (
        409,
        "message_deleted",
        "A deleted message of the session had the id of a new one, which stays taken.",
    ),
    (
        409,
        "too_many_branches",
        "The session has 10,000 branches, the maximum.",
    ),
    (
        409,
        "turn_in_progress",
        "A model still answers in the session; `stream_url` and `Location` are the path of its answer.",
    ),
    (
        412,
        "precondition_failed",
        "The resource changed since the version in `If-Match`; `current` contains the latest one.",
    ),
    (
        412,
        "history_changed",
        "The newest message of the session is another one than the request expects.",
    ),
    (413, "payload_too_large", "The body is larger than 4 MB."),
    (
        415,
        "unsupported_media_type",
        "The route does not support the media type of the body, or the body has a `Content-Encoding`.",
    ),
    (
        416,
        "range_not_satisfiable",
        "The range is outside the file.",
    ),
    (
        417,
        "expectation_failed",
        "`Expect` has another value than `100-continue`.",
    ),
    (
        422,
        "validation_failed",
        "A field or parameter is missing or invalid, or the body has unknown members; `errors` names them. Or the `Idempotency-Key` was already used for a \
        different request.",
    ),
    (
        422,
        "model_not_allowed",
        "The model is not one of `LLMOS_MODELS`.",
    ),
    (
        429,
        "rate_limited",
        "The rate limit is exceeded; retry after `Retry-After`.",
    ),
    (
        500,
        "internal",
        "A bug in the service, or stored data that cannot be parsed.",
    ),
    (
        502,
        "model_failed",
        "The model failed, or its answer ended before it was whole.",
    ),
    (
        503,
        "storage_unavailable",
        "Redis or Blob is not configured or unavailable; retry after `Retry-After`.",
    ),
    (
        503,
        "authentication_unavailable",
        "The identity provider is unreachable and its keys are not cached; retry after `Retry-After`.",
    ),
    (
        503,
        "misconfigured",
        "A variable of the deployment has an invalid value; `GET /api/health` returns which one.",
    ),
    (
        503,
        "model_overloaded",
        "The model provider is overloaded or limits the rate; retry after `Retry-After`.",
    ),
    (
        503,
        "no_model_provider",
        "No provider of models is configured.",
    ),
    (504, "timeout", "The request took longer than 25 s."),
    (504, "model_timeout", "The model did not respond in time."),
];

/// Returns the codes, sorted and without duplicates.
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
                "title": {"type": "string", "description": "The name of the status."},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string", "description": "The cause, for people."},
                "code": {"type": "string", "enum": codes(), "description": "The cause, for programs. Stable."},
                "request_id": {"type": "string", "description": "The id of the request in the log."},
                "errors": {
                    "description": "With 422: the invalid field, or the unknown members. With 400: the unknown query parameters. At most 20.",
                    "type": "array", "minItems": 1, "maxItems": 20,
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "properties": {
                            "field": {
                                "type": "string",
                                "description": "A path such as `messages[3].content`, a query parameter, or a header.",
                            },
                            "message": {"type": "string", "description": "The requirement that the field does not meet."},
                        },
                    },
                },
                "current": {
                    "type": ["object", "null"],
                    "description": "With 412: the latest version, whose entity tag is in `ETag`; `null` if the resource does not exist.",
                },
            },
        }))
    }
}

impl ToSchema for Problem {}

/// Returns the description of the errors with this status. `openapi/headers.rs` describes the headers.
pub(crate) fn problem(status: StatusCode) -> Response {
    let mut problems = PROBLEMS
        .iter()
        .filter(|(problem, ..)| *problem == status.as_u16());
    let description: Vec<String> = problems
        .clone()
        .map(|(_, code, when)| format!("`{code}`: {when}"))
        .collect();
    let (_, code, when) = problems.next().copied().unwrap_or_default();
    let headers: &[&str] = match status {
        StatusCode::UNAUTHORIZED => &["WWW-Authenticate"],
        StatusCode::PRECONDITION_FAILED => &["ETag"],
        StatusCode::CONFLICT => &["Location"],
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &["Accept-Encoding"],
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

/// Returns the descriptions of the errors with these statuses.
pub(crate) fn problems(statuses: &[StatusCode]) -> BTreeMap<String, RefOr<Response>> {
    let response = |status: &StatusCode| (status.as_str().to_owned(), problem(*status).into());
    statuses.iter().map(response).collect()
}
