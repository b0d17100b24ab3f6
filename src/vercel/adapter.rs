//! The adapter from Vercel's runtime to a tower service.
//!
//! The `axum` feature of `vercel_runtime` is not used: its service reads each request body, and each response body that is
//! neither JSON nor an event stream, as a whole. It also drops the [`AppState`], which has the log channel of the request
//! and keeps the request open (version 2.4.1, `src/axum/mod.rs`).

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http_body::Frame;
use http_body_util::BodyExt;
use sync_wrapper::SyncWrapper;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::{Service, ServiceExt};
use tracing::Level;
use vercel_runtime::{AppState, ResponseBody};

use crate::util::background::RequestKeeper;
use crate::util::log::LogSink;

/// A Vercel function around a service: bodies are streamed both ways, and log lines go to the channel of their request.
#[derive(Clone, Debug)]
pub(super) struct VercelService<S> {
    service: S,
    has_log_channel: bool,
    /// Counts the requests whose response bodies have not ended.
    running: TaskTracker,
}

impl<S> VercelService<S> {
    /// Wraps a service. Without a log channel, log lines go to standard output.
    pub(super) fn new(service: S, has_log_channel: bool) -> Self {
        Self {
            service,
            has_log_channel,
            running: TaskTracker::new(),
        }
    }

    /// Waits until all running requests have completed, at most for `limit`.
    pub(super) async fn drain(&self, limit: Duration) {
        self.running.close();
        if tokio::time::timeout(limit, self.running.wait())
            .await
            .is_err()
        {
            let count = self.running.len();
            tracing::warn!(
                requests = count,
                "requests were cut off at the end of the process"
            );
        }
    }
}

impl<S> Service<(AppState, vercel_runtime::Request)> for VercelService<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = vercel_runtime::Response<ResponseBody>;
    type Error = vercel_runtime::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (state, request): (AppState, vercel_runtime::Request)) -> Self::Future {
        let service = self.service.clone();
        let running = self.running.token();
        let has_log_channel = self.has_log_channel;
        Box::pin(async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(request_keeper(&state));
            if has_log_channel {
                request.extensions_mut().insert(log_sink(&state));
            }
            let Ok(response) = service.oneshot(request).await;
            Ok(response.map(|body| {
                // The log line of a request is written when its body ends, and the channel takes no line after the end
                // of the request.
                let is_open = has_log_channel || body.size_hint().exact().is_none();
                let open = (is_open && !body.is_end_stream()).then(|| OpenRequest::new(&state));
                ResponseBody(StreamedBody::new(body, open, running).boxed())
            }))
        })
    }
}

/// Returns the log channel of a request.
fn log_sink(state: &AppState) -> LogSink {
    let channel = state.log_context.clone();
    LogSink::new(move |level, line| match level {
        Level::ERROR => channel.error(line),
        Level::WARN => channel.warn(line),
        _ => channel.info(line),
    })
}

/// Returns what starts tasks so that Vercel keeps the request open until they have ended.
fn request_keeper(state: &AppState) -> RequestKeeper {
    let state = state.clone();
    RequestKeeper::new(move |task| state.wait_until(task))
}

/// Keeps a request open at Vercel until it is dropped. The runtime would end the request with the head of the response.
struct OpenRequest {
    _dropped: oneshot::Sender<Infallible>,
}

impl OpenRequest {
    fn new(state: &AppState) -> Self {
        let (sender, receiver) = oneshot::channel();
        state.wait_until(async {
            // The error that the sender was dropped is the signal.
            let _: Result<Infallible, _> = receiver.await;
        });
        Self { _dropped: sender }
    }
}

/// A response body. The fields are dropped in their order: the body first, which writes the log line of a request
/// whose client hung up, and then the guard that keeps the request open.
struct StreamedBody {
    body: SyncWrapper<Body>,
    _open: Option<OpenRequest>,
    _running: TaskTrackerToken,
}

impl StreamedBody {
    fn new(body: Body, open: Option<OpenRequest>, running: TaskTrackerToken) -> Self {
        Self {
            body: SyncWrapper::new(body),
            _open: open,
            _running: running,
        }
    }
}

impl HttpBody for StreamedBody {
    type Data = Bytes;
    type Error = vercel_runtime::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(self.body.get_mut())
            .poll_frame(context)
            .map_err(Into::into)
    }
}
