//! The names of the headers that Vercel adds to each request. They are not in `vercel`, because the routes read them
//! and `vercel` is on a floor above.

use axum::http::HeaderName;

/// The id of the request.
pub(crate) const X_VERCEL_ID: HeaderName = HeaderName::from_static("x-vercel-id");

/// The address of the client. Vercel replaces a value that the client sends.
pub(crate) const X_VERCEL_FORWARDED_FOR: HeaderName =
    HeaderName::from_static("x-vercel-forwarded-for");

/// The token that authenticates the deployment to other services, such as Vercel Blob.
pub(crate) const X_VERCEL_OIDC_TOKEN: HeaderName = HeaderName::from_static("x-vercel-oidc-token");
