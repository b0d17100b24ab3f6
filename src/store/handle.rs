//! The type [`Store`]. Its operations are in the other files of this folder.

use super::client::RedisClient;
use super::connection::Connection;
use super::direct::SmallSessions;
use super::direct_list::SmallLists;
use super::error::{Error, Result};
use super::executor::Executor;
use super::turns::tail::LogTail;
use crate::domain::request_context::RequestContext;

/// Sessions, messages and cached skills in Redis. A process has one, which owns the connection.
#[derive(Debug)]
pub struct Store {
    executor: Option<Executor>,
    small_sessions: SmallSessions,
    tail: Option<LogTail>,
    small_lists: SmallLists,
}

impl Store {
    /// Prepares a store on `url` without connecting. Without a URL, every operation fails with
    /// [`Error::NotConfigured`]. `ca_certificate` is PEM text of the authorities to trust instead of the public ones.
    pub fn new(url: Option<String>, ca_certificate: Option<String>) -> Self {
        Self {
            tail: url
                .clone()
                .map(|url| LogTail::new(url, ca_certificate.clone())),
            executor: url.map(|url| Executor::new(Connection::new(url, ca_certificate))),
            small_sessions: SmallSessions::default(),
            small_lists: SmallLists::default(),
        }
    }

    /// Returns a client for plain commands on the same connection.
    ///
    /// # Errors
    /// [`Error::NotConfigured`].
    pub fn client(&self) -> Result<RedisClient<'_>> {
        Ok(RedisClient::new(self.executor()?.connection()))
    }

    /// Charges the rate limit of a request, without any other operation. For requests that use Blob before Redis. Rate
    /// limiting fails open.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn check_rate_limit(&self, context: &RequestContext) -> Result<()> {
        if context.rate_limit.limit().is_none() {
            return Ok(());
        }
        let Ok(executor) = self.executor() else {
            return Ok(());
        };
        executor.check_rate_limit(context).await
    }

    pub(super) fn tail(&self) -> Option<&LogTail> {
        self.tail.as_ref()
    }

    pub(super) fn small_sessions(&self) -> &SmallSessions {
        &self.small_sessions
    }

    pub(super) fn small_lists(&self) -> &SmallLists {
        &self.small_lists
    }

    pub(super) fn executor(&self) -> Result<&Executor> {
        self.executor.as_ref().ok_or(Error::NotConfigured)
    }
}
