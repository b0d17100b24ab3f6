//! From a router to a running Vercel function: the adapter, and the layers around every route.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use sync_wrapper::SyncWrapper;
use tokio::sync::oneshot;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};
use tower_http::timeout::TimeoutLayer;
use vercel_runtime::{AppState, ResponseBody};

use crate::app::App;
use crate::config::Config;
use crate::error::Error;
use crate::http::browser::cors;
use crate::http::no_such_route;
use crate::http::observe::observe;

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// How long a request may take until its answer begins: less than the 30 s that `vercel.json` gives a
/// function.
pub const TIME_LIMIT: Duration = Duration::from_secs(25);

/// Runs `router` as a Vercel function, with the environment as its configuration.
///
/// # Errors
/// If a variable has a value that it cannot have, or the runtime cannot start.
pub async fn serve(router: Router<App>) -> Result<(), vercel_runtime::Error> {
    let app = App::new(Config::from_env()?);
    vercel_runtime::run(Function(service(router, app))).await
}

/// A router with its layers, as every way of running it needs it.
pub type AppService = NormalizePath<Router>;

/// Puts the layers around `router`, the outermost first:
///
/// 1. a trailing slash is dropped, before routing;
/// 2. `http::browser` answers preflights, and lets pages of allowed origins read the answer;
/// 3. `http::observe` gives the request its id, writes its log line, and renders errors;
/// 4. a panic becomes a 500;
/// 5. the time limit;
/// 6. the body limit, kept by whoever reads the body.
pub fn service(router: Router<App>, app: App) -> AppService {
    let layers = ServiceBuilder::new()
        .option_layer(cors(&app.config.access.cors_allowed_origins))
        .layer(axum::middleware::from_fn_with_state(app.clone(), observe))
        .layer(CatchPanicLayer::custom(internal_error))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            TIME_LIMIT,
        ))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    let router = router.fallback(no_such_route).layer(layers).with_state(app);
    NormalizePathLayer::trim_trailing_slash().layer(router)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that CatchPanicLayer asks for"
)]
fn internal_error(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("of unknown kind");
    Error::Internal(format!("panic: {text}")).into_response()
}

/// A Vercel function around a service: bodies stream both ways, and handlers find the runtime's
/// [`AppState`] among the request's extensions.
#[derive(Clone, Debug)]
struct Function<S>(S);

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
        let service = self.0.clone();
        Box::pin(async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(state.clone());
            let response = match service.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            Ok(response.map(|body| ResponseBody(Outgoing::new(body, &state).boxed())))
        })
    }
}

/// A response body on its way out. The runtime counts a request as ended when the response's head is
/// ready; a body that is still being made holds it open until its last byte.
struct Outgoing {
    body: SyncWrapper<Body>,
    /// Dropping it ends the request.
    _open: Option<oneshot::Sender<Infallible>>,
}

impl Outgoing {
    fn new(body: Body, state: &AppState) -> Self {
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
