//! The HTTP API: a folder per resource, each with one router, and what they share.

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use self::error::Error;
use crate::app::App;

pub mod chat;
pub mod error;
pub mod files;
pub mod health;
pub mod layers;
pub mod sessions;
pub mod skills;

pub(crate) mod middleware;
pub(crate) mod schema;

mod extract;
mod location;
mod me;
mod object_writer;
mod routes;
mod sample;

/// Returns the routes of all resources, for the local server. A Vercel function has those of one resource.
pub fn router() -> Router<App> {
    sessions::router()
        .merge(skills::router())
        .merge(files::router())
        .merge(chat::router())
        .merge(health::router())
}

/// Returns the routes of all resources, with their OpenAPI description.
pub(crate) fn api() -> OpenApiRouter<App> {
    sessions::api()
        .merge(skills::api())
        .merge(files::api())
        .merge(chat::api())
        .merge(health::api())
}

/// Handles requests to routes that do not exist.
pub(crate) async fn no_such_route() -> Error {
    Error::NoSuchRoute
}
