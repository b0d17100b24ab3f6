//! The HTTP client, how a key is sent, and error responses.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use reqwest::Response;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::error::ProviderError;
use super::failure::Failure;
use super::headers;
use super::stream::ErrorContext;
use crate::util::http_client;
use crate::util::secret::Secret;

/// The time limit of connecting, including name resolution and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The part of an error response that is read, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The HTTP client, created by the first request. Clones share it and its connections.
#[derive(Clone, Default)]
pub(super) struct Http(Arc<OnceCell<reqwest::Client>>);

impl Http {
    pub(super) fn get(&self) -> Result<&reqwest::Client, http_client::Error> {
        self.0
            .get_or_try_init(|| http_client::client(CONNECT_TIMEOUT))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Http")
    }
}

/// How a key is sent.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    None,
    Bearer(Secret),
    XApiKey(Secret),
}

impl Credentials {
    pub(super) fn header(&self) -> Option<(HeaderName, String)> {
        match self {
            Self::None => None,
            Self::Bearer(key) => Some((AUTHORIZATION, format!("Bearer {}", key.reveal()))),
            Self::XApiKey(key) => {
                let name = HeaderName::from_static("x-api-key");
                Some((name, key.reveal().to_owned()))
            }
        }
    }

    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Bearer(key) | Self::XApiKey(key) => Some(key.reveal()),
        }
    }
}

/// Reads and classifies an error response. Its text is not kept.
pub(super) async fn error_response(
    mut response: Response,
    context: &ErrorContext,
    deadline: Instant,
) -> ProviderError {
    let (status, head) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while body.len() < MAX_ERROR_BYTES
        && let Ok(Ok(Some(bytes))) = timeout_at(deadline, response.chunk()).await
    {
        let rest = MAX_ERROR_BYTES - body.len();
        body.extend_from_slice(&bytes[..bytes.len().min(rest)]);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut error = context.error(Failure::of_body(Some(status), &body));
    error.retry_after = headers::retry_after(&head);
    if let Some(is_retryable) = headers::should_retry(&head) {
        error.is_retryable = is_retryable;
    }
    error
}
