//! The layers around every route, and the limits that they enforce.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::util::{MapRequest, MapResponse};
use tower::{Layer, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};

use super::error::Error;
use super::extract::headers::MAX_BODY_BYTES;
use super::extract::path::TrailingSlash;
use super::health;
use super::middleware::cors::cors;
use super::middleware::preflight::{OnRoutes, with_options};
use super::middleware::render_errors::render_errors;
use super::middleware::request_log::{RequestLogSettings, log_request};
use super::no_such_route;
use crate::app::App;
use crate::config::ConfigError;
use crate::util::origin::OriginPattern;

/// The longest duration from a request to the head of its response: less than the 30 s that `vercel.json` gives a
/// function. It does not limit a streamed body: a route that streams needs a limit of its own, below those 30 s.
pub const TIME_LIMIT: Duration = Duration::from_secs(25);

/// The time before the end of the function at which an answer that is not streamed must have ended.
const CHAT_RESERVE: Duration = Duration::from_secs(5);

/// A router with its layers, ready to be served.
pub type AppService = MapResponse<
    MapRequest<NormalizePath<Router>, fn(Request) -> Request>,
    fn(Response) -> Response,
>;

/// Puts the layers around `router`. The outermost comes first:
///
/// 1. `NormalizePath` removes a trailing slash, before routing, and `mark_trailing_slash` records it;
/// 2. `cors` answers preflights of routes, and lets pages of allowed origins read responses; `Allow` lists `OPTIONS`;
/// 3. `log_request` gives the request its id, sets the headers of every response, and writes the log line;
/// 4. `render_errors` renders errors as `application/problem+json`;
/// 5. `CatchPanic` turns a panic into a 500;
/// 6. `limit_time` enforces [`TIME_LIMIT`], a longer one for chat;
/// 7. `DefaultBodyLimit` sets `MAX_BODY_BYTES`, which extractors of bodies enforce.
pub fn service(router: Router<App>, app: App) -> AppService {
    let settings = RequestLogSettings {
        is_on: app.config.request_log,
        has_rate_limit: app.config.access.rate_limit.is_some(),
    };
    let origins = app.config.access.cors_allowed_origins.clone();
    let chat_limit = app.config.max_duration().saturating_sub(CHAT_RESERVE);
    // The state first: the layers need none, so that they are compiled once for all routers.
    let router = router.fallback(no_such_route).with_state(app);
    layered(router, chat_limit, render_errors, &origins, settings)
}

/// Returns the service of a deployment whose configuration is invalid: `/api/health` names the variable, and every
/// other route fails.
pub fn misconfigured_service(error: ConfigError) -> AppService {
    let settings = RequestLogSettings {
        is_on: true,
        has_rate_limit: false,
    };
    let router = health::misconfigured_router(error);
    layered(router, TIME_LIMIT, render_errors, &[], settings)
}

/// Adds the layers, all in one: each further `Router::layer` would cost every request a boxed service. `render` gives the
/// errors of the router, and of the layers that may fail a request, the shape that its clients read.
fn layered(
    router: Router,
    chat_limit: Duration,
    render: fn(Response) -> Response,
    origins: &[OriginPattern],
    settings: RequestLogSettings,
) -> AppService {
    let layers = ServiceBuilder::new()
        .option_layer(cors(origins).map(OnRoutes))
        .layer(from_fn_with_state(settings, log_request))
        .map_response(move |response: axum::http::Response<_>| render(response.map(Body::new)))
        .layer(CatchPanicLayer::custom(internal_error))
        .layer(from_fn_with_state(chat_limit, limit_time))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    let service = NormalizePathLayer::trim_trailing_slash().layer(router.layer(layers));
    let service = MapRequest::new(service, mark_trailing_slash as fn(Request) -> Request);
    let answers_preflights = !origins.is_empty();
    MapResponse::new(
        service,
        match answers_preflights {
            true => with_options,
            false => |response| response,
        },
    )
}

/// Limits the time until the head of a response. An answer that is not streamed has its head at its end.
async fn limit_time(State(chat_limit): State<Duration>, request: Request, next: Next) -> Response {
    let is_chat = request.uri().path() == "/api/chat";
    let limit = if is_chat { chat_limit } else { TIME_LIMIT };
    let response = tokio::time::timeout(limit, next.run(request)).await;
    response.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response())
}

fn mark_trailing_slash(mut request: Request) -> Request {
    if request.uri().path().ends_with('/') {
        request.extensions_mut().insert(TrailingSlash);
    }
    request
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
