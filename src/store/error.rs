//! Errors of the store and their classification.

use std::time::Duration;

use redis::{ErrorKind, RedisError};

use super::connection::url_error::UrlError;

/// A failure of a store operation. A missing session is not an error: operations return `None` for it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `REDIS_URL` is not set.
    #[error("REDIS_URL is not set")]
    NotConfigured,
    /// `REDIS_URL` cannot be used. The text contains no credentials.
    #[error("REDIS_URL is invalid: {}", .0.problem)]
    InvalidUrl(#[from] UrlError),
    /// Redis is unreachable or rejected the command. The text contains no credentials.
    #[error("Redis: {}", on_one_line(.0))]
    Unavailable(#[source] RedisError),
    /// The caller exceeded the rate limit; the next request is allowed after this time.
    #[error("the caller exceeded the rate limit")]
    RateLimited(Duration),
    /// The stored data is malformed: neither this service nor the Python version wrote it.
    #[error("malformed data in Redis: {0}")]
    Unreadable(String),
}

/// Result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        // Redis 7 replies with the code of an error within a script, Redis 6 only mentions it in the text.
        let contains = |words: &[&str]| words.iter().any(|word| error.to_string().contains(word));
        let is_malformed_data = error.kind() == ErrorKind::UnexpectedReturnType
            || contains(&["WRONGTYPE", "UNREADABLE"])
            // A script fails on malformed data, unless Redis rejected one of its commands.
            || (error.code() == Some("ERR")
                && contains(&["user_script"])
                && !contains(&[
                    "OOM",
                    "READONLY",
                    "NOPERM",
                    // Redis 7.0 reports a missing permission of a script's user in these words.
                    "can't run this command",
                    "MISCONF",
                    // On a cluster: the slot is moving, or no node serves it.
                    "non local key",
                    "cluster is down",
                ]));
        if is_malformed_data {
            Self::Unreadable(error.to_string())
        } else {
            Self::Unavailable(error)
        }
    }
}

impl From<redis::ParsingError> for Error {
    fn from(error: redis::ParsingError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    /// Leaves out the text of the error: it repeats stored data, and errors are logged.
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(format!(
            "{:?} error in JSON at line {}, column {}",
            error.classify(),
            error.line(),
            error.column()
        ))
    }
}

/// Returns the text of the error on one line. The error for an unknown command repeats its arguments, which are left
/// out.
pub(super) fn on_one_line(error: &RedisError) -> String {
    let text = error.to_string();
    let text = text.split(", with args beginning with").next();
    let lines: Vec<&str> = text.unwrap_or_default().lines().collect();
    lines.join(", ")
}
