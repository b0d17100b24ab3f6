//! Restricts the store to this machine. Its token is public, so requests from other machines and from pages of other
//! sites are rejected.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::BlobApiError;
use crate::util::origin::{host_of, is_local, is_loopback};

/// Middleware that rejects requests whose peer, `Host` or `Origin` is not local.
pub(super) async fn require_loopback(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_local_peer = peer.is_none_or(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
    if is_local_peer && is_from_this_machine(request.headers()) {
        next.run(request).await
    } else {
        BlobApiError::NotLocal.into_response()
    }
}

fn is_from_this_machine(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let is_local_host = text(header::HOST).is_none_or(is_local);
    let is_local_page =
        text(header::ORIGIN).is_none_or(|origin| host_of(origin).is_some_and(is_loopback));
    is_local_host && is_local_page
}
