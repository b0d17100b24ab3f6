//! The application on a private Redis and Blob store.

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use llmos::blob::{BlobConfig, PutBody, PutOptions, WriteCondition};
use llmos::config::Config;
use llmos::util::secret::Secret;

use super::{BlobServer, Client, Redis, config, in_process};

/// The application in this process, with a private Redis and Blob store.
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

    /// Writes a blob without the service, as another program does.
    pub async fn put(&self, pathname: &str, body: impl Into<Vec<u8>>) {
        put(&self.blobs, pathname, body).await;
    }

    /// Writes many blobs without the service.
    pub async fn put_all(&self, all: impl IntoIterator<Item = (String, String)>) {
        let puts = all
            .into_iter()
            .map(|(pathname, body)| async move { self.put(&pathname, body).await });
        stream::iter(puts)
            .buffer_unordered(16)
            .for_each(|()| async {})
            .await;
    }

    /// Returns the pathnames of all blobs in order.
    pub async fn pathnames(&self) -> Vec<String> {
        let blobs = self.blobs.blobs();
        let page = blobs.list("", 1000, None, false).await.unwrap();
        assert!(page.cursor.is_none() && page.folders.is_empty());
        page.blobs.into_iter().map(|blob| blob.pathname).collect()
    }

    /// Returns the content of a blob.
    pub async fn content(&self, pathname: &str) -> Option<Vec<u8>> {
        let blobs = self.blobs.blobs();
        let document = blobs.read(pathname, 16 << 20).await.unwrap();
        document.map(|document| document.body.to_vec())
    }
}

/// Writes a blob without the service, as another program does.
pub async fn put(blobs: &BlobServer, pathname: &str, body: impl Into<Vec<u8>>) {
    let options = PutOptions {
        content_type: None,
        cache_control_max_age: 60,
        condition: WriteCondition::Always,
    };
    let body = PutBody::Bytes(Bytes::from(body.into()));
    let blobs = blobs.blobs();
    let _ = blobs.put(pathname, body, &options).await.unwrap();
}

/// Returns the configuration of this store for the service.
pub fn blob_config(blobs: &BlobServer) -> BlobConfig {
    BlobConfig {
        read_write_token: Some(Secret::new(BlobServer::TOKEN.to_owned())),
        api_url: Some(blobs.api_url()),
        content_url: Some(blobs.content_url()),
        ..BlobConfig::default()
    }
}
