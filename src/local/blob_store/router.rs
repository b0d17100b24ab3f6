//! The routes of the store, and the middleware around them.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use tower_http::cors::{Any, CorsLayer};

use super::drain::drain_rejected;
use super::error::BlobApiError;
use super::limits::MAX_JSON_BYTES;
use super::require_loopback::require_loopback;
use super::store::BlobStore;
use super::{api, content, multipart_api};
use crate::util::host::HostPattern;

/// Returns the routes: the API at `/_blob`, contents at `/_blob/content`.
///
/// CORS allows every origin, as Vercel Blob does. `require_loopback` rejects the origins of other machines.
pub fn router(store: BlobStore) -> Router {
    router_with_hosts(store, Vec::new())
}

/// Returns the routes below `/_blob` for requests that name a local host or one of `allowed_hosts`.
pub fn router_with_hosts(store: BlobStore, allowed_hosts: Vec<HostPattern>) -> Router {
    let allowed_hosts: Arc<[HostPattern]> = allowed_hosts.into();
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(Any)
        .allow_headers(tower_http::cors::AllowHeaders::mirror_request())
        .expose_headers(Any);
    let root = put(api::put_or_copy).get(api::head_or_list);
    Router::new()
        .route("/_blob", root.clone())
        .route("/_blob/", root)
        .route("/_blob/delete", post(api::delete))
        .route("/_blob/rename", post(api::rename))
        .route("/_blob/mpu", post(multipart_api::multipart))
        .route("/_blob/content/{*pathname}", get(content::read))
        .fallback(async || BlobApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || BlobApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(from_fn(drain_rejected))
        .layer(cors)
        .layer(from_fn_with_state(allowed_hosts, require_loopback))
        .with_state(store)
}
