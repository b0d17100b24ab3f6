//! Restricts the store to this machine. Its token is public, so requests from other machines and from pages of other
//! sites are rejected.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::BlobApiError;
use crate::util::host::{HostPattern, is_accepted, is_loopback};
use crate::util::origin::{host_of, is_page_of};

/// Middleware that rejects requests whose peer is another machine, that name another host than a local or allowed one,
/// or that a page of another site sent.
pub(super) async fn require_loopback(
    State(allowed_hosts): State<Arc<[HostPattern]>>,
    request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_local_peer = peer.is_none_or(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
    if is_local_peer && is_from_this_machine(request.headers(), &allowed_hosts) {
        next.run(request).await
    } else {
        BlobApiError::NotLocal.into_response()
    }
}

fn is_from_this_machine(headers: &HeaderMap, allowed_hosts: &[HostPattern]) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let host = text(header::HOST);
    let is_local_host = host.is_none_or(|host| is_accepted(host, allowed_hosts));
    let is_local_page = text(header::ORIGIN)
        .is_none_or(|origin| host_of(origin).is_some_and(is_loopback) || is_page_of(origin, host));
    is_local_host && is_local_page
}
