//! Settings of the Blob client.

use serde::{Deserialize, Serialize};

use crate::util::secret::Secret;

/// Who may read a blob by its URL. A store of Vercel Blob is of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobAccess {
    /// Whoever has the token.
    #[default]
    Private,
    /// Whoever knows the URL.
    Public,
}

impl BlobAccess {
    /// The access as the protocol and `BLOB_ACCESS` write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}

/// What is needed to speak to Vercel Blob. The default has no credentials: nothing can be stored.
#[derive(Clone, Debug, Default)]
pub struct BlobConfig {
    /// `BLOB_READ_WRITE_TOKEN`: `vercel_blob_rw_{store id}_{secret}`.
    pub read_write_token: Option<Secret>,
    /// `BLOB_STORE_ID`: the store, where Vercel's OIDC token takes the place of the read-write token.
    pub store_id: Option<String>,
    /// `BLOB_ACCESS`: `private` or `public`, whichever the store is. Unset: private.
    pub access: BlobAccess,
    /// `VERCEL_BLOB_API_URL`: the API's base address, in place of Vercel's.
    pub api_url: Option<String>,
    /// Where browsers reach the API, if not at `api_url`: on the local server a path, so that a page may call it by
    /// whatever name it has. Not a variable.
    pub browser_api_url: Option<String>,
    /// `BLOB_CONTENT_URL`: the base address of contents, in place of the store's own host. Unset:
    /// `/content` below `VERCEL_BLOB_API_URL`, if that is set.
    pub content_url: Option<String>,
    /// What signs links to files, if not the read-write token: on the local server, whose store has a token that
    /// everybody knows. Not a variable.
    pub link_key: Option<Secret>,
    /// `VERCEL_OIDC_TOKEN`: names the deployment to the store; set by Vercel.
    pub oidc_token: Option<Secret>,
}
