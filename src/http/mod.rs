//! The HTTP API: one file per resource, each with one router; and what they share.

use axum::Router;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use crate::app::App;
use crate::error::Error;

pub mod files;
pub mod health;
pub mod sessions;
pub mod skills;

mod file_get;
mod file_link;
mod file_list;
mod me;
mod messages;
mod session_list;
mod skill_find;
mod skill_list;
mod skill_usage;
mod skill_validation;
mod uploads;

pub(crate) mod browser;
pub(crate) mod observe;

mod auth;
mod body;
mod caller_address;
mod conditional;
mod describe;
mod extract;
mod fallback;
mod file_answer;
mod idempotency;
mod object_writer;
mod page;
mod problem;
mod session_answer;
mod skill_answer;
mod volume_query;

pub(crate) use self::page::DEFAULT_LIMIT;

/// Every route, as the local server has them. A function has those of one resource.
pub fn router() -> Router<App> {
    sessions::router()
        .merge(skills::router())
        .merge(files::router())
        .merge(health::router())
}

/// What every route says of itself.
pub(crate) fn described() -> Vec<OpenApi> {
    vec![
        sessions::Described::openapi(),
        session_list::Described::openapi(),
        messages::Described::openapi(),
        skills::Described::openapi(),
        skill_find::Described::openapi(),
        skill_list::Described::openapi(),
        skill_usage::Described::openapi(),
        skill_validation::Described::openapi(),
        files::Described::openapi(),
        file_get::Described::openapi(),
        file_link::Described::openapi(),
        file_list::Described::openapi(),
        uploads::Described::openapi(),
        health::Described::openapi(),
        me::Described::openapi(),
    ]
}

/// What a route that does not exist answers.
pub(crate) async fn no_such_route() -> Error {
    Error::NotFound("There is no such route.")
}
