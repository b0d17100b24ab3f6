//! Client of Vercel Blob, with the REST protocol of the official JavaScript client (API version 12).
//!
//! A blob is bytes under a pathname, with a content type and an entity tag that changes with the bytes.
//! Writes go to the API and are visible to the next read. Reads go to the content host of the store and bypass
//! its cache.
//!
//! # Limits
//! | operation | limit |
//! |---|---|
//! | connecting | [`CONNECT_TIMEOUT`] |
//! | waiting for the head of a response | [`RESPONSE_TIMEOUT`] |
//! | waiting for the next bytes of a response | [`IDLE_TIMEOUT`] |
//! | all calls to Blob of one request, until it can respond | [`TIME_LIMIT`] |
//! | retries of one idempotent call | [`MAX_RETRIES`] |

pub mod client_token;
pub mod paths;

mod address;
mod config;
mod content;
mod credentials;
mod error;
mod idle;
mod put;
mod retry;
mod send;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use self::credentials::Credentials;
use self::send::BlobRequest;
use crate::util::etag::quote;
use crate::util::secret::Secret;
use crate::util::signing::SigningKey;

pub use self::config::{BlobAccess, BlobConfig};
pub use self::content::{Content, ContentRequest, Document, Fetched, Read};
pub use self::credentials::{redacted_token, store_id};
pub use self::error::{BoxError, Error, Result, diagnose};
pub use self::idle::{BodyError, IdleLimitedBody};
pub use self::put::{CACHE_SECONDS, Put, PutBody, PutOptions, WriteCondition};
pub(crate) use self::retry::jittered;
pub use self::retry::{MAX_RETRIES, TIME_LIMIT};
pub use self::wire::{Blob, Page};

/// The time limit of connecting, including name resolution and TLS.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit for the head of a response, from the last byte of the request.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit for the next bytes of a response body.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum number of blobs in a page of a list; the service accepts no more.
pub const MAX_PAGE: usize = 1000;

/// The default of `VERCEL_BLOB_API_URL`.
const API_URL: &str = "https://vercel.com/api/blob";

/// The purpose of the key that signs links to files.
const LINK_PURPOSE: &str = "llmos file link";

/// The client. Create one per process: it pools connections. Cloning it copies a pointer.
#[derive(Clone)]
pub struct BlobClient(Arc<Shared>);

struct Shared {
    config: BlobConfig,
    http: OnceCell<reqwest::Client>,
}

impl fmt::Debug for BlobClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlobClient")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

impl BlobClient {
    /// Creates a client without connecting.
    pub fn new(config: BlobConfig) -> Self {
        Self(Arc::new(Shared {
            config,
            http: OnceCell::new(),
        }))
    }

    /// Returns access to the blobs for one request, for [`TIME_LIMIT`] from now. `oidc_token` is the token that Vercel
    /// adds to the request; it is used if `BLOB_STORE_ID` is set.
    pub fn blobs(&self, oidc_token: Option<&Secret>) -> Blobs {
        Blobs {
            credentials: Credentials::choose(&self.0.config, oidc_token),
            client: self.clone(),
            deadline: Instant::now() + TIME_LIMIT,
        }
    }

    fn config(&self) -> &BlobConfig {
        &self.0.config
    }

    fn http(&self) -> Result<&reqwest::Client> {
        self.0.http.get_or_try_init(send::http_client)
    }
}

/// The blobs of the configured store, for one request. Without credentials every call fails with
/// [`Error::NotConfigured`].
#[derive(Clone, Debug)]
pub struct Blobs {
    client: BlobClient,
    credentials: Option<Credentials>,
    deadline: Instant,
}

impl Blobs {
    /// Returns the metadata of a blob; `None` if it does not exist.
    pub async fn head(&self, pathname: &str) -> Result<Option<Blob>> {
        let request = BlobRequest::new(Method::GET).query(&[("url", pathname)]);
        match self.json(&request).await {
            Ok(head) => Ok(Some(head)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists blobs whose pathnames begin with `prefix`, ordered by pathname: at most `limit` (1–[`MAX_PAGE`]), from the
    /// `cursor` of an earlier page. With `folded`, blobs below a further `/` are replaced by their folders.
    pub async fn list(
        &self,
        prefix: &str,
        limit: usize,
        cursor: Option<&str>,
        folded: bool,
    ) -> Result<Page> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str()), ("prefix", prefix)];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        query.extend(folded.then_some(("mode", "folded")));
        let page: Page = self
            .json(&BlobRequest::new(Method::GET).query(&query))
            .await?;
        Ok(page.without_stale_cursor())
    }

    /// Deletes blobs. Missing blobs are ignored. With `if_match`, which requires a single pathname, the blob is deleted
    /// only if it has this entity tag. Returns false if it has another one.
    pub async fn delete(&self, pathnames: &[&str], if_match: Option<&str>) -> Result<bool> {
        let body = serde_json::json!({ "urls": pathnames }).to_string();
        let mut request = BlobRequest::new(Method::POST)
            .path("/delete")
            .header(CONTENT_TYPE, "application/json".to_owned())
            .body(body.into());
        if let Some(etag) = if_match {
            request = request.header(wire::X_IF_MATCH, quote(etag));
        }
        match self.send(&request).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_precondition_failure() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns whether credentials are configured.
    pub fn is_configured(&self) -> bool {
        self.credentials.is_some()
    }

    /// Checks that the service responds and accepts the credentials, by one simple operation.
    pub async fn probe(&self) -> Result<()> {
        self.head("llmos-health").await.map(drop)
    }

    /// Returns the read-write token, which signs the client tokens of uploads.
    pub fn read_write_token(&self) -> Option<&str> {
        let token = self.client.config().read_write_token.as_ref();
        token.map(Secret::reveal)
    }

    /// Returns the key that signs links to files. It is derived from the token, so that a link reveals nothing about
    /// the token, and a signature of the token is not valid for a link.
    ///
    /// # Errors
    /// [`Error::NotConfigured`] without a read-write token.
    pub fn link_key(&self) -> Result<SigningKey> {
        let secret = self.client.config().link_secret.as_ref();
        let secret = secret.map(Secret::reveal).or(self.read_write_token());
        let secret = secret.ok_or(Error::NotConfigured)?;
        Ok(SigningKey::derive(secret, LINK_PURPOSE))
    }

    fn access(&self) -> BlobAccess {
        self.client.config().access
    }

    /// Returns the URL of the API for browsers, and the access that an upload must request.
    pub fn for_browsers(&self) -> (&str, &'static str) {
        let config = self.client.config();
        let url = config.browser_api_url.as_deref();
        (url.unwrap_or(self.api_url()), config.access.as_str())
    }

    fn api_url(&self) -> &str {
        self.client.config().api_url.as_deref().unwrap_or(API_URL)
    }
}
