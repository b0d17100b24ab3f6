//! The routes of the store, and what lies around all of them.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post, put};
use tower_http::cors::{Any, CorsLayer};

use super::drain::drain_refused;
use super::error::Refusal;
use super::require_loopback::refuse_strangers;
use super::store::BlobStore;
use super::{api, content, multipart_api};

/// The most bytes of a JSON body.
pub(super) const MAX_JSON_BYTES: usize = 1024 * 1024;

/// The store's API at `/_blob`, contents at `/_blob/content`.
///
/// Pages of any origin on this machine may call, as those of all may the official service.
pub fn router(store: BlobStore) -> Router {
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
        .fallback(async || Refusal::NoSuchRoute)
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(from_fn(drain_refused))
        .layer(cors)
        .layer(from_fn(refuse_strangers))
        .with_state(store)
}
