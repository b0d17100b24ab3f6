//! The fields of a request's log line.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};

use super::render_errors::ErrorCause;
use crate::util::metrics::RequestMetrics;
use crate::util::time::milliseconds;

/// The log line of a request, until its response body has ended. It contains no token, query or body.
pub(super) struct LogLine {
    pub(super) method: Method,
    pub(super) route: Option<MatchedPath>,
    pub(super) status: StatusCode,
    pub(super) started: Instant,
    /// The duration until the head of the response.
    pub(super) head: Duration,
    pub(super) metrics: Arc<RequestMetrics>,
    pub(super) cause: Option<ErrorCause>,
}

impl LogLine {
    /// Emits the line: at level `error` for a 5xx, else at level `info`. `is_complete` is whether all of the body was
    /// sent; a client that hung up and a body that failed are not.
    pub(super) fn emit(self, bytes: u64, is_complete: bool) {
        let method = self.method.as_str();
        let route = self.route.as_ref().map_or("-", MatchedPath::as_str);
        let status = self.status.as_u16();
        // A macro, because the level of an event is part of its static metadata.
        macro_rules! emit_at {
            ($level:ident) => {
                tracing::$level!(
                    http.method = method,
                    http.route = route,
                    http.status = status,
                    duration_ms = milliseconds(self.started.elapsed()),
                    response.head_ms = milliseconds(self.head),
                    response.bytes = bytes,
                    response.complete = is_complete,
                    redis.duration_ms = milliseconds(self.metrics.redis.elapsed()),
                    redis.round_trips = self.metrics.redis.times(),
                    blob.duration_ms = milliseconds(self.metrics.blob.elapsed()),
                    blob.requests = self.metrics.blob.times(),
                    error = self.cause.as_ref().map(|ErrorCause(cause)| cause.as_str()),
                    "{method} {route} {status}"
                )
            };
        }
        if self.status.is_server_error() {
            emit_at!(error);
        } else {
            emit_at!(info);
        }
    }
}
