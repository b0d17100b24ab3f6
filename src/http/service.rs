//! The layers around every route, and the limits that they enforce.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tower::{Layer, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};
use tower_http::timeout::TimeoutLayer;

use super::error::Error;
use super::middleware::cors::cors;
use super::middleware::request_log::observe;
use super::no_such_route;
use crate::app::App;

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// How long a request may take until its answer begins: less than the 30 s that `vercel.json` gives a
/// function.
pub const TIME_LIMIT: Duration = Duration::from_secs(25);

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
