//! URLs of the content of blobs.

use uuid::Uuid;

use super::BlobAccess;
use super::Blobs;
use super::error::Result;
use crate::util::percent::encode_path;

impl Blobs {
    /// Returns the URL of a blob's content that bypasses the cache. A private store has a parameter for it; a public
    /// store has none, but caches by the whole URL, so the URL is made unique.
    pub(super) fn content_url(&self, pathname: &str) -> Result<String> {
        let config = self.client.config();
        let path = encode_path(pathname);
        let bypass = match config.access {
            BlobAccess::Private => "cache=0".to_owned(),
            BlobAccess::Public => format!("cache=0&v={}", Uuid::now_v7().simple()),
        };
        let base = match (&config.content_url, &config.api_url) {
            (Some(base), _) => base.trim_end_matches('/').to_owned(),
            (None, Some(api)) => format!("{}/content", api.trim_end_matches('/')),
            (None, None) => {
                let store_id = &self.credentials()?.store_id;
                format!(
                    "https://{store_id}.{}.blob.vercel-storage.com",
                    config.access.as_str()
                )
            }
        };
        Ok(format!("{base}/{path}?{bypass}"))
    }
}
