//! Preflights: where origins are allowed, CORS answers `OPTIONS` on routes, and `Allow` lists it.

use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use futures_util::future::Either;
use tower::{Layer, Service};
use tower_http::cors::{Cors, CorsLayer};

/// Adds CORS to routes. An `OPTIONS` request to an unknown route is passed on, so that it is a 404.
#[derive(Clone, Debug)]
pub(crate) struct OnRoutes(pub(crate) CorsLayer);

impl<S: Clone> Layer<S> for OnRoutes {
    type Service = Preflights<S>;

    fn layer(&self, inner: S) -> Preflights<S> {
        Preflights {
            cors: self.0.layer(inner.clone()),
            inner,
        }
    }
}

/// The service of [`OnRoutes`].
#[derive(Clone, Debug)]
pub(crate) struct Preflights<S> {
    cors: Cors<S>,
    inner: S,
}

impl<S> Service<Request> for Preflights<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<<Cors<S> as Service<Request>>::Future, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        // Both services must be ready before a call.
        match self.inner.poll_ready(context) {
            Poll::Ready(Ok(())) => self.cors.poll_ready(context),
            other => other,
        }
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_route = request.extensions().get::<MatchedPath>().is_some();
        if request.method() == Method::OPTIONS && !is_route {
            Either::Right(self.inner.call(request))
        } else {
            Either::Left(self.cors.call(request))
        }
    }
}

/// Adds `OPTIONS` to the `Allow` header, if there is one. Routers set the header outside of their layers.
pub(crate) fn with_options(mut response: Response) -> Response {
    let allow = response.headers().get(header::ALLOW);
    let allow = allow.and_then(|allow| allow.to_str().ok());
    let allow = allow.and_then(|allow| HeaderValue::try_from(format!("{allow},OPTIONS")).ok());
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
