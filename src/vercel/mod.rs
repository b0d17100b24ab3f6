//! From a router to a running Vercel function: the adapter, and the layers around every route.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http_body::Frame;
use http_body_util::BodyExt;
use sync_wrapper::SyncWrapper;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::{Service, ServiceExt};
use vercel_runtime::{AppState, ResponseBody};

use crate::app::App;
use crate::config::Config;
use crate::http::service::service;

/// How often the process wakes while it has nothing to do, less than any limit of a request; see [`tick`].
const TICK: Duration = Duration::from_millis(500);
/// How long requests that are running may go on when nothing more is accepted.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// How long the process waits for a file descriptor, and for what else may keep it from accepting.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Runs `router` as a Vercel function, with the environment as its configuration.
///
/// The runtime ends at the first connection that it cannot accept, as where no file descriptor is left, and at
/// `SIGTERM`. Requests that are running are answered in both cases. After a connection that could not be
/// accepted, it is started again, unless it has told Vercel that it did: a process starts only once there, and
/// another one comes in its place.
///
/// # Errors
/// If a variable has a value that it cannot have, or the runtime cannot start or go on.
pub async fn serve(router: Router<App>) -> Result<(), vercel_runtime::Error> {
    let app = App::new(Config::from_env()?);
    let is_on_vercel = app.config.has_log_channel;
    let function = Function {
        service: service(router, app),
        running: TaskTracker::new(),
    };
    tokio::spawn(tick());
    loop {
        match vercel_runtime::run(function.clone()).await {
            Err(error) if !is_on_vercel && is_of_one_connection(error.as_ref()) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            ended => {
                function.running.close();
                let _ = tokio::time::timeout(DRAIN_LIMIT, function.running.wait()).await;
                return ended;
            }
        }
    }
}

/// Keeps a timer that is due before all others. For each that comes to stand before the rest, tokio wakes its own
/// waiting for events by two system calls, and every request would set two such timers: its limit and Redis's.
async fn tick() {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
    }
}

/// Whether a connection could not be accepted, and the next one may be: the process or the system has no file
/// descriptor left, or the caller is gone already.
fn is_of_one_connection(error: &(dyn std::error::Error + 'static)) -> bool {
    const SYSTEM_IS_FULL: i32 = 23; // ENFILE
    const PROCESS_IS_FULL: i32 = 24; // EMFILE
    error.downcast_ref::<io::Error>().is_some_and(|error| {
        matches!(error.raw_os_error(), Some(SYSTEM_IS_FULL | PROCESS_IS_FULL))
            || error.kind() == io::ErrorKind::ConnectionAborted
    })
}

/// A Vercel function around a service: bodies stream both ways, and handlers find the runtime's
/// [`AppState`] among the request's extensions.
#[derive(Clone, Debug)]
struct Function<S> {
    service: S,
    /// Counts the requests whose answers are not complete.
    running: TaskTracker,
}

impl<S> Service<(AppState, vercel_runtime::Request)> for Function<S>
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
        Box::pin(async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(state.clone());
            let response = match service.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            Ok(response.map(|body| ResponseBody(Outgoing::new(body, &state, running).boxed())))
        })
    }
}

/// A response body on its way out. The runtime counts a request as ended when the response's head is
/// ready; a body that is still being made holds it open until its last byte.
struct Outgoing {
    body: SyncWrapper<Body>,
    /// Dropping it ends the request.
    _open: Option<oneshot::Sender<Infallible>>,
    _running: TaskTrackerToken,
}

impl Outgoing {
    fn new(body: Body, state: &AppState, running: TaskTrackerToken) -> Self {
        let is_streamed = body.size_hint().exact().is_none();
        let open = is_streamed.then(|| {
            let (open, closed) = oneshot::channel();
            state.wait_until(async {
                // An error is what is waited for: the sender was dropped.
                let _: Result<Infallible, _> = closed.await;
            });
            open
        });
        Self {
            body: SyncWrapper::new(body),
            _open: open,
            _running: running,
        }
    }
}

impl HttpBody for Outgoing {
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
