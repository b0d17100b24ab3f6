//! The HTTP API: one file per resource, each with one router; and what they share.

use axum::Router;

use crate::app::App;
use crate::error::Error;

pub mod health;
pub mod sessions;

mod messages;

pub(crate) mod observe;

mod conditional;
mod extract;
mod fallback;
mod idempotency;
mod page;
mod session_answer;

/// Every route, as the local server has them. A function has those of one resource.
pub fn router() -> Router<App> {
    sessions::router().merge(health::router())
}

/// What a route that does not exist answers.
pub(crate) async fn no_such_route() -> Error {
    Error::NotFound("There is no such route.")
}
