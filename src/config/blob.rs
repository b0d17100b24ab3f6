//! Configuration of Vercel Blob.

use super::{ConfigError, Environment};
use crate::blob::{BlobAccess, BlobConfig};
use crate::util::secret::Secret;

pub(super) fn read(environment: &Environment<'_>) -> Result<BlobConfig, ConfigError> {
    let access = [
        ("private", BlobAccess::Private),
        ("public", BlobAccess::Public),
    ];
    Ok(BlobConfig {
        read_write_token: environment
            .variable("BLOB_READ_WRITE_TOKEN")
            .map(Secret::new),
        store_id: environment.variable("BLOB_STORE_ID"),
        access: environment
            .parse_choice("BLOB_ACCESS", access, "private or public")?
            .unwrap_or_default(),
        api_url: environment.variable("VERCEL_BLOB_API_URL"),
        browser_api_url: None,
        content_url: environment.variable("BLOB_CONTENT_URL"),
        link_secret: None,
        oidc_token: environment.variable("VERCEL_OIDC_TOKEN").map(Secret::new),
    })
}
