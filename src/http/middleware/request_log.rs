//! One log line per request, and what it needs: the request's id, its metrics, and the end of its response body.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::log_line::LogLine;
use super::logged_body::LoggedBody;
use super::render_errors::ErrorCause;
use super::request_id::request_id;
use super::response_headers::set_response_headers;
use crate::domain::rate_limit::RateLimitState;
use crate::util::log::{LogSink, RequestScope};
use crate::util::metrics::RequestMetrics;
use crate::util::trace_parent::TraceParent;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The settings of [`log_request`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLogSettings {
    /// Whether each request is logged. Warnings are logged in any case.
    pub(crate) is_on: bool,
    /// Whether requests are charged to a rate limit.
    pub(crate) has_rate_limit: bool,
}

/// Gives the request an id, counts its calls to storage, sets the headers of its response, and emits its log line when
/// the response body has ended.
pub(crate) async fn log_request(
    State(settings): State<RequestLogSettings>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let scope = RequestScope::new(
        request_id(request.headers()),
        trace_parent(request.headers()),
        request.extensions().get::<LogSink>().cloned(),
    );
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let rate_limit = settings.has_rate_limit.then(Arc::<RateLimitState>::default);
    if let Some(rate_limit) = &rate_limit {
        request.extensions_mut().insert(rate_limit.clone());
    }
    let metrics = Arc::<RequestMetrics>::default();

    let handled = metrics.clone().measure(next.run(request));
    let mut response = scope.clone().run(handled).await;

    let head = started.elapsed();
    let rate_limit = rate_limit.as_deref();
    set_response_headers(
        &mut response,
        scope.request_id(),
        &metrics,
        rate_limit,
        head,
    );
    let length = match method {
        Method::HEAD => Some(0),
        _ => body_length(&response),
    };
    let line = settings.is_on.then(|| LogLine {
        method,
        route,
        status: response.status(),
        started,
        head,
        metrics,
        cause: response.extensions_mut().remove::<ErrorCause>(),
    });
    response.map(|body| Body::new(LoggedBody::new(body, length, line, scope)))
}

/// Returns the caller's trace. A header that is repeated or malformed is ignored (W3C Trace Context, section 3.2).
fn trace_parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then(|| TraceParent::parse(value))?
}

/// Returns the number of bytes of the body, if it is known in advance.
fn body_length(response: &Response) -> Option<u64> {
    let header = response.headers().get(header::CONTENT_LENGTH);
    let header = header.and_then(|length| length.to_str().ok()?.parse().ok());
    header.or_else(|| response.body().size_hint().exact())
}
