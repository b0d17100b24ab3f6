//! What happens to every request: it gets an id, is measured and logged, and its error is rendered.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;
use vercel_runtime::AppState;

use crate::app::App;
use crate::domain::rate_limit::{RateLimitState, WINDOW};
use crate::http::error::Error;
use crate::http::problem;
use crate::util::json;
use crate::util::metrics::{CallStats, RequestMetrics};

/// The level of what needs somebody's attention.
const ERROR: &str = "error";

/// How many headers every answer gets here, at most.
const ADDED_HEADERS: usize = 7;

/// The longest request id that is taken from Vercel.
const MAX_REQUEST_ID_BYTES: usize = 200;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_VERCEL_ID: HeaderName = HeaderName::from_static("x-vercel-id");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Wraps a request, see the module.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let log = if app.config.has_log_channel {
        request.extensions().get::<AppState>().cloned()
    } else {
        None
    };

    let quota = app.config.access.rate_limit.map(|_| {
        let quota = Arc::<RateLimitState>::default();
        request.extensions_mut().insert(quota.clone());
        quota
    });
    let meter = Arc::new(RequestMetrics::default());
    let response = meter.clone().measure(next.run(request)).await;
    let (mut response, cause) = render_error(response, &request_id);

    let elapsed = started.elapsed();
    let status = response.status();
    let headers = response.headers_mut();
    headers.reserve(ADDED_HEADERS);
    insert(headers, X_REQUEST_ID, request_id.clone());
    // How long it took to find nothing would tell what is there and hidden.
    let timed = (status != StatusCode::NOT_FOUND).then_some(elapsed);
    insert(headers, SERVER_TIMING, server_timing(&meter, timed));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    // Nothing here is for everybody: no cache is to hand it to the next one at the same machine.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(quota) = quota {
        tell_limit(headers, &quota);
    }

    if app.config.request_log {
        let route = route.as_ref().map_or("-", MatchedPath::as_str);
        let line = LogLine {
            level: if status.is_server_error() {
                ERROR
            } else {
                "info"
            },
            message: format!("{method} {route} {}", status.as_u16()),
            request_id: &request_id,
            method: method.as_str(),
            route,
            status: status.as_u16(),
            duration_ms: milliseconds(elapsed),
            redis_duration_ms: milliseconds(meter.redis.elapsed()),
            redis_round_trips: meter.redis.times(),
            blob_duration_ms: milliseconds(meter.blob.elapsed()),
            blob_requests: meter.blob.times(),
            error: cause,
        };
        write(&line, log.as_ref());
    }
    response
}

/// What the caller may use, and what is left of it (the `RateLimit` fields of the HTTPAPI working group's draft).
fn tell_limit(headers: &mut HeaderMap, quota: &RateLimitState) {
    let (Some(limit), Some(left)) = (quota.limit(), quota.status()) else {
        return;
    };
    let seconds = |duration: Duration| duration.as_secs_f64().ceil();
    let policy = format!("\"requests\";q={};w={}", limit.requests, WINDOW.as_secs());
    let left = format!(
        "\"requests\";r={};t={}",
        left.remaining,
        seconds(left.reset)
    );
    insert(headers, RATELIMIT_POLICY, policy);
    insert(headers, RATELIMIT, left);
}

/// What the log is to say of a response that is no [`Error`].
#[derive(Clone, Debug)]
pub(crate) struct ErrorCause(pub(crate) String);

/// One request in the log. Never a token, a query or a body.
#[derive(Serialize)]
struct LogLine<'a> {
    level: &'static str,
    message: String,
    #[serde(rename = "request.id")]
    request_id: &'a str,
    #[serde(rename = "http.method")]
    method: &'a str,
    #[serde(rename = "http.route")]
    route: &'a str,
    #[serde(rename = "http.status")]
    status: u16,
    duration_ms: f64,
    #[serde(rename = "redis.duration_ms")]
    redis_duration_ms: f64,
    #[serde(rename = "redis.round_trips")]
    redis_round_trips: u32,
    #[serde(rename = "blob.duration_ms")]
    blob_duration_ms: f64,
    #[serde(rename = "blob.requests")]
    blob_requests: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Vercel's id of the request where it is one, else our own.
fn request_id(headers: &HeaderMap) -> String {
    let is_plain = |id: &&str| {
        (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match headers
        .get(X_VERCEL_ID)
        .and_then(|id| id.to_str().ok())
        .filter(is_plain)
    {
        Some(id) => id.to_owned(),
        None => format!("req_{}", Uuid::now_v7().simple()),
    }
}

/// Gives every error its one form, also those that the router and the layers made, and the cause to log.
fn render_error(response: Response, request_id: &str) -> (Response, Option<String>) {
    let error = match response.extensions().get::<Arc<Error>>() {
        Some(error) => error.clone(),
        // The health check tells of failing parts in a form of its own.
        None if is_json(response.headers()) => {
            let cause = response
                .extensions()
                .get::<ErrorCause>()
                .map(|cause| cause.0.clone());
            return (response, cause);
        }
        None => match response.status() {
            StatusCode::METHOD_NOT_ALLOWED => Arc::new(Error::MethodNotAllowed),
            StatusCode::GATEWAY_TIMEOUT => Arc::new(Error::Timeout),
            status if status.is_server_error() => Arc::new(Error::Internal(status.to_string())),
            _ => return (response, None),
        },
    };
    let mut rendered = problem::render(&error, request_id);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow.clone());
    }
    (rendered, error.cause())
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/json")
}

/// How often storage was asked, Blob only where it was, and how long that and the whole took, if that may be told.
fn server_timing(meter: &RequestMetrics, elapsed: Option<Duration>) -> String {
    let mut timing = String::with_capacity(128);
    add_timing(&mut timing, "redis", "round trip", &meter.redis, elapsed);
    if meter.blob.times() > 0 {
        timing.push_str(", ");
        add_timing(&mut timing, "blob", "request", &meter.blob, elapsed);
    }
    if let Some(elapsed) = elapsed {
        let _ = write!(timing, ", total;dur={}", milliseconds(elapsed));
    }
    timing
}

fn add_timing(
    timing: &mut String,
    name: &str,
    unit: &str,
    count: &CallStats,
    elapsed: Option<Duration>,
) {
    let times = count.times();
    let plural = if times == 1 { "" } else { "s" };
    let _ = write!(timing, "{name};desc=\"{times} {unit}{plural}\"");
    if elapsed.is_some() {
        let _ = write!(timing, ";dur={}", milliseconds(count.elapsed()));
    }
}

/// To the microsecond: more digits say nothing.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(micros) / 1000.0
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// Hands the line to the function's runtime, which ties it to the request, or to standard output.
fn write(line: &LogLine<'_>, log: Option<&AppState>) {
    let text = json::text(line);
    match log {
        Some(log) if line.level == ERROR => log.log_context.error(&text),
        Some(log) => log.log_context.info(&text),
        // A log that nobody reads any more is no reason to fail.
        None => drop(writeln!(std::io::stdout(), "{text}")),
    }
}
