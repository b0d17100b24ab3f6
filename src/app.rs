//! All that a handler may touch, built once per process.

use std::sync::Arc;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::store::{self, Store};

/// The application. Cloning it copies two pointers.
#[derive(Clone, Debug)]
pub struct App {
    /// What is configured.
    pub config: Arc<Config>,
    /// Sessions and messages.
    pub store: Arc<Store>,
}

impl App {
    /// Builds the application; connects to nothing yet.
    pub fn new(config: Config) -> Self {
        let url = config.redis_url.as_ref().map(|url| url.reveal().to_owned());
        Self {
            store: Arc::new(Store::new(url, config.redis_ca_cert.clone())),
            config: Arc::new(config),
        }
    }

    /// What a read answers instead of failing with `error`: the sample, where samples are allowed.
    ///
    /// While Redis is only down, what is no sample may well exist: that stays a failure.
    pub fn sample_instead_of<T>(&self, error: store::Error, sample: Option<T>) -> Result<T> {
        match (&error, sample) {
            (store::Error::NotConfigured, sample) if self.config.samples_without_storage() => {
                sample.ok_or(Error::NO_SUCH_SESSION)
            }
            (store::Error::Unavailable(_), Some(sample))
                if self.config.samples_while_storage_is_down() =>
            {
                Ok(sample)
            }
            _ => Err(error.into()),
        }
    }
}
