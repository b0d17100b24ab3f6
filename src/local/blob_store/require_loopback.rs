//! Restricts the store to this machine. Its token is public, so requests from other machines and from pages of other
//! sites are rejected.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::BlobApiError;
use crate::util::host::{HostPattern, is_accepted, is_loopback, named_hosts};
use crate::util::origin::{host_of, web_host_of};

/// Middleware that rejects requests whose peer is another machine, that name another host than a local or allowed one,
/// or that a page of another site sent.
pub(super) async fn require_loopback(
    State(allowed_hosts): State<Arc<[HostPattern]>>,
    request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_local_peer = peer.is_none_or(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
    if is_local_peer && is_from_this_machine(&request, &allowed_hosts) {
        next.run(request).await
    } else {
        BlobApiError::NotLocal.into_response()
    }
}

fn is_from_this_machine(request: &Request, allowed_hosts: &[HostPattern]) -> bool {
    let mut hosts = named_hosts(request.headers(), request.uri());
    hosts.all(|host| is_accepted(host, allowed_hosts)) && is_from_local_page(request)
}

/// Returns whether no page sent the request, a page of this machine, or a page of the host that it called.
fn is_from_local_page(request: &Request) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return true;
    };
    let origin = origin.to_str().unwrap_or_default();
    let called = named_hosts(request.headers(), request.uri()).next();
    host_of(origin).is_some_and(is_loopback)
        || web_host_of(origin)
            .is_some_and(|page| called.is_some_and(|host| host.eq_ignore_ascii_case(page)))
}
