//! All that a handler may touch, built once per process.

use std::sync::Arc;

use axum::http::StatusCode;

use crate::auth::Authenticator;
use crate::blob::{self, BlobClient};
use crate::config::Config;
use crate::http::error::{Error, Result};
use crate::store::{self, Store};

/// The application. Cloning it copies four pointers.
#[derive(Clone, Debug)]
pub struct App {
    /// What is configured.
    pub config: Arc<Config>,
    /// Sessions and messages; what is counted and remembered of skills.
    pub store: Arc<Store>,
    /// Skills and files.
    pub blobs: BlobClient,
    /// Whose credentials a request has.
    pub authenticator: Arc<Authenticator>,
}

impl App {
    /// Builds the application; connects to nothing yet.
    pub fn new(config: Config) -> Self {
        let url = config.redis_url.as_ref().map(|url| url.reveal().to_owned());
        Self {
            store: Arc::new(Store::new(url, config.redis_ca_cert.clone())),
            blobs: BlobClient::new(config.blob.clone()),
            authenticator: Arc::new(Authenticator::new(&config.access.auth)),
            config: Arc::new(config),
        }
    }

    /// What a read answers instead of failing with `error`: the sample, where samples are allowed, or
    /// `missing`, where there is none.
    ///
    /// While storage is only down, what is no sample may well exist: that stays a failure.
    pub fn sample_instead_of<T>(
        &self,
        error: Error,
        sample: Option<T>,
        missing: Error,
    ) -> Result<T> {
        let is_not_configured = matches!(
            error,
            Error::Store(store::Error::NotConfigured) | Error::Blob(blob::Error::NotConfigured)
        );
        let is_down = !is_not_configured && error.status() == StatusCode::SERVICE_UNAVAILABLE;
        match sample {
            sample if is_not_configured && self.config.samples_without_storage() => {
                sample.ok_or(missing)
            }
            Some(sample) if is_down && self.config.samples_while_storage_is_down() => Ok(sample),
            _ => Err(error),
        }
    }
}
