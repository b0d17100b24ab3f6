//! Configuration of the Blob client.

use serde::{Deserialize, Serialize};

use crate::util::secret::Secret;

/// The access to blobs by their URL. All blobs of a store have the same access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobAccess {
    /// Reading requires the token.
    #[default]
    Private,
    /// Reading requires only the URL.
    Public,
}

impl BlobAccess {
    /// Returns the value of the access in the protocol and in `BLOB_ACCESS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}

/// Configuration of Vercel Blob. The default has no credentials, so that every call fails as not configured.
#[derive(Clone, Debug, Default)]
pub struct BlobConfig {
    /// `BLOB_READ_WRITE_TOKEN`: `vercel_blob_rw_{store id}_{secret}`.
    pub read_write_token: Option<Secret>,
    /// `BLOB_STORE_ID`: the store, if Vercel's OIDC token replaces the read-write token.
    pub store_id: Option<String>,
    /// `BLOB_ACCESS`: the access of the store, `private` or `public`. Default: private.
    pub access: BlobAccess,
    /// `VERCEL_BLOB_API_URL`: the base URL of the API. Default: Vercel's API.
    pub api_url: Option<String>,
    /// The URL of the API for browsers, if it differs from `api_url`. On the local server it is a path, so that it works
    /// under every host name of that server. Not a variable.
    pub browser_api_url: Option<String>,
    /// `BLOB_CONTENT_URL`: the base URL of contents. Default: `/content` below `VERCEL_BLOB_API_URL` if that is set,
    /// otherwise the content host of the store.
    pub content_url: Option<String>,
    /// The secret from which the key of file links is derived, in place of the read-write token. For the local server,
    /// whose token is public. Not a variable.
    pub link_secret: Option<Secret>,
    /// `VERCEL_OIDC_TOKEN`: authenticates the deployment to the store; set by Vercel.
    pub oidc_token: Option<Secret>,
}
