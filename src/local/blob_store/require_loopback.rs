//! Keeps the store to this machine. Its token is no secret, so it is no protection: other machines are refused,
//! and pages of other sites, which a browser would let write here.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Refusal;
use crate::util::origin::{host_of, is_local, is_loopback};

/// The middleware.
pub(super) async fn refuse_strangers(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_near = peer.is_none_or(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
    if is_near && is_from_this_machine(request.headers()) {
        next.run(request).await
    } else {
        Refusal::Stranger.into_response()
    }
}

fn is_from_this_machine(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|it| it.to_str().unwrap_or_default());
    let is_called_here = text(header::HOST).is_none_or(is_local);
    let is_page_here =
        text(header::ORIGIN).is_none_or(|origin| host_of(origin).is_some_and(is_loopback));
    is_called_here && is_page_here
}
