//! The HTTP API: a folder per resource, each with one router, and what they share.

use axum::Router;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use self::error::Error;
use crate::app::App;

pub mod error;
pub mod files;
pub mod health;
pub mod service;
pub mod sessions;
pub mod skills;

pub(crate) mod middleware;
pub(crate) mod schema;

mod extract;
mod me;
mod object_writer;
mod problem;
mod sample;

pub(crate) use self::extract::page::DEFAULT_LIMIT;

/// Returns the routes of all resources, for the local server. A Vercel function has those of one resource.
pub fn router() -> Router<App> {
    sessions::router()
        .merge(skills::router())
        .merge(files::router())
        .merge(health::router())
}

/// Returns the OpenAPI descriptions of all routes.
pub(crate) fn described() -> Vec<OpenApi> {
    vec![
        sessions::Described::openapi(),
        sessions::list::Described::openapi(),
        sessions::messages::Described::openapi(),
        skills::Described::openapi(),
        skills::get::Described::openapi(),
        skills::list::Described::openapi(),
        skills::usage::Described::openapi(),
        skills::validate::Described::openapi(),
        files::Described::openapi(),
        files::get::Described::openapi(),
        files::link::Described::openapi(),
        files::list::Described::openapi(),
        files::upload::Described::openapi(),
        health::Described::openapi(),
        me::Described::openapi(),
    ]
}

/// Handles requests to routes that do not exist.
pub(crate) async fn no_such_route() -> Error {
    Error::NoSuchRoute
}
