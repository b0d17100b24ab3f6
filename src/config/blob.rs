//! Settings of Vercel Blob, from the environment.

use super::ConfigError;
use super::variable::{one_of, variable};
use crate::blob::{BlobAccess, BlobConfig};
use crate::util::secret::Secret;

pub(super) fn from_env() -> Result<BlobConfig, ConfigError> {
    Ok(BlobConfig {
        read_write_token: variable("BLOB_READ_WRITE_TOKEN").map(Secret::new),
        store_id: variable("BLOB_STORE_ID"),
        access: one_of(
            "BLOB_ACCESS",
            [
                ("private", BlobAccess::Private),
                ("public", BlobAccess::Public),
            ],
            "private or public",
        )?
        .unwrap_or_default(),
        api_url: variable("VERCEL_BLOB_API_URL"),
        browser_api_url: None,
        content_url: variable("BLOB_CONTENT_URL"),
        link_key: None,
        oidc_token: variable("VERCEL_OIDC_TOKEN").map(Secret::new),
    })
}
