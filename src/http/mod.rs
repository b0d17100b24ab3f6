//! The HTTP API: one file per resource, each with one router; and what they share.

use axum::Router;

use crate::app::App;
use crate::error::Error;

pub mod files;
pub mod health;
pub mod sessions;
pub mod skills;

mod file_list;
mod messages;
mod skill_list;
mod skill_usage;
mod skill_validation;
mod uploads;

pub(crate) mod observe;

pub(crate) mod browser;

mod auth;
mod body;
mod caller_address;
mod conditional;
mod extract;
mod fallback;
mod file_answer;
mod idempotency;
mod page;
mod problem;
mod session_answer;
mod skill_answer;
mod volume_query;

/// Every route, as the local server has them. A function has those of one resource.
pub fn router() -> Router<App> {
    sessions::router()
        .merge(skills::router())
        .merge(files::router())
        .merge(health::router())
}

/// What a route that does not exist answers.
pub(crate) async fn no_such_route() -> Error {
    Error::NotFound("There is no such route.")
}
