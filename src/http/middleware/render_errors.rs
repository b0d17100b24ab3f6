//! Renders the errors of a router as `application/problem+json`.
//!
//! A router with another shape of errors has another renderer instead. The middleware around all routers does not depend
//! on the shape: it reads only the [`ErrorCause`].

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use crate::http::error::Error;
use crate::http::error::problem;
use crate::util::log::current_request_id;

/// The cause of a failure, for the log only: an extension of the response.
#[derive(Clone, Debug)]
pub(crate) struct ErrorCause(pub(crate) String);

/// Renders every error of the inner routes as problem+json, including those of axum and of the inner layers.
pub(crate) fn render_errors(response: Response) -> Response {
    let Some(error) = error_of(&response) else {
        return response;
    };
    let mut rendered = problem::render(&error, &current_request_id());
    if let Some(allow) = response.headers().get(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if let Some(cause) = error.cause() {
        rendered.extensions_mut().insert(ErrorCause(cause));
    }
    rendered
}

/// Returns the error that a response represents.
fn error_of(response: &Response) -> Option<Arc<Error>> {
    if let Some(error) = response.extensions().get::<Arc<Error>>() {
        return Some(error.clone());
    }
    // The health check reports failing parts in a form of its own.
    if is_json(response.headers()) {
        return None;
    }
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(Arc::new(Error::MethodNotAllowed)),
        StatusCode::GATEWAY_TIMEOUT => Some(Arc::new(Error::Timeout)),
        status if status.is_server_error() => Some(Arc::new(Error::Internal(status.to_string()))),
        _ => None,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/json")
}
