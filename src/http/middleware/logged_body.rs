//! A response body whose end completes the log line of its request.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

use super::log_line::LogLine;
use crate::util::log::RequestScope;

/// A response body that counts its bytes, and emits the request's log line when it has ended, when it fails, or when
/// it is dropped because the client hung up.
pub(super) struct LoggedBody {
    body: Body,
    bytes: u64,
    /// The number of bytes of the whole body, if it is known in advance.
    length: Option<u64>,
    /// `None` once it is emitted, and with `REQUEST_LOG=off`.
    line: Option<LogLine>,
    /// The log lines of a body that is still being made belong to the request.
    scope: RequestScope,
}

impl LoggedBody {
    /// `length` is the number of bytes that will be sent, if it is known.
    pub(super) fn new(
        body: Body,
        length: Option<u64>,
        line: Option<LogLine>,
        scope: RequestScope,
    ) -> Self {
        let mut logged = Self {
            body,
            bytes: 0,
            length,
            line,
            scope,
        };
        // An empty body is never polled.
        if logged.body.is_end_stream() {
            logged.emit(true);
        }
        logged
    }

    fn emit(&mut self, is_complete: bool) {
        if let Some(line) = self.line.take() {
            let bytes = self.bytes;
            self.scope.enter(|| line.emit(bytes, is_complete));
        }
    }
}

impl HttpBody for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = this
            .scope
            .enter(|| Pin::new(&mut this.body).poll_frame(context));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(Some(Err(error))) => {
                let cause = root_cause(error).to_string();
                this.scope
                    .enter(|| tracing::warn!(error = cause, "the response body failed"));
                this.emit(false);
            }
            Poll::Ready(None) => this.emit(true),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for LoggedBody {
    fn drop(&mut self) {
        // hyper drops a body after the last byte of its length without asking for its end.
        let is_complete = self.body.is_end_stream() || self.length == Some(self.bytes);
        self.emit(is_complete);
    }
}

/// Returns the innermost error. An outer one of an HTTP client would repeat the URL, which may be signed.
fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    error.source().map_or(error, root_cause)
}
