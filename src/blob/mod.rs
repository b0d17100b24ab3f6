//! Vercel Blob over REST, as its official JavaScript client speaks it (API version 12): blobs are put, got,
//! looked at, listed, copied and deleted by their pathnames.
//!
//! A blob is bytes under a pathname, with a content type and an entity tag that changes with the bytes.
//! Writes go to the API and are there for the next read; reads go to the content host of the store and ask
//! it to pass its cache by.
//!
//! # Limits
//! | what | limit |
//! |---|---|
//! | making a connection | [`CONNECT_TIMEOUT`] |
//! | the head of an answer | [`ANSWER_TIMEOUT`] |
//! | the next bytes of an answer | [`IDLE_TIMEOUT`] |
//! | all that one request of ours asks of Blob until it can answer | [`TIME_LIMIT`] |
//! | how often one call is repeated | [`MAX_RETRIES`] times, where repeating it is safe |

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
use self::send::Call;

pub use self::config::{BlobAccess, BlobConfig};
pub use self::content::{Content, ContentRequest, Document, Fetched, Read};
pub use self::credentials::{shape_of_token, store_id};
pub use self::error::{Error, Result, diagnose};
pub use self::put::{Put, PutBody, PutOptions, WriteCondition};
pub(crate) use self::retry::jittered;
pub use self::retry::{MAX_RETRIES, TIME_LIMIT};
pub use self::wire::{Blob, Page};

/// How long a connection may take to be made, name look-up and TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one call may wait for the head of its answer, from the last byte it sent.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the next bytes of an answer's body may take.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many blobs one page of a list holds at most. The service takes no more.
pub const MAX_PAGE: usize = 1000;

/// Where the API is, unless `VERCEL_BLOB_API_URL` says otherwise.
const API_URL: &str = "https://vercel.com/api/blob";

/// The client: one per process, made when it is first needed. Cloning it copies a pointer.
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
    /// Prepares a client; connects to nothing yet.
    pub fn new(config: BlobConfig) -> Self {
        Self(Arc::new(Shared {
            config,
            http: OnceCell::new(),
        }))
    }

    /// The blobs as one request reaches them, for at most [`TIME_LIMIT`] from now. `oidc_token` is the token
    /// that Vercel sent along with the request; it counts where `BLOB_STORE_ID` is set.
    pub fn blobs(&self, oidc_token: Option<&str>) -> Blobs {
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

/// The blobs of the configured store, for one request. Without credentials every call is
/// [`Error::NotConfigured`].
#[derive(Clone, Debug)]
pub struct Blobs {
    client: BlobClient,
    credentials: Option<Credentials>,
    deadline: Instant,
}

impl Blobs {
    /// What is known of a blob; `None` where there is none.
    pub async fn head(&self, pathname: &str) -> Result<Option<Blob>> {
        let call = Call::new(Method::GET).query(&[("url", pathname)]);
        match self.json(&call).await {
            Ok(head) => Ok(Some(head)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A page of the blobs whose pathnames begin with `prefix`, in the order of their pathnames: at most
    /// `limit` (1–[`MAX_PAGE`]), from `cursor` on, which an earlier page gave. `folded` stops at the next `/`
    /// and tells of what is behind it as folders.
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
        let page: Page = self.json(&Call::new(Method::GET).query(&query)).await?;
        Ok(page.checked())
    }

    /// Deletes blobs; those that are not there are none to delete. With `if_match`, which goes with one
    /// pathname only, the blob is deleted if it still has this entity tag; whether it had.
    pub async fn delete(&self, pathnames: &[&str], if_match: Option<&str>) -> Result<bool> {
        let body = serde_json::json!({ "urls": pathnames }).to_string();
        let mut call = Call::new(Method::POST)
            .path("/delete")
            .header(CONTENT_TYPE, "application/json".to_owned())
            .body(body.into());
        if let Some(etag) = if_match {
            call = call.header(wire::X_IF_MATCH, wire::quoted(etag));
        }
        let deleted = self.send(&call).await;
        match deleted {
            Ok(_) => Ok(true),
            Err(error) if error.is_precondition_failure() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Copies a blob to another pathname, with its content type, replacing what is there.
    pub async fn copy(&self, from: &str, to: &str) -> Result<Option<Blob>> {
        let call = Call::new(Method::PUT)
            .query(&[("pathname", to), ("fromUrl", from)])
            .header(wire::X_ACCESS, self.access().as_str().to_owned())
            .header(wire::X_ADD_RANDOM_SUFFIX, "0".to_owned())
            .header(wire::X_ALLOW_OVERWRITE, "1".to_owned());
        match self.json(&call).await {
            Ok(blob) => Ok(Some(blob)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there are credentials.
    pub fn is_configured(&self) -> bool {
        self.credentials.is_some()
    }

    /// Whether the service answers and takes the credentials, at the price of one simple operation.
    pub async fn probe(&self) -> Result<()> {
        self.head("llmos-health").await.map(drop)
    }

    /// The read-write token, which signs the tokens that browsers upload with.
    pub fn read_write_token(&self) -> Option<&str> {
        let token = self.client.config().read_write_token.as_ref();
        token.map(crate::util::secret::Secret::reveal)
    }

    /// What signs links to files.
    pub fn link_key(&self) -> Option<&str> {
        let key = self.client.config().link_key.as_ref();
        key.map(crate::util::secret::Secret::reveal)
            .or_else(|| self.read_write_token())
    }

    fn access(&self) -> BlobAccess {
        self.client.config().access
    }

    /// Where browsers reach the API, and which access a blob is put with.
    pub fn for_browsers(&self) -> (&str, &'static str) {
        let config = self.client.config();
        let url = config.browser_api_url.as_deref();
        (url.unwrap_or(self.api_url()), config.access.as_str())
    }

    fn api_url(&self) -> &str {
        self.client.config().api_url.as_deref().unwrap_or(API_URL)
    }
}
