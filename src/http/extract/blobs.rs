//! The Blob client of one request.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::vercel_headers::X_VERCEL_OIDC_TOKEN;
use crate::app::App;
use crate::blob::Blobs;
use crate::http::error::Result;

/// The blobs as this request reaches them.
pub(crate) struct RequestBlobs(pub(crate) Blobs);

impl FromRequestParts<App> for RequestBlobs {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let token = parts.headers.get(X_VERCEL_OIDC_TOKEN);
        let token = token.and_then(|token| token.to_str().ok());
        Ok(Self(app.blobs.blobs(token)))
    }
}
