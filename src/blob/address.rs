//! Where the content of a blob is.

use uuid::Uuid;

use super::BlobAccess;
use super::Blobs;
use super::error::Result;
use super::paths;

impl Blobs {
    /// Where a blob's content is. A private store is asked to pass its cache by; a public one has no word
    /// for it, but keeps what is asked for under another address apart.
    pub(super) fn content_address(&self, pathname: &str) -> Result<String> {
        let config = self.client.config();
        let path = paths::encoded(pathname);
        let past_cache = match config.access {
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
        Ok(format!("{base}/{path}?{past_cache}"))
    }
}
