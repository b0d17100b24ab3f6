//! The application on a Redis and a Blob store of its own.

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use llmos::blob::BlobConfig;
use llmos::blob::{BlobClient, PutBody, PutOptions, WriteCondition};
use llmos::config::Config;
use llmos::util::secret::Secret;

use super::{BlobServer, Client, Redis, config, in_process};

/// The application in this process, with all the storage there is.
pub struct SkillsApp {
    pub api: Client,
    pub redis: Redis,
    pub blobs: BlobServer,
}

impl SkillsApp {
    pub async fn start() -> Self {
        let redis = Redis::start().await;
        let blobs = BlobServer::start().await;
        let api = in_process(Config {
            blob: blob_config(&blobs),
            ..config(&redis.url())
        });
        Self { api, redis, blobs }
    }

    /// Writes a blob past the service, as another program does.
    pub async fn put(&self, pathname: &str, body: impl Into<Vec<u8>>) {
        put(&self.blobs, pathname, body).await;
    }

    /// Writes many blobs past the service.
    pub async fn put_all(&self, all: impl IntoIterator<Item = (String, String)>) {
        let puts = all
            .into_iter()
            .map(|(pathname, body)| async move { self.put(&pathname, body).await });
        stream::iter(puts)
            .buffer_unordered(16)
            .for_each(|()| async {})
            .await;
    }

    /// The pathnames of all blobs there are, in their order.
    pub async fn pathnames(&self) -> Vec<String> {
        let blobs = client(&self.blobs).blobs(None);
        let page = blobs.list("", 1000, None, false).await.unwrap();
        assert!(page.cursor.is_none() && page.folders.is_empty());
        page.blobs.into_iter().map(|blob| blob.pathname).collect()
    }

    /// The bytes of a blob.
    pub async fn content(&self, pathname: &str) -> Option<Vec<u8>> {
        let blobs = client(&self.blobs).blobs(None);
        let document = blobs.read(pathname, 16 << 20).await.unwrap();
        document.map(|document| document.body.to_vec())
    }
}

/// Writes a blob past the service, as another program does.
pub async fn put(blobs: &BlobServer, pathname: &str, body: impl Into<Vec<u8>>) {
    let options = PutOptions {
        content_type: None,
        cache_control_max_age: 60,
        condition: WriteCondition::Always,
    };
    let body = PutBody::Bytes(Bytes::from(body.into()));
    let blobs = client(blobs).blobs(None);
    let _ = blobs.put(pathname, body, &options).await.unwrap();
}

/// What leads the service to this store.
pub fn blob_config(blobs: &BlobServer) -> BlobConfig {
    BlobConfig {
        read_write_token: Some(Secret::new(BlobServer::TOKEN.to_owned())),
        api_url: Some(blobs.api_url()),
        content_url: Some(blobs.content_url()),
        ..BlobConfig::default()
    }
}

fn client(blobs: &BlobServer) -> BlobClient {
    BlobClient::new(blob_config(blobs))
}
